"""Tensors of a reader: which there are, and reading and writing them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import ArrayLike

from penpal_fast.errors import PenpalError
from penpal_fast.network.config import Tensors
from penpal_fast.network.pretrained import find_files
from penpal_fast.network.weights import check_finite, read_tensors
from penpal_fast.reading.bounds import check_bounds
from penpal_fast.reading.config import ReaderConfig

BUNDLED = Path(__file__).parent.parent / "pretrained_reader"
"""Folder of the reader that comes with this package."""


def load(source: str | os.PathLike[str] | None = None, *, revision: str | None = None) -> tuple[ReaderConfig, Tensors]:
    """Load a reader: its configuration, and exactly its tensors, as float32.

    Args:
        source: None for the reader in this package, a folder, or the id of a Hugging Face repository ("owner/name" or
            "owner/name@revision").
        revision: Branch, tag or commit of the repository; None for its main branch.

    Raises:
        PenpalError: The files are not found, cannot be read, do not describe such a network, or
            its numbers are out of bounds.
    """
    config_file, weights_file = find_files(BUNDLED if source is None else source, revision)
    config, tensors = ReaderConfig.from_file(config_file), read_tensors(weights_file)
    expected = expected_shapes(config)
    found = {name: values.shape for name, values in tensors.items()}
    if found != expected:
        raise PenpalError(
            f"{weights_file}: the tensors do not fit a reader of this configuration.\n"
            f"Expected:{_listed(expected, found)}\nFound:{_listed(found, expected)}"
        )
    check_bounds(config, tensors, source=str(weights_file))
    return config, tensors


def write_tensors(path: Path, tensors: Mapping[str, ArrayLike]) -> None:
    """Write tensors as a float16 safetensors file that MLX loads: readings are the same as with float32."""
    with np.errstate(over="ignore"):
        arrays = {name: np.ascontiguousarray(values, dtype=np.float16) for name, values in tensors.items()}
    check_finite(arrays)
    path.write_bytes(safetensors.numpy.save(arrays, metadata={"format": "mlx"}))


def expected_shapes(config: ReaderConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a `ReaderNetwork`."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = config.inputs
    for index, (outputs, kernel) in enumerate(zip(config.stem_channels, config.stem_kernels, strict=True)):
        shapes[f"stem.{index}.weight"] = (outputs, kernel, inputs)
        shapes[f"stem.{index}.bias"] = (outputs,)
        inputs = outputs
    for index in range(len(config.dilations)):
        shapes[f"blocks.{index}.depthwise.weight"] = (inputs, config.block_kernel, 1)
        shapes[f"blocks.{index}.mix.weight"] = (inputs, inputs)
        shapes[f"blocks.{index}.mix.bias"] = (inputs,)
    shapes["head.weight"] = (config.outputs, inputs)
    shapes["head.bias"] = (config.outputs,)
    return shapes


def _listed(shapes: Mapping[str, tuple[int, ...]], others: Mapping[str, tuple[int, ...]]) -> str:
    """Name the shapes that the others do not have."""
    lines = [f"\n  {name[:100]} {list(shape)}" for name, shape in shapes.items() if others.get(name) != shape]
    return "".join(lines[:50]) + (f"\n  and {len(lines) - 50} more" if len(lines) > 50 else "")
