"""How well a model tells lines apart."""
