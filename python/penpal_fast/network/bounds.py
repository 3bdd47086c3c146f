"""Whether a network's numbers stay finite and its work affordable, whatever picture it sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.canvas import SIDE
from penpal_fast.errors import PenpalError
from penpal_fast.network.config import ModelConfig, Tensors

LARGEST = 1e36
"""No weight, sum or activation may be able to reach it: float32 ends at 3.4e38, and kernels add in any order."""

MOST_MULTIPLICATIONS = 16e9
"""For one picture, some thousand times those of the bundled network: seconds on one thread."""


def check_bounds(config: ModelConfig, tensors: Tensors, *, source: str) -> None:
    """Make sure that every row that can be drawn gets a score, in bounded time.

    Args:
        config: What the network is.
        tensors: Its tensors, named as in `QualityClassifier`.
        source: Name of the checkpoint, for errors.

    Raises:
        PenpalError: Activations may leave the range of float32, or one picture takes too many multiplications.
    """
    multiplications = _multiplications(config)
    if multiplications > MOST_MULTIPLICATIONS:
        raise PenpalError(
            f"{source}: the network multiplies {multiplications:.2g} times for a picture; "
            f"at most {MOST_MULTIPLICATIONS:.2g} are accepted"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        largest = _largest(config, tensors)
    if not largest < LARGEST:
        raise PenpalError(f"{source}: the weights are so large that scores could leave the range of float32")


def _multiplications(config: ModelConfig) -> float:
    side = SIDE / 2
    count = 9 * side**2 * config.channels[0]
    for inputs, outputs in zip(config.channels, config.channels[1:], strict=False):
        side = np.ceil(side / 2)
        count += side**2 * outputs * (9 * inputs + 9 * outputs + inputs * (config.shortcut == "projection"))
    return float(count)


def _largest(config: ModelConfig, tensors: Tensors) -> float:
    """Bound of all weights, sums and activations, for pixels from 0 to 1."""
    bounds: list[NDArray[np.float64]] = []

    def layer(conv: str, norm: str, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bounds of the output channels, from those of the input channels."""
        weight = np.abs(tensors[f"{conv}.weight"].astype(np.float64))
        outputs = weight.sum(axis=(1, 2)) @ inputs
        if config.batch_norm:
            # One step of batch norm after another, as MLX takes them, and folded into the weights.
            deviation = np.sqrt(tensors[f"{norm}.running_var"].astype(np.float64) + config.batch_norm_epsilon)
            scale = np.abs(tensors[f"{norm}.weight"]) / deviation
            weight = weight * scale[:, None, None, None]
            centred = outputs + np.abs(tensors[f"{norm}.running_mean"])
            bounds.extend([centred, centred / deviation])
            outputs = centred * scale + np.abs(tensors[f"{norm}.bias"])
        else:
            outputs = outputs + np.abs(tensors[f"{conv}.bias"])
        bounds.extend([weight.ravel(), outputs])
        return outputs

    x = layer("stem.conv", "stem.norm", np.ones(1))
    for index in range(len(config.channels) - 1):
        block = f"blocks.{index}"
        y = layer(f"{block}.conv1", f"{block}.norm1", x)
        y = layer(f"{block}.conv2", f"{block}.norm2", y)
        if config.shortcut == "projection":
            x = y + layer(f"{block}.shortcut.conv", f"{block}.shortcut.norm", x)
        else:
            x = y + np.pad(x, (0, len(y) - len(x)))
        bounds.append(x)
    bounds.append(np.abs(tensors["head.weight"].astype(np.float64)) @ x + np.abs(tensors["head.bias"]))
    return float(max(bound.max() for bound in bounds))
