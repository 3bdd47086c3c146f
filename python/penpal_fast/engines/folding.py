"""Batch norm folded into the convolutions before it, for engines that only score."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penpal_fast.network.config import ModelConfig, Tensors

Layer = tuple["NDArray[np.float32]", "NDArray[np.float32]"]
"""Weights, flattened from [outputs, height, width, inputs], and bias [outputs]."""


@dataclasses.dataclass(frozen=True)
class FoldedNetwork:
    """A network of nothing but convolutions with biases, rectifiers and shortcuts.

    Attributes:
        stem: The first convolution.
        blocks: For each block its first and second convolution, and the projection of its shortcut if it has one.
        head_weight: Weights of the linear unit, [channels].
        head_bias: Its bias.
    """

    stem: Layer
    blocks: list[tuple[Layer, Layer, Layer | None]]
    head_weight: NDArray[np.float32]
    head_bias: float


def folded(config: ModelConfig, tensors: Tensors) -> FoldedNetwork:
    """Fold a network whose tensors are named as in `QualityClassifier`."""

    def layer(conv: str, norm: str) -> Layer:
        weight = tensors[f"{conv}.weight"].astype(np.float64)
        if config.batch_norm:
            variance = tensors[f"{norm}.running_var"].astype(np.float64)
            scale = tensors[f"{norm}.weight"] / np.sqrt(variance + config.batch_norm_epsilon)
            weight = weight * scale[:, None, None, None]
            bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
        else:
            bias = tensors[f"{conv}.bias"].astype(np.float64)
        return weight.astype(np.float32).ravel(), bias.astype(np.float32)

    blocks = []
    for index in range(len(config.channels) - 1):
        block = f"blocks.{index}"
        projection = config.shortcut == "projection"
        blocks.append(
            (
                layer(f"{block}.conv1", f"{block}.norm1"),
                layer(f"{block}.conv2", f"{block}.norm2"),
                layer(f"{block}.shortcut.conv", f"{block}.shortcut.norm") if projection else None,
            )
        )
    return FoldedNetwork(
        stem=layer("stem.conv", "stem.norm"),
        blocks=blocks,
        head_weight=np.ascontiguousarray(tensors["head.weight"][0]),
        head_bias=float(tensors["head.bias"][0]),
    )
