"""Batch norm folded into the convolutions before it, for engines that only score."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.layers import Convolution, layers

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights, flattened from [outputs, height, width, inputs], and bias [outputs]."""


@dataclasses.dataclass(frozen=True)
class FoldedNetwork:
    """A network whose convolutions have biases and no batch norm.

    Attributes:
        stem: The first convolution.
        blocks: For each block its two convolutions, and that of its shortcut, None for an identity shortcut.
        head_weight: Weights of the linear unit, [channels].
        head_bias: Bias of the linear unit.
    """

    stem: Layer
    blocks: list[tuple[Layer, Layer, Layer | None]]
    head_weight: NDArray[np.float32]
    head_bias: float


def folded(config: ModelConfig, tensors: Tensors) -> FoldedNetwork:
    """Fold a network whose tensors are named as in `QualityClassifier`. Computed in float64."""

    def fold(layer: Convolution) -> Layer:
        weight = tensors[f"{layer.name}.weight"].astype(np.float64)
        if config.batch_norm:
            variance = tensors[f"{layer.norm}.running_var"].astype(np.float64)
            scale = tensors[f"{layer.norm}.weight"] / np.sqrt(variance + config.batch_norm_epsilon)
            weight = weight * scale[:, None, None, None]
            bias = tensors[f"{layer.norm}.bias"] - tensors[f"{layer.norm}.running_mean"] * scale
        else:
            bias = tensors[f"{layer.name}.bias"].astype(np.float64)
        return weight.astype(np.float32).ravel(), bias.astype(np.float32)

    network = layers(config)
    return FoldedNetwork(
        stem=fold(network.stem),
        blocks=[
            (fold(block.first), fold(block.second), fold(block.shortcut) if block.shortcut else None)
            for block in network.blocks
        ],
        head_weight=np.ascontiguousarray(tensors["head.weight"][0]),
        head_bias=float(tensors["head.bias"][0]),
    )
