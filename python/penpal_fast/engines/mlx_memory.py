"""Memory that MLX owns and Rust writes.

An evaluated MLX array exposes its memory as a writable buffer, and MLX reads what is written there. Three rules keep
this sound: evaluate the array before taking its view; keep array and view alive while either is used; never change the
array in place within MLX, which would move it to other memory.

MLX has no array without values: `zeros` writes them all, on one thread and, in fresh memory, in pages of 4 KiB. Where
it computes on the processor, the array is therefore loaded from a file that leaves the memory as it is.
"""

from __future__ import annotations

import io
from typing import BinaryIO, cast

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast.canvas import CANVAS_SHAPE
from penpal_fast.engines.huge_pages import advise
from penpal_fast.engines.mlx_thread import run_on_mlx_thread


def writable_canvases(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    """Allocate pictures, float32 [count, 256, 256, 1], in MLX and return it with a NumPy view of the same memory.

    What they hold is not defined: write every picture before anything reads the array.

    Raises:
        PenpalError: The process was forked from one that had used MLX.
    """
    return run_on_mlx_thread(lambda: _allocated(count))


def _allocated(count: int) -> tuple[mx.array, NDArray[np.float32]]:
    shape = (count, *CANVAS_SHAPE)
    array = _without_values(shape) if count and mx.default_device() == mx.cpu else mx.zeros(shape, dtype=mx.float32)
    mx.eval(array)
    view = np.array(array, copy=False)
    if not (view.flags.c_contiguous and view.flags.writeable):
        raise RuntimeError(
            "MLX returned memory that cannot be written in place; please report this with your mlx version"
        )
    return array, view


def _without_values(shape: tuple[int, ...]) -> mx.array:
    try:
        loaded = mx.load(cast("BinaryIO", _NothingToRead(shape)), format="npy")
    except (RuntimeError, TypeError, ValueError):  # An MLX that reads files in another way.
        return mx.zeros(shape, dtype=mx.float32)
    if isinstance(loaded, mx.array) and loaded.shape == shape and loaded.dtype == mx.float32:
        return loaded
    return mx.zeros(shape, dtype=mx.float32)


class _NothingToRead:
    """A file in NumPy's format whose values are whatever the memory holds that they are read into."""

    closed = False

    def __init__(self, shape: tuple[int, ...]) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": np.dtype("<f4").str, "fortran_order": False, "shape": shape}
        )
        self._header = header.getvalue()
        self._place = 0

    def tell(self) -> int:
        """Return the place that is read next."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the beginning or from here."""
        self._place = offset if whence == io.SEEK_SET else self._place + offset
        return self._place

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it has places."""
        return True

    def readinto(self, memory: memoryview) -> int:
        """Write what there is of the header into memory, and nothing after it. MLX reads each by itself."""
        part = self._header[self._place : self._place + memory.nbytes]
        if part:
            memory[: len(part)] = part
        else:
            advise(memory)
        self._place += memory.nbytes
        return memory.nbytes
