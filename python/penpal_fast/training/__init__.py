"""How the bundled weights were made: data, training and measurement."""
