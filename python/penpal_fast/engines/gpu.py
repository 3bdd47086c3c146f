"""Whether MLX has a GPU to compute on."""

from __future__ import annotations

import sys
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.forks import is_forked_after_use

GPU_FILES = ("nvidia", "nvhost", "nvmap", "nvgpu", "kfd", "dxg")
"""Starts of the names of what stands in Linux's /dev for the GPU of a card, a board, or the machine around."""


def gpu_answers() -> bool:
    """Whether a small operation runs on MLX's GPU. Asking MLX is not enough: its CUDA build reports a GPU on every
    machine. It does not in a process that was forked after MLX was used."""
    if is_forked_after_use() or not ("mlx.core" in sys.modules or _may_be_there()):
        return False
    try:
        import mlx.core as mx

        if mx.default_device() != mx.gpu:
            return False
        from penpal_fast.engines.mlx_thread import run_on_mlx_thread

        return run_on_mlx_thread(lambda: bool((mx.ones(2, stream=mx.gpu) + 1).sum(stream=mx.gpu).item() == 4))
    except (ImportError, RuntimeError, PenpalError):
        return False


def _may_be_there() -> bool:
    """Whether this machine may have a GPU. MLX, which knows, takes longer to load than 100 rows to score."""
    if sys.platform != "linux":
        return True
    try:
        return any(path.name.startswith(GPU_FILES) for path in Path("/dev").iterdir())
    except OSError:
        return True
