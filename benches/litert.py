"""The same network as a LiteRT file, float or int8, which XNNPACK runs; TensorFlow is not needed for it.

A model is a flatbuffer, whose schema comes with the package `ai-edge-litert`.
"""

from __future__ import annotations

import numpy as np

from quantization import Quantized, integer_scale
from weights import bundled, unflattened

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

VERSIONS = {"CONV_2D": 3, "PAD": 2, "ADD": 2, "QUANTIZE": 1, "DEQUANTIZE": 2, "MEAN": 1, "FULLY_CONNECTED": 1}
"""Lowest version of each operation that has both float and int8."""

TYPES = {"float32": "FLOAT32", "int8": "INT8", "int32": "INT32"}


class Graph:
    """A network under construction, NHWC. Tensors are known by their numbers in the file.

    Attributes:
        quantized: While this is set, convolutions and their outputs are int8.
    """

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema = schema
        self.relu = schema.ActivationFunctionType.RELU
        self.quantized: Quantized | None = None
        self.codes: list[str] = []
        self.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []

    def shape(self, tensor: int) -> list[int]:
        return self.graph.tensors[tensor].shape

    def tensor(self, name, shape, kind="float32", *, buffer=0, scale=None, zero=0) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        tensor.type = getattr(self.schema.TensorType, TYPES[kind])
        if scale is not None:
            tensor.quantization = self.schema.QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(scale).astype(np.float32)
            tensor.quantization.zeroPoint = np.full(np.size(scale), zero, np.int64)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, name, values, *, scale=None) -> int:
        """Make a tensor of values; `scale` has one number for each of the first axis."""
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.buffers.append(buffer)
        return self.tensor(name, values.shape, values.dtype.name, buffer=len(self.buffers) - 1, scale=scale)

    def activation(self, name, shape) -> int:
        """Make a tensor for what a layer puts out."""
        if self.quantized is None:
            return self.tensor(name, shape)
        scale, zero = integer_scale(*self.quantized.ranges[name])
        return self.tensor(name, shape, "int8", scale=scale, zero=zero)

    def node(self, kind, inputs, output, options, **attributes) -> int:
        if kind not in self.codes:
            self.codes.append(kind)
        operator = self.schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = self.codes.index(kind), inputs, [output]
        operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
        operator.builtinOptions = getattr(self.schema, f"{options}T")()
        for name, value in attributes.items():
            setattr(operator.builtinOptions, name, value)
        self.graph.operators.append(operator)
        return output

    def convolution(self, name, source, layer, side, stride, *, relu=False) -> int:
        """Weights [O, K, K, I] and bias [O] over `source`, padded by one; the output's side is given."""
        weights, bias = layer
        padding = self.schema.Padding.VALID
        if stride == 1:
            padding = self.schema.Padding.SAME
        elif weights.shape[1] == 3:
            source = self.padded(name, source)
        output = self.activation(f"{name}.relu" if relu else name, [1, side, side, len(bias)])
        return self.node(
            "CONV_2D",
            [source, *self.parameters(name, source, weights, bias)],
            output,
            "Conv2DOptions",
            padding=padding,
            strideH=stride,
            strideW=stride,
            fusedActivationFunction=self.relu if relu else self.schema.ActivationFunctionType.NONE,
        )

    def padded(self, name, source) -> int:
        """Pad by a pixel above and on the left; steps of two never reach the one below. XNNPACK fuses it."""
        _, height, width, channels = self.shape(source)
        output = self.tensor(f"{name}.padded", [1, height + 1, width + 1, channels])
        for attribute in ("type", "quantization"):
            setattr(self.graph.tensors[output], attribute, getattr(self.graph.tensors[source], attribute))
        pads = self.constant(f"{name}.pads", np.array([[0, 0], [1, 0], [1, 0], [0, 0]], np.int32))
        return self.node("PAD", [source, pads], output, "PadOptions")

    def parameters(self, name, source, weights, bias) -> tuple[int, int]:
        if self.quantized is None:
            return self.constant(f"{name}.weight", weights), self.constant(f"{name}.bias", bias)
        scale = np.maximum(np.abs(weights).max(axis=(1, 2, 3)), 1e-9) / 127
        integers = np.rint(weights / scale[:, None, None, None]).astype(np.int8)
        units = scale * self.graph.tensors[source].quantization.scale[0]
        whole = np.rint((bias + self.quantized.corrections[name]) / units).astype(np.int32)
        return (
            self.constant(f"{name}.weight", integers, scale=scale),
            self.constant(f"{name}.bias", whole, scale=units),
        )

    def finished(self, source: int, result: int) -> bytes:
        import flatbuffers

        self.graph.inputs, self.graph.outputs = [source], [result]
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = SCHEMA_VERSION, [self.graph], self.buffers
        model.operatorCodes = []
        for kind in self.codes:
            code = self.schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = getattr(self.schema.BuiltinOperator, kind)
            code.version = VERSIONS[kind]
            model.operatorCodes.append(code)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())


def model_bytes(quantized: Quantized | None = None) -> bytes:
    """Make the network's file for one picture; `quantized` makes its blocks int8. It can be resized to any batch."""
    config, network = bundled()
    graph = Graph()
    side = 128
    pictures = graph.tensor("pictures", [1, 256, 256, 1])
    x = graph.convolution("stem", pictures, unflattened(network.stem, 1), side, 2, relu=True)
    if quantized is not None:
        graph.quantized = quantized
        x = graph.node("QUANTIZE", [x], graph.activation("stem.relu", graph.shape(x)), "QuantizeOptions")
    for index, (first, second, projection) in enumerate(network.blocks):
        inputs, outputs = config.channels[index : index + 2]
        side //= 2
        name = f"block{index}"
        y = graph.convolution(f"{name}.1", x, unflattened(first, inputs), side, 2, relu=True)
        y = graph.convolution(f"{name}.2", y, unflattened(second, outputs), side, 1)
        if projection is None:
            raise ImportError("its file has no shortcuts without projection")
        around = graph.convolution(f"{name}.around", x, unflattened(projection, inputs), side, 2)
        made = graph.activation(f"{name}.relu", graph.shape(y))
        x = graph.node("ADD", [y, around], made, "AddOptions", fusedActivationFunction=graph.relu)
    if quantized is not None:
        x = graph.node("DEQUANTIZE", [x], graph.tensor("features", graph.shape(x)), "DequantizeOptions")
    axes = graph.constant("axes", np.array([1, 2], np.int32))
    x = graph.node("MEAN", [x, axes], graph.tensor("averages", [1, outputs]), "ReducerOptions", keepDims=False)
    head = graph.constant("head.weight", network.head_weight[None])
    bias = graph.constant("head.bias", np.array([network.head_bias], np.float32))
    x = graph.node("FULLY_CONNECTED", [x, head, bias], graph.tensor("logits", [1, 1]), "FullyConnectedOptions")
    return graph.finished(pictures, x)
