"""Whether MLX has a GPU to compute on."""

from __future__ import annotations


def gpu_answers() -> bool:
    """Whether MLX has a GPU that runs a tiny operation; a CUDA build says that it has one on any machine."""
    try:
        import mlx.core as mx

        if mx.default_device() != mx.gpu:
            return False
        return bool((mx.ones(2, stream=mx.gpu) + 1).sum(stream=mx.gpu).item() == 4)
    except (ImportError, RuntimeError):
        return False
