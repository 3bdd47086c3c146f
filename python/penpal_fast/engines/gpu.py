"""Whether MLX has a GPU to compute on."""

from __future__ import annotations

from penpal_fast.errors import PenpalError
from penpal_fast.forks import is_forked_after_use


def gpu_answers() -> bool:
    """Whether a small operation runs on MLX's GPU. Asking MLX is not enough: its CUDA build reports a GPU on every
    machine. It does not in a process that was forked after MLX was used."""
    if is_forked_after_use():
        return False
    try:
        import mlx.core as mx

        if mx.default_device() != mx.gpu:
            return False
        from penpal_fast.engines.mlx_thread import run_on_mlx_thread

        return run_on_mlx_thread(lambda: bool((mx.ones(2, stream=mx.gpu) + 1).sum(stream=mx.gpu).item() == 4))
    except (ImportError, RuntimeError, PenpalError):
        return False
