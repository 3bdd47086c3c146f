"""Limits on a reader's numbers and work, so that every row gets finite scores in bounded time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.network.bounds import MAX_MULTIPLICATIONS, check_largest
from penpal_fast.network.config import Tensors
from penpal_fast.path_reference import MAX_SAMPLES, REACH
from penpal_fast.reading.config import ReaderConfig


def check_bounds(config: ReaderConfig, tensors: Tensors, *, source: str) -> None:
    """Check that scores stay finite and take bounded time, whatever the row.

    Args:
        config: Configuration of the reader.
        tensors: Its tensors, named as in `ReaderNetwork`.
        source: Name of the weights, for errors.

    Raises:
        PenpalError: Activations may leave the range of float32, or the longest row takes too many multiplications.
    """
    multiplications = config.multiplications(MAX_SAMPLES)
    if multiplications > MAX_MULTIPLICATIONS:
        raise PenpalError(
            f"{source}: the reader takes {multiplications:.2g} multiplications for the longest row; "
            f"at most {MAX_MULTIPLICATIONS:.2g} are accepted"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        check_largest(_largest(config, tensors), source=source)


def _largest(config: ReaderConfig, tensors: Tensors) -> float:
    """Return a bound of all weights, sums and activations."""
    size = {name: np.abs(values.astype(np.float64)) for name, values in tensors.items()}
    bounds: list[NDArray[np.float64]] = [values.ravel() for values in size.values()]
    x = np.full(config.inputs, REACH)  # No number of a sample is larger.
    for index in range(len(config.stem_channels)):
        x = size[f"stem.{index}.weight"].sum(axis=1) @ x + size[f"stem.{index}.bias"]
        bounds.append(x)
    for index in range(len(config.dilations)):
        seen = size[f"blocks.{index}.depthwise.weight"].sum(axis=(1, 2)) * x
        mixed = size[f"blocks.{index}.mix.weight"] @ seen + size[f"blocks.{index}.mix.bias"]
        x = x + mixed
        bounds.extend([seen, mixed, x])
    bounds.append(size["head.weight"] @ x + size["head.bias"])
    return float(max(bound.max() for bound in bounds))
