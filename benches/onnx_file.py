"""The bundled network as an ONNX file."""

from __future__ import annotations

import numpy as np

from weights import bundled, unflattened


def onnx_bytes() -> bytes:
    """Make the file; it takes batches of any size."""
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
        weights, bias = unflattened(layer, inputs)
        oihw = np.ascontiguousarray(weights.transpose(0, 3, 1, 2))
        sources = [source, constant(f"{name}.weight", oihw), constant(f"{name}.bias", bias)]
        side = weights.shape[1]
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
