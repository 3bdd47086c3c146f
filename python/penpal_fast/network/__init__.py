"""The quality network and everything about its files. Only `model` and `layers` need MLX."""
