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


def writable_canvases(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    """Allocate pictures, float32 [count, 256, 256, 1], in MLX and return it with a NumPy view of the same memory.

    Raises:
        PenpalError: The process was forked from one that had used MLX.
    """
    return run_on_mlx_thread(lambda: _allocated(count))


def _allocated(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    array = mx.zeros((count, *CANVAS_SHAPE), dtype=mx.float32)
    mx.eval(array)
    view = np.array(array, copy=False)
    if not (view.flags.c_contiguous and view.flags.writeable):
        raise RuntimeError(
            "MLX returned memory that cannot be written in place; please report this with your mlx version"
        )
    return array, view
