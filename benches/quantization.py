"""The bundled network with int8 weights and activations, as ONNX Runtime's tools make it.

Weights have a scale for each channel. The stem and the head stay float: an int8 stem takes ONNX Runtime five times as
long as a float one, since it has one channel, and 8 bits of a logit would be too few. Most of a picture is background,
whose rounding adds up: without corrected biases the scores are off by 0.5.
"""

from __future__ import annotations

import dataclasses
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 8
STEM = ["stem", "stem.relu"]
QUANTIZED = ["Conv", "Relu", "Add"]

Ranges = dict[str, tuple[float, float]]
"""Lowest and highest value of what each node puts out, by its name."""


@dataclasses.dataclass(frozen=True)
class Quantized:
    """An int8 ONNX file, and what another engine needs for the same arithmetic.

    Attributes:
        onnx: The file, QDQ: ONNX Runtime and OpenVINO fuse it into int8 operations.
        ranges: Of the nodes of the float network.
        corrections: What the biases of a convolution need besides, by the name of the convolution.
    """

    onnx: bytes
    ranges: Ranges
    corrections: dict[str, np.ndarray]


def integer_scale(low: float, high: float) -> tuple[float, int]:
    """Scale and zero of an int8 tensor for values between `low` and `high`; 0 is always exact."""
    low, high = min(low, 0.0), max(high, 1e-6)
    scale = (high - low) / 255
    return scale, round(-128 - low / scale)


def quantize(model: bytes, pictures: np.ndarray) -> Quantized:
    """Make an ONNX file int8, with the ranges of pictures, float32 [N, 256, 256, 1], that it runs on."""
    ranges, means = outputs_of(model, pictures)
    made, corrections = corrected(quantized_file(model, pictures), means, pictures)
    return Quantized(made, ranges, corrections)


def quantized_file(model: bytes, pictures: np.ndarray) -> Any:
    import onnx
    from onnxruntime import quantization

    class Batches(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = batches_of(pictures)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    # It asks for a preparation that changes nothing here.
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            onnx.load_model_from_string(model),
            made,
            Batches(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED,
            nodes_to_exclude=STEM,
            per_channel=True,
            reduce_range=sums_overflow(),
            weight_type=quantization.QuantType.QInt8,
            activation_type=quantization.QuantType.QUInt8,
        )
        return onnx.load_model(made)


def sums_overflow() -> bool:
    """Whether the processor adds two products of 8 bits in 16: with AVX2 and no VNNI. 7 bits of weights fit."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    return "avx2" in flags and not flags & {"avx512_vnni", "avx_vnni"}


def batches_of(pictures: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(pictures), BATCH):
        yield {"pictures": pictures[start : start + BATCH]}


def session_of(model: Any, outputs: list[str]) -> Any:
    """Make a session that runs only what these outputs need."""
    import onnx
    import onnxruntime

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    del changed.graph.output[:]
    changed.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(changed.SerializeToString(), options, providers=["CPUExecutionProvider"])


def outputs_of(model: bytes, pictures: np.ndarray) -> tuple[Ranges, dict[str, np.ndarray]]:
    """Ranges of what all nodes put out, and of convolutions the mean of each channel."""
    import onnx

    loaded = onnx.load_model_from_string(model)
    names = [node.output[0] for node in loaded.graph.node]
    convolutions = [node.output[0] for node in loaded.graph.node if node.op_type == "Conv"]
    session = session_of(loaded, names)
    ranges, sums = dict.fromkeys(names, (np.inf, -np.inf)), dict.fromkeys(convolutions, 0.0)
    for batch in batches_of(pictures):
        for name, values in zip(names, session.run(names, batch), strict=True):
            low, high = ranges[name]
            ranges[name] = min(low, float(values.min())), max(high, float(values.max()))
            if name in sums:
                sums[name] = sums[name] + values.mean(axis=(2, 3)).sum(axis=0)
    return ranges, {name: total / len(pictures) for name, total in sums.items()}


def corrected(model: Any, means: dict[str, np.ndarray], pictures: np.ndarray) -> tuple[bytes, dict[str, np.ndarray]]:
    """Correct the biases of an int8 file, layer by layer, until the channels have the means of the float network.

    Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019.
    """
    from onnx import numpy_helper

    constants = {constant.name: constant for constant in model.graph.initializer}
    sources = {output: node for node in model.graph.node for output in node.output}
    convolutions = {node.name: node for node in model.graph.node if node.op_type == "Conv"}
    corrections = {}
    for name, mean in means.items():
        if name in STEM:
            continue
        output = convolutions[name].output[0]
        session = session_of(model, [output])
        found = [session.run([output], batch)[0].mean(axis=(2, 3)) for batch in batches_of(pictures)]
        corrections[name] = mean - np.concatenate(found).mean(axis=0)
        integers, scales = (constants[each] for each in sources[convolutions[name].input[2]].input[:2])
        steps = np.rint(corrections[name] / numpy_helper.to_array(scales)).astype(np.int32)
        integers.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(integers) + steps, integers.name))
    return model.SerializeToString(), corrections
