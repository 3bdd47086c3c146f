"""The quality network and its files. Only `model` needs MLX."""
