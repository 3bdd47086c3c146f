"""What runs the network over rows: MLX on a GPU, Rust on a CPU."""
