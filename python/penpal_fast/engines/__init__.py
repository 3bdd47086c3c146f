"""Engines that score rows with the network: MLX on a GPU, Rust on the processor."""
