"""Whether MLX has a GPU to compute on."""

from __future__ import annotations


def gpu_answers() -> bool:
    """Whether a small operation runs on MLX's GPU. Asking MLX is not enough: its CUDA build reports a GPU on every
    machine."""
    try:
        import mlx.core as mx

        if mx.default_device() != mx.gpu:
            return False
        return bool((mx.ones(2, stream=mx.gpu) + 1).sum(stream=mx.gpu).item() == 4)
    except (ImportError, RuntimeError):
        return False
