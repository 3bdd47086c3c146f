"""Memory that MLX owns and Rust writes.

An evaluated MLX array exposes its memory as a writable buffer, and MLX reads what is written there. Three rules keep
this sound: evaluate the array before taking its view; keep array and view alive while either is used; never change the
array in place within MLX, which would move it to other memory.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast.canvas import CANVAS_SHAPE
from penpal_fast.engines.mlx_thread import run_on_mlx_thread

MAX_KEPT_BYTES = 1 << 30
"""The most freed memory that MLX is told to keep: 4,096 pictures."""

SMALL_BYTES = 1 << 20
"""What small arrays, freed in between, may take of it."""


def writable_canvases(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    """Allocate pictures, float32 [count, 256, 256, 1], in MLX and return it with a NumPy view of the same memory.

    Raises:
        PenpalError: The process was forked from one that had used MLX.
    """
    return run_on_mlx_thread(lambda: _allocated(count))


def _allocated(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    array = mx.zeros((count, *CANVAS_SHAPE), dtype=mx.float32)
    _keep(array.nbytes)
    mx.eval(array)
    view = np.array(array, copy=False)
    if not (view.flags.c_contiguous and view.flags.writeable):
        raise RuntimeError(
            "MLX returned memory that cannot be written in place; please report this with your mlx version"
        )
    return array, view


def _keep(size: int) -> None:
    """Let MLX keep memory of this size for the next array, once it is freed, beside what it keeps already.

    On processors it keeps 32 MiB by default. The pages of larger arrays would come from the system each time, which
    takes longer than drawing into them. MLX frees nothing to keep what is freed later, so the limit has to hold both.
    """
    wanted = min(mx.get_cache_memory() + size + SMALL_BYTES, MAX_KEPT_BYTES)
    before = mx.set_cache_limit(wanted)
    if before > wanted:
        mx.set_cache_limit(before)
