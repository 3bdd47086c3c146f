"""Model files: any config.json and weights.safetensors are refused, or give a network that scores.

Needs atheris; `fuzz/run SECONDS model_files` runs it. Inputs are random bytes, or the files of a small network
with some changes.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib

import atheris
import numpy as np

with atheris.instrument_imports(include=["penpal_fast.network", "penpal_fast.engines"]):
    from penpal_fast.engines.folding import folded
    from penpal_fast.network.bounds import check_bounds
    from penpal_fast.network.checkpoint import sanitize
    from penpal_fast.network.config import ModelConfig, Tensors
    from penpal_fast.network.layers import tensor_shapes
    from penpal_fast.network.weights import parse_tensors

from penpal_fast import PenpalError
from penpal_fast._core import Rows
from penpal_fast.engines.native import NativeEngine

SCORED = 64
"""One of this many accepted networks scores a row."""

ROWS = Rows([[[(0.0, 9.0), (4.0, 0.0), (8.0, 9.0)], [(2.0, 5.0), (6.0, 5.0)]]])

EXTREMES = [0.0, -1.0, 1e-38, 1e-45, 65504.0, 1e30, -3e38, float("nan"), float("inf"), 1e300]
TYPES = ["F32", "F16", "BF16", "F64", "I64", "F8_E4M3", "BOOL", "F33", ""]
NAMES = ["stem.conv.weight", "blocks.0.conv1.weight", "layer1.0.bn1.running_var", "head.bias", "fc.weight", "blocks.99"]

Entry = dict[str, object]


def small_network(*, batch_norm: bool, projection: bool) -> list[tuple[str, tuple[int, ...]]]:
    """Return the names and shapes of the tensors of a network with few channels."""
    config = ModelConfig(channels=(1, 2), batch_norm=batch_norm, shortcut="projection" if projection else "identity")
    return list(tensor_shapes(config).items())


NETWORKS = [
    small_network(batch_norm=norm, projection=projection) for norm in (True, False) for projection in (True, False)
]


def execute(data: bytes) -> None:
    """Load one model from the input."""
    provider = atheris.FuzzedDataProvider(data)
    if provider.ConsumeBool():
        half = provider.ConsumeIntInRange(0, 200)
        config_text, tensors_file = provider.ConsumeBytes(half), provider.ConsumeBytes(400)
    else:
        config_text, tensors_file = changed_config(provider), changed_tensors(provider)
    try:
        config = ModelConfig.from_json(config_text, source="config.json")
        tensors = parse_tensors(tensors_file, source="weights.safetensors")
        config, tensors = sanitize(tensors, config, source="weights.safetensors")
        check_bounds(config, tensors, source="weights.safetensors")
    except PenpalError as error:
        if len(str(error)) > 20_000:
            raise AssertionError("the message is too long to read") from error
        return
    check_network(config, tensors, scored=zlib.crc32(data) % SCORED == 0)


def check_network(config: ModelConfig, tensors: Tensors, *, scored: bool) -> None:
    """Check an accepted network."""
    shapes = {name: values.shape for name, values in tensors.items()}
    assert shapes == tensor_shapes(config)
    network = folded(config, tensors)
    layers = [network.stem, *(layer for block in network.blocks for layer in block if layer is not None)]
    assert all(np.isfinite(values).all() for layer in layers for values in layer)
    if scored:
        quality, problems = NativeEngine(config, tensors, threads=1).score(ROWS)
        assert not problems
        assert 0 <= quality[0] <= 1


def changed_config(provider: atheris.FuzzedDataProvider) -> bytes:
    """Return a configuration with some changed fields."""
    content: Entry = {"canvas": 256, "padding": 12, "line_width": 1.5, "channels": [1, 2]}
    for _ in range(provider.ConsumeIntInRange(0, 2)):
        key = provider.PickValueInList([*content, "shortcut", "batch_norm", "batch_norm_epsilon", "model_type"])
        content[key] = any_value(provider)
    text = json.dumps(content).encode()
    return text[: provider.ConsumeIntInRange(0, len(text))] if provider.ConsumeProbability() > 0.95 else text


def any_value(provider: atheris.FuzzedDataProvider) -> object:
    """Return a JSON value that is often valid."""
    match provider.ConsumeIntInRange(0, 8):
        case 0:
            return provider.ConsumeInt(9)
        case 1:
            return provider.ConsumeFloat()
        case 2:
            return [provider.ConsumeInt(2) for _ in range(provider.ConsumeIntInRange(0, 5))]
        case 3:
            return provider.ConsumeUnicode(8)
        case 4:
            return provider.PickValueInList(["identity", "projection"])
        case 5:
            return provider.ConsumeBool()
        case 6:
            return provider.PickValueInList([256, 12, 1e-5, 1e-300, 10**400, None, {}, [[]]])
        case _:
            return provider.ConsumeIntInRange(0, 300)


def changed_tensors(provider: atheris.FuzzedDataProvider) -> bytes:
    """Return the safetensors file of a small network with some changed tensors and header entries."""
    network = provider.PickValueInList(NETWORKS)
    header: dict[str, object] = {}
    data = b""
    changed = {provider.ConsumeIntInRange(0, 40) for _ in range(provider.ConsumeIntInRange(0, 4))}
    for index, (name, shape) in enumerate(network):
        kind, values = "F32", np.full(shape, 0.5, dtype=np.float32)
        if index in changed:
            name, shape, kind = changed_entry(provider, name, shape)
            values = np.full(
                min(int(np.prod(np.abs(shape[:3]), dtype=np.float64)), 64), any_number(provider), np.float32
            )
        content = values.tobytes()
        entry = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        if index + 20 in changed:
            entry["data_offsets"] = [provider.ConsumeInt(2), provider.ConsumeInt(5)]
        header[name] = entry
        data += content
    text = json.dumps(header).encode()
    length = provider.ConsumeInt(8) % (1 << 64) if provider.ConsumeIntInRange(0, 20) == 20 else len(text)
    file = struct.pack("<Q", length) + text + data
    return file[: provider.ConsumeIntInRange(0, len(file))] if provider.ConsumeIntInRange(0, 20) == 20 else file


def any_number(provider: atheris.FuzzedDataProvider) -> np.float32:
    """Return a number to fill a tensor with."""
    with np.errstate(over="ignore"):
        value = provider.PickValueInList(EXTREMES) if provider.ConsumeBool() else provider.ConsumeRegularFloat()
        return np.float32(value)


def changed_entry(
    provider: atheris.FuzzedDataProvider, name: str, shape: tuple[int, ...]
) -> tuple[str, tuple[int, ...], str]:
    """Return another name, shape or type for a tensor."""
    kind = "F32"
    match provider.ConsumeIntInRange(0, 4):
        case 0:
            name = provider.PickValueInList(NAMES)
        case 1:
            name = provider.ConsumeUnicode(12) + name[provider.ConsumeIntInRange(0, len(name)) :]
        case 2:
            shape = tuple(abs(provider.ConsumeInt(3)) for _ in range(provider.ConsumeIntInRange(0, 6)))
        case 3:
            kind = provider.PickValueInList(TYPES)
    return name, shape, kind


if __name__ == "__main__":
    atheris.Setup(sys.argv, execute)
    atheris.Fuzz()
