"""How well a model separates the kinds of lines."""
