"""Tensors of a model: reading them safely, and giving them the names and layout of `QualityClassifier`."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import ArrayLike, NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most
from penpal_fast.network.bounds import check_bounds
from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.layers import tensor_shapes
from penpal_fast.network.pretrained import ModelFiles

MAX_WEIGHTS_BYTES = 64 << 20
"""A model of this kind has some 150 kB; a file beyond this limit is not one."""

MAX_HEADER_BYTES = 1 << 20
"""The names, types and shapes of a model of this kind take some 5 kB."""

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
        raise PenpalError(f"{path}: larger than {MAX_WEIGHTS_BYTES} bytes, so not the weights of this network")
    return parse_tensors(content, source=str(path))


def parse_tensors(content: bytes, *, source: str) -> Tensors:
    """Read the content of a safetensors file, as `read_tensors` does; `source` names it in errors."""
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
        values = _float32(entry["dtype"], entry["data"])
        if values is None:
            expected = [*_NUMBER_TYPES, "BF16"]
            raise PenpalError(
                f"{source}: tensor {name[:100]!r} is of type {entry['dtype']}; expected one of {expected}"
            )
        if not np.isfinite(values).all():
            raise PenpalError(f"{source}: tensor {name[:100]!r} has values that are NaN or infinite in float32")
        if len(entry["shape"]) > MAX_DIMENSIONS or values.size == 0:
            raise PenpalError(
                f"{source}: tensor {name[:100]!r} has the shape {entry['shape'][:20]}, which no layer has"
            )
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def _float32(number_type: str, data: bytes) -> NDArray[np.float32] | None:
    if number_type == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if number_type not in _NUMBER_TYPES:
        return None
    with np.errstate(over="ignore"):
        return np.frombuffer(data, _NUMBER_TYPES[number_type]).astype(np.float32)


def load(files: ModelFiles) -> tuple[ModelConfig, Tensors]:
    """Read a model: its configuration, and exactly the tensors of a `QualityClassifier` of that configuration.

    Raises:
        PenpalError: The files cannot be read or do not describe such a network.
    """
    return checked(read_tensors(files.weights), ModelConfig.from_file(files.config), source=str(files.weights))


def checked(tensors: Tensors, config: ModelConfig, *, source: str) -> tuple[ModelConfig, Tensors]:
    """Do as `sanitize`, and make sure that the network gives every picture a score in bounded time.

    Raises:
        PenpalError: It does not.
    """
    config, tensors = sanitize(tensors, config, source=source)
    check_bounds(config, tensors, source=source)
    return config, tensors


def fingerprint(config: ModelConfig, tensors: Tensors) -> str:
    """Return a SHA-256 that differs for models that differ."""
    content = hashlib.sha256(config.to_json().encode())
    for name in sorted(tensors):
        content.update(f"{name} {tensors[name].shape}".encode())
        content.update(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())
    return content.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, ArrayLike]) -> None:
    """Write tensors as a float32 safetensors file that MLX loads."""
    arrays = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in tensors.items()}
    path.write_bytes(safetensors.numpy.save(arrays, metadata={"format": "mlx"}))


def sanitize(tensors: Tensors, config: ModelConfig, *, source: str) -> tuple[ModelConfig, Tensors]:
    """Give a checkpoint the names and layout of `QualityClassifier`, whatever it was saved from.

    Understood are: the usual names of a residual network (stem or conv1; blocks, layers or stages, counted from 0 or 1;
    conv1, bn1 or norm1; shortcut, downsample, projection or skip; head, fc or classifier), nested in any containers;
    convolutions as MLX has them (O, H, W, I) or as torch has them (O, I, H, W); batch norm that was folded into biased
    convolutions, and biased convolutions before batch norm; and shortcuts with a 1x1 convolution or without parameters.

    Args:
        tensors: The checkpoint's tensors.
        config: The checkpoint's configuration. Its channels, shortcut and batch norm are replaced by what the tensors
            show.
        source: Name of the checkpoint, for errors.

    Returns:
        The configuration that fits the tensors, and exactly the tensors that its model has.

    Raises:
        PenpalError: The tensors are not those of such a network; the error lists what was expected and what was found.
    """
    named = _canonical_names(tensors)
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


# Containers that frameworks put around the modules of a network; they say nothing about which module it is.
_CONTAINERS = re.compile(
    r"\b(model|module|net|network|backbone|encoder|features|modules|_orig_mod)\.|\.layers\b(?=\.\d)"
)
_BLOCK = re.compile(r"(?:blocks|layers|stages|block|layer|stage|res|resblocks)[._]?(\d{1,4})\.(?:0\.)?(.+)")
_STEM_CONV = re.compile(r"(?:stem\.)?(?:conv1?|conv_in|0|stem|stem_conv)")
_STEM_NORM = re.compile(r"(?:stem\.)?(?:norm1?|bn1?|batch_?norm1?|1|stem_(?:norm|bn))")
_CONV = re.compile(r"conv_?([12])")
_NORM = re.compile(r"(?:norm|bn|batch_?norm)_?([12])")
_SHORTCUT_CONV = re.compile(r"(?:shortcut|downsample|projection|proj|skip)(?:\.(?:conv\d?|0|proj))?")
_SHORTCUT_NORM = re.compile(r"(?:shortcut|downsample|projection|proj|skip)(?:\.(?:norm\d?|bn\d?|1)|_(?:norm|bn))")
_HEAD = re.compile(r"(?:head|fc|linear|classifier|output|out)(?:\.(?:\d|fc|linear))?")


def _canonical_names(tensors: Tensors) -> Tensors | None:
    """Rename to the names of `QualityClassifier`, or return None if a name is not understood or two become one."""
    parts = {name: _CONTAINERS.sub("", name).rpartition(".") for name in tensors}
    block_numbers = {int(match[1]) for module, _, _ in parts.values() if (match := _BLOCK.fullmatch(module))}
    block_index = {number: index for index, number in enumerate(sorted(block_numbers))}
    named: Tensors = {}
    for name, values in tensors.items():
        module, _, parameter = parts[name]
        module_name = _canonical_module(module, block_index)
        parameter = {"gamma": "weight", "beta": "bias"}.get(parameter, parameter)
        if module_name is None or f"{module_name}.{parameter}" in named:
            return None
        named[f"{module_name}.{parameter}"] = values
    return named


def _canonical_module(module: str, block_index: dict[int, int]) -> str | None:
    if block := _BLOCK.fullmatch(module):
        inner = _canonical_block_module(block[2])
        return inner and f"blocks.{block_index[int(block[1])]}.{inner}"
    if _STEM_CONV.fullmatch(module):
        return "stem.conv"
    if _STEM_NORM.fullmatch(module):
        return "stem.norm"
    return "head" if _HEAD.fullmatch(module) else None


def _canonical_block_module(module: str) -> str | None:
    if match := _CONV.fullmatch(module):
        return f"conv{match[1]}"
    if match := _NORM.fullmatch(module):
        return f"norm{match[1]}"
    if _SHORTCUT_NORM.fullmatch(module):
        return "shortcut.norm"
    return "shortcut.conv" if _SHORTCUT_CONV.fullmatch(module) else None


def _mlx_layout(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a torch convolution (O, I, H, W) into MLX's (O, H, W, I); kernels are square, of 3 or of 1."""
    if values.ndim != 4 or values.shape[1] == values.shape[2]:
        return values
    return values.transpose(0, 2, 3, 1)


def _channels(tensors: Tensors) -> tuple[int, ...] | None:
    """Channels of the stem and the blocks, or None if there is no stem or a shape is not a convolution's."""
    blocks = itertools.takewhile(tensors.__contains__, (f"blocks.{index}.conv1.weight" for index in itertools.count()))
    names = ["stem.conv.weight", *blocks]
    if "stem.conv.weight" not in tensors or any(tensors[name].ndim != 4 for name in names):
        return None
    found = tuple(tensors[name].shape[0] for name in names)
    return found if len(found) > 1 and all(1 <= count <= 1024 for count in found) else None


def _without_biases_before_norm(tensors: Tensors) -> Tensors:
    """Move the bias of a convolution that batch norm follows into the norm's mean, where it has the same effect."""
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

    expected = tensor_shapes(config)
    found = {name: values.shape for name, values in tensors.items()}
    return PenpalError(
        f"{source}: the tensors are not those of a quality network (rename them, or adapt "
        f"penpal_fast.network.weights.sanitize).\nExpected:{listed(expected)}\nFound:{listed(found)}"
    )
