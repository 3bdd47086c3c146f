"""Memory that MLX owns and Rust writes.

An evaluated MLX array offers its memory as a writable buffer, and what is written there is what MLX reads. Three rules
keep that sound: evaluate the array before its view is taken; keep array and view alive together while either is used;
never change the array in place within MLX, which would move it to other memory.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast.canvas import CANVAS_SHAPE


def writable_canvases(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    """Allocate float32 [count, 256, 256, 1] in MLX and return it with a NumPy view of the same memory."""
    array = mx.zeros((count, *CANVAS_SHAPE), dtype=mx.float32)
    mx.eval(array)
    view = np.array(array, copy=False)
    if not (view.flags.c_contiguous and view.flags.writeable):
        raise RuntimeError(
            "MLX gave canvases that cannot be written in place; please report this with your mlx version"
        )
    return array, view
