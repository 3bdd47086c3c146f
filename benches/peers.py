"""The same network, with the same weights, in other engines.

Each maker takes a number of threads and returns a function from pictures, float32 [B, 256, 256, 1], to logits [B]. It
raises ImportError where its package is not installed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from penpal_fast import QualityClassifier
from penpal_fast.engines.folding import folded
from penpal_fast.network.pretrained import load

Network = Callable[[np.ndarray], np.ndarray]


@functools.cache
def bundled():
    """The bundled network, batch norm folded in, with its configuration."""
    config, tensors = load()
    return config, folded(config, tensors)


def as_oihw(layer, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [O, I, K, K] and bias [O], from weights flattened [O, K, K, I]; K is 3, or 1 for a projection."""
    weights, bias = layer
    side = round((weights.size / len(bias) / inputs) ** 0.5)
    return np.ascontiguousarray(weights.reshape(len(bias), side, side, inputs).transpose(0, 3, 1, 2)), bias


@functools.cache
def onnx_bytes() -> bytes:
    """The network as an ONNX file, batches of any size."""
    from onnx import TensorProto, checker, helper, numpy_helper

    config, network = bundled()
    nodes, constants = [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def convolution(name, source, layer, inputs, stride):
        weights, bias = as_oihw(layer, inputs)
        sources = [source, constant(f"{name}.weight", weights), constant(f"{name}.bias", bias)]
        side = weights.shape[-1]
        return node("Conv", sources, name, kernel_shape=[side] * 2, strides=[stride] * 2, pads=[side // 2] * 4)

    # One channel: NHWC and NCHW are the same numbers.
    x = node("Reshape", ["pictures", constant("shape", np.array([-1, 1, 256, 256], np.int64))], "nchw")
    x = node("Relu", [convolution("stem", x, network.stem, 1, 2)], "stem.relu")
    for index, (first, second, projection) in enumerate(network.blocks):
        inputs, outputs = config.channels[index : index + 2]
        name = f"block{index}"
        y = node("Relu", [convolution(f"{name}.1", x, first, inputs, 2)], f"{name}.1.relu")
        y = convolution(f"{name}.2", y, second, outputs, 1)
        if projection is not None:
            around = convolution(f"{name}.around", x, projection, inputs, 2)
        else:
            around = node("MaxPool", [x], f"{name}.half", kernel_shape=[1, 1], strides=[2, 2])
        if projection is None and outputs > inputs:
            pads = constant(f"{name}.pads", np.array([0, 0, 0, 0, 0, outputs - inputs, 0, 0], np.int64))
            around = node("Pad", [around, pads], f"{name}.around")
        x = node("Relu", [node("Add", [y, around], f"{name}.sum")], f"{name}.relu")
    x = node("Flatten", [node("GlobalAveragePool", [x], "average")], "averages")
    weight = constant("head.weight", network.head_weight[None])
    bias = constant("head.bias", np.array([network.head_bias], np.float32))
    x = node("Gemm", [x, weight, bias], "head", transB=1)
    node("Reshape", [x, constant("flat", np.array([-1], np.int64))], "logits")

    graph = helper.make_graph(
        nodes,
        "quality",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["batch", 256, 256, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    return model.SerializeToString()


def onnx_runtime(threads: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_bytes(), options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"pictures": pictures})[0]


def openvino(threads: int) -> Network:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(onnx_bytes()), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda pictures: request.infer({"pictures": pictures})["logits"].copy()


def pytorch(threads: int) -> Network:
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    config, network = bundled()

    def tensors(layer, inputs):
        weights, bias = as_oihw(layer, inputs)
        return torch.from_numpy(weights).to(memory_format=torch.channels_last), torch.from_numpy(bias)

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


def mlx(_threads: int) -> Network:
    """MLX chooses its threads itself; its convolution uses one on a CPU."""
    import mlx.core as mx

    model = QualityClassifier.from_pretrained()
    return lambda pictures: np.array(model(mx.array(pictures)))


PEERS = {"ONNX Runtime": onnx_runtime, "OpenVINO": openvino, "PyTorch": pytorch, "MLX": mlx}
