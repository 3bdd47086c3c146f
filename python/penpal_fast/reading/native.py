"""The reader in Rust, for processors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penpal_fast import _core
from penpal_fast.engines.pieces import pieces
from penpal_fast.reading.engine import Readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penpal_fast.network.config import Tensors
    from penpal_fast.reading.alphabet import Texts
    from penpal_fast.reading.config import ReaderConfig


class NativeReadingEngine:
    """Reads one row at a time on each thread."""

    def __init__(self, config: ReaderConfig, tensors: Tensors, *, threads: int) -> None:
        """Take tensors named as in `ReaderNetwork`, and the number of threads (0 for one for each processor)."""
        self._threads = threads
        self.reader = native_reader(config, tensors)

    def read(self, rows: _core.Rows, texts: Texts | None) -> Readings:
        """Read rows; see `ReadingEngine.read`."""
        read = []
        for start, count in pieces(len(rows)):
            part = None if texts is None else texts.part(start, count)
            read.append(Readings(*self.reader.read(rows, start, count, part, self._threads)))
        return Readings.joined(read)


def native_reader(config: ReaderConfig, tensors: Tensors) -> _core.Reader:
    """Arrange the tensors of a `ReaderNetwork` for reading."""

    def flat(name: str) -> NDArray[np.float32]:
        return np.ascontiguousarray(tensors[name], dtype=np.float32).ravel()

    stem = [
        (kernel, stride, flat(f"stem.{index}.weight"), flat(f"stem.{index}.bias"))
        for index, (kernel, stride) in enumerate(zip(config.stem_kernels, config.stem_strides, strict=True))
    ]
    blocks = [
        (
            dilation,
            flat(f"blocks.{index}.depthwise.weight"),
            flat(f"blocks.{index}.mix.weight"),
            flat(f"blocks.{index}.mix.bias"),
        )
        for index, dilation in enumerate(config.dilations)
    ]
    return _core.Reader(stem, blocks, (flat("head.weight"), flat("head.bias")))
