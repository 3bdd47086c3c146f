"""Checkpoints from other libraries, brought to the names and layout of `QualityClassifier`."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.layers import tensor_shapes
from penpal_fast.network.names import canonical_names


def sanitize(tensors: Tensors, config: ModelConfig, *, source: str) -> tuple[ModelConfig, Tensors]:
    """Give a checkpoint the names and layout of `QualityClassifier`.

    Accepted are the usual names of a residual network (stem or conv1; blocks, layers or stages, counted from 0 or 1;
    conv1, bn1 or norm1; shortcut, downsample, projection or skip; head, fc or classifier), inside any containers;
    convolutions as in MLX (O, H, W, I) or torch (O, I, H, W); batch norm, batch norm after biased convolutions, and
    batch norm folded into biased convolutions; and shortcuts with a 1x1 convolution or without parameters.

    Args:
        tensors: Tensors of the checkpoint.
        config: Configuration of the checkpoint. The tensors decide its channels, shortcut and batch norm.
        source: Name of the checkpoint, for errors.

    Returns:
        The configuration that fits the tensors, and exactly the tensors of that network.

    Raises:
        PenpalError: The tensors do not describe such a network; the error lists the expected and the found tensors.
    """
    named = canonical_names(tensors)
    if named is None:
        raise _mismatch(source, config, tensors)
    named = {name: _mlx_layout(values) for name, values in named.items()}
    config = dataclasses.replace(
        config,
        channels=_channels(named) or config.channels,
        shortcut="projection" if "blocks.0.shortcut.conv.weight" in named else "identity",
        batch_norm="stem.norm.running_mean" in named,
    )
    if config.batch_norm:
        named = _without_biases_before_norm(named)
    if {name: values.shape for name, values in named.items()} != tensor_shapes(config):
        raise _mismatch(source, config, tensors)
    for name, values in named.items():
        if name.endswith("running_var") and (values < 0).any():
            raise PenpalError(f"{source}: {name} has a negative variance")
    return config, named


def _mlx_layout(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a torch convolution (O, I, H, W) into MLX's (O, H, W, I); kernels are square."""
    if values.ndim != 4 or values.shape[1] == values.shape[2]:
        return values
    return values.transpose(0, 2, 3, 1)


def _channels(tensors: Tensors) -> tuple[int, ...] | None:
    """Return the channels of the stem and the blocks; None without a stem or if a shape is not a convolution's."""
    blocks = itertools.takewhile(tensors.__contains__, (f"blocks.{index}.conv1.weight" for index in itertools.count()))
    names = ["stem.conv.weight", *blocks]
    if "stem.conv.weight" not in tensors or any(tensors[name].ndim != 4 for name in names):
        return None
    found = tuple(tensors[name].shape[0] for name in names)
    return found if len(found) > 1 and all(1 <= count <= 1024 for count in found) else None


def _without_biases_before_norm(tensors: Tensors) -> Tensors:
    """Move the bias of a convolution into the mean of the batch norm after it, where it has the same effect."""
    tensors = dict(tensors)
    for name in list(tensors):
        module, _, parameter = name.rpartition(".")
        mean = f"{module.replace('conv', 'norm')}.running_mean"
        if parameter == "bias" and "conv" in module and mean in tensors and tensors[mean].shape == tensors[name].shape:
            tensors[mean] = tensors[mean] - tensors.pop(name)
    return tensors


def _mismatch(source: str, config: ModelConfig, tensors: Tensors) -> PenpalError:
    def listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
        lines = [f"\n  {name[:100]} {list(shape)}" for name, shape in sorted(shapes.items())]
        return "".join(lines[:100]) + (f"\n  and {len(lines) - 100} more" if len(lines) > 100 else "")

    found = {name: values.shape for name, values in tensors.items()}
    return PenpalError(
        f"{source}: the tensors do not fit a quality network (rename them, or adapt "
        f"penpal_fast.network.checkpoint.sanitize).\nExpected:{listed(tensor_shapes(config))}\nFound:{listed(found)}"
    )
