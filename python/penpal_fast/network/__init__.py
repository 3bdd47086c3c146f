"""The quality network and everything about its files. Only `model` needs MLX."""
