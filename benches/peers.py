"""The same network, with the same weights, in other engines.

A network is a function from pictures, float32 [B, 256, 256, 1], to logits [B]. Making one raises ImportError where its
package is not installed.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import litert
import onnx_file
import quantization
from penpal_fast import QualityClassifier, render_into
from weights import bundled, unflattened

Network = Callable[[np.ndarray], np.ndarray]


def pictures_of(rows: pa.Array) -> np.ndarray:
    """Draw rows as the network sees them: float32 [N, 256, 256, 1]."""
    pictures = np.empty((len(rows), 256, 256, 1), np.float32)
    render_into(rows, pictures, line_width=bundled()[0].line_width)
    return pictures


def last_pictures(lines: Path, rows: int) -> np.ndarray:
    """Draw the last rows of a file, which a benchmark of the first ones has not seen."""
    return pictures_of(pq.read_table(lines, columns=["strokes"])["strokes"][-rows:].combine_chunks())


class Files:
    """The network as files of other engines, made when they are first asked for.

    `pictures`, float32 [N, 256, 256, 1], give the int8 networks their ranges.
    """

    def __init__(self, pictures: np.ndarray) -> None:
        self._pictures = pictures

    @functools.cached_property
    def onnx(self) -> bytes:
        return onnx_file.onnx_bytes()

    @functools.cached_property
    def litert(self) -> bytes:
        return litert.model_bytes()

    @functools.cached_property
    def onnx_int8(self) -> bytes:
        return self._quantized.onnx

    @functools.cached_property
    def litert_int8(self) -> bytes:
        return litert.model_bytes(self._quantized)

    @functools.cached_property
    def _quantized(self) -> quantization.Quantized:
        return quantization.quantize(self.onnx, self._pictures)


@dataclasses.dataclass(frozen=True)
class Peer:
    """Another engine.

    Attributes:
        make: Takes the file and a number of threads.
        file: Which one of `Files`; engines without files take None.
        package: What pip installs.
        int8: Weights and activations have 8 bits, so the scores differ.
        many: Several networks may run at the same time.
    """

    make: Callable[[bytes | None, int], Network]
    file: str | None
    package: str
    int8: bool = False
    many: bool = True

    def networks(self, files: Files, threads: int, *, together: bool = False) -> list[Network]:
        """Make what keeps this many threads busy: a network for each of them, or one that all work in `together`."""
        file = self.file and getattr(files, self.file)
        if together or not self.many:
            return [self.make(file, threads)]
        return [self.make(file, 1) for _ in range(threads)]


def onnx_runtime(file: bytes | None, threads: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"pictures": pictures})[0]


def openvino(file: bytes | None, threads: int) -> Network:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(file), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda pictures: request.infer({"pictures": pictures})["logits"].copy()


def litert_xnnpack(file: bytes | None, threads: int) -> Network:
    from ai_edge_litert.interpreter import Interpreter

    @functools.cache
    def prepared(batch: int):
        interpreter = Interpreter(model_content=file, num_threads=threads)
        source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        interpreter.resize_tensor_input(source, [batch, 256, 256, 1])
        interpreter.allocate_tensors()
        return interpreter, source, result

    def run(pictures: np.ndarray) -> np.ndarray:
        interpreter, source, result = prepared(len(pictures))
        interpreter.set_tensor(source, pictures)
        interpreter.invoke()
        return interpreter.get_tensor(result)[:, 0]

    return run


def pytorch(_file: bytes | None, threads: int) -> Network:
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    config, network = bundled()

    def tensors(layer, inputs):
        weights, bias = unflattened(layer, inputs)
        oihw = torch.from_numpy(weights).permute(0, 3, 1, 2)
        return oihw.contiguous(memory_format=torch.channels_last), torch.from_numpy(bias)

    stem = tensors(network.stem, 1)
    widths = zip(config.channels, config.channels[1:], network.blocks, strict=False)
    blocks = [
        (tensors(first, i), tensors(second, o), projection and tensors(projection, i), o - i)
        for i, o, (first, second, projection) in widths
    ]
    head = torch.from_numpy(network.head_weight)

    @torch.inference_mode()
    def run(pictures):
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        x = functional.relu_(functional.conv2d(x, *stem, stride=2, padding=1))
        for first, second, projection, more in blocks:
            y = functional.relu_(functional.conv2d(x, *first, stride=2, padding=1))
            y = functional.conv2d(y, *second, padding=1)
            half = x[:, :, ::2, ::2]
            around = functional.conv2d(half, *projection) if projection else functional.pad(half, (0,) * 5 + (more,))
            x = functional.relu_(y + around)
        return (x.mean(dim=(2, 3)) @ head + network.head_bias).numpy()

    return run


def mlx(_file: bytes | None, _threads: int) -> Network:
    """MLX chooses its threads itself; its convolution uses one on a CPU."""
    import mlx.core as mx

    model = QualityClassifier.from_pretrained()
    return lambda pictures: np.array(model(mx.array(pictures)))


PEERS = {
    "ONNX Runtime": Peer(onnx_runtime, "onnx", "onnx onnxruntime"),
    "ONNX Runtime, int8": Peer(onnx_runtime, "onnx_int8", "onnx onnxruntime", int8=True),
    "LiteRT": Peer(litert_xnnpack, "litert", "ai-edge-litert"),
    "LiteRT, int8": Peer(litert_xnnpack, "litert_int8", "ai-edge-litert onnx onnxruntime", int8=True),
    "OpenVINO": Peer(openvino, "onnx", "openvino onnx"),
    "OpenVINO, int8": Peer(openvino, "onnx_int8", "openvino onnx onnxruntime", int8=True),
    "PyTorch": Peer(pytorch, None, "torch"),
    "MLX": Peer(mlx, None, "mlx", many=False),
}
