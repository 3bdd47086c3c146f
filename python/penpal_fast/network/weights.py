"""Tensors in safetensors files, read without trusting the file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import ArrayLike, NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most
from penpal_fast.network.config import Tensors

MAX_WEIGHTS_BYTES = 64 << 20
"""Limit on the file; the bundled model has 150 kB."""

MAX_HEADER_BYTES = 1 << 20
"""Limit on the file's header; the bundled model's has 5 kB."""

MAX_DIMENSIONS = 4

_NUMBER_TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


def read_tensors(path: Path) -> Tensors:
    """Read a safetensors file as float32.

    Raises:
        PenpalError: The file is missing, too large, truncated or corrupted, or has a tensor that is not of floats or
            not finite.
    """
    try:
        content = read_at_most(path, MAX_WEIGHTS_BYTES)
    except OSError as error:
        raise PenpalError(f"{path}: cannot read the weights: {error}") from error
    if content is None:
        raise PenpalError(
            f"{path}: it is larger than {MAX_WEIGHTS_BYTES:,} bytes, too large for the weights of this network"
        )
    return parse_tensors(content, source=str(path))


def parse_tensors(content: bytes, *, source: str) -> Tensors:
    """Parse the content of a safetensors file, as `read_tensors` does; `source` names it in errors."""
    if int.from_bytes(content[:8], "little") > MAX_HEADER_BYTES:
        raise PenpalError(f"{source}: cannot read the weights: its header is longer than {MAX_HEADER_BYTES} bytes")
    try:
        entries = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise PenpalError(f"{source}: cannot read the weights: {error}") from error
    tensors = {}
    for name, entry in entries:
        if name.endswith("num_batches_tracked"):
            continue
        where = f"{source}: tensor {name[:100]!r}"
        values = _float32(entry["dtype"], entry["data"])
        if values is None:
            raise PenpalError(f"{where} is of type {entry['dtype']}; expected one of {[*_NUMBER_TYPES, 'BF16']}")
        if not np.isfinite(values).all():
            raise PenpalError(f"{where} has values that are NaN or infinite in float32")
        if len(entry["shape"]) > MAX_DIMENSIONS or values.size == 0:
            raise PenpalError(f"{where} has the shape {entry['shape'][:20]}, which no layer has")
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def _float32(number_type: str, data: bytes) -> NDArray[np.float32] | None:
    if number_type == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if number_type not in _NUMBER_TYPES:
        return None
    with np.errstate(over="ignore"):
        return np.frombuffer(data, _NUMBER_TYPES[number_type]).astype(np.float32)


def write_tensors(path: Path, tensors: Mapping[str, ArrayLike]) -> None:
    """Write tensors as a float32 safetensors file that MLX loads."""
    arrays = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in tensors.items()}
    check_finite(arrays)
    path.write_bytes(safetensors.numpy.save(arrays, metadata={"format": "mlx"}))


def check_finite(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Make sure that tensors to write can be loaded again.

    Raises:
        PenpalError: One has values that are NaN or infinite.
    """
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise PenpalError(f"the tensor {name!r} has values that are NaN or infinite; nothing is written")


def fingerprint(config: str, tensors: Tensors) -> str:
    """Return the SHA-256 of a model's configuration, as JSON text, and tensors."""
    content = hashlib.sha256(config.encode())
    for name in sorted(tensors):
        content.update(f"{name} {tensors[name].shape}".encode())
        content.update(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())
    return content.hexdigest()
