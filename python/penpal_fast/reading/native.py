"""The reader in Rust, for processors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penpal_fast import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penpal_fast.network.config import Tensors
    from penpal_fast.reading.config import ReaderConfig


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
