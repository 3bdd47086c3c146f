"""Limits on a network's numbers and work, so that every row that can be drawn gets a finite score in bounded time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.layers import Convolution, layers

LARGEST = 1e36
"""Limit on weights, sums and activations. float32 ends at 3.4e38, which leaves room for kernels to add in any
order."""

MAX_MULTIPLICATIONS = 16e9
"""Limit for one picture: about a thousand times the bundled network, or seconds on one thread."""


def check_bounds(config: ModelConfig, tensors: Tensors, *, source: str) -> None:
    """Check that scores stay finite and take bounded time, whatever the picture.

    Args:
        config: Configuration of the network.
        tensors: Its tensors, named as in `QualityClassifier`.
        source: Name of the checkpoint, for errors.

    Raises:
        PenpalError: Activations may leave the range of float32, or one picture takes too many multiplications.
    """
    multiplications = sum(layer.side**2 * layer.outputs * layer.kernel**2 * layer.inputs for layer in layers(config))
    if multiplications > MAX_MULTIPLICATIONS:
        raise PenpalError(
            f"{source}: the network takes {multiplications:.2g} multiplications for a picture; "
            f"at most {MAX_MULTIPLICATIONS:.2g} are accepted"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        check_largest(_largest(config, tensors), source=source)


def check_largest(largest: float, *, source: str) -> None:
    """Check a bound of all weights, sums and activations, which may be NaN.

    Raises:
        PenpalError: It is beyond the limit.
    """
    if not largest < LARGEST:
        raise PenpalError(f"{source}: the weights are so large that scores could leave the range of float32")


def _largest(config: ModelConfig, tensors: Tensors) -> float:
    """Return a bound of all weights, sums and activations, for pixels from 0 to 1."""
    bounds: list[NDArray[np.float64]] = []

    def bound(layer: Convolution, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the bounds of the output channels, given the bounds of the input channels."""
        weight = np.abs(tensors[f"{layer.name}.weight"].astype(np.float64))
        outputs = weight.sum(axis=(1, 2)) @ inputs
        if config.batch_norm:
            # Both forms: one step of batch norm after another, as in MLX, and folded into the weights.
            deviation = np.sqrt(tensors[f"{layer.norm}.running_var"].astype(np.float64) + config.batch_norm_epsilon)
            scale = np.abs(tensors[f"{layer.norm}.weight"]) / deviation
            weight = weight * scale[:, None, None, None]
            centred = outputs + np.abs(tensors[f"{layer.norm}.running_mean"])
            bounds.extend([centred, centred / deviation])
            outputs = centred * scale + np.abs(tensors[f"{layer.norm}.bias"])
        else:
            outputs = outputs + np.abs(tensors[f"{layer.name}.bias"])
        bounds.extend([weight.ravel(), outputs])
        return outputs

    network = layers(config)
    x = bound(network.stem, np.ones(1))
    for block in network.blocks:
        y = bound(block.second, bound(block.first, x))
        x = y + (bound(block.shortcut, x) if block.shortcut else np.pad(x, (0, len(y) - len(x))))
        bounds.append(x)
    bounds.append(np.abs(tensors["head.weight"].astype(np.float64)) @ x + np.abs(tensors["head.bias"]))
    return float(max(bound.max() for bound in bounds))
