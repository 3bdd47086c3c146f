"""The shape of the network: its convolutions and blocks, listed once for everything that walks them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

from penpal_fast.canvas import SIDE
from penpal_fast.network.config import ModelConfig

NORM_TENSORS = ("weight", "bias", "running_mean", "running_var")


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A square convolution, padded by `kernel // 2`, and the batch norm after it.

    Attributes:
        name: Name of the convolution, such as "blocks.0.conv1".
        norm: Name of its batch norm, such as "blocks.0.norm1".
        inputs: Input channels.
        outputs: Output channels.
        kernel: Height and width of the kernel.
        stride: Stride in both directions.
        side: Height and width of the output in pixels.
    """

    name: str
    norm: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    side: int


@dataclasses.dataclass(frozen=True)
class Block:
    """Two convolutions and a shortcut around them.

    Attributes:
        first: The convolution of stride 2.
        second: The convolution of stride 1.
        shortcut: The 1x1 convolution of a projection shortcut; None for an identity shortcut.
    """

    first: Convolution
    second: Convolution
    shortcut: Convolution | None


@dataclasses.dataclass(frozen=True)
class Layers:
    """All layers but the head, which is a linear unit on the averages of the last block's channels."""

    stem: Convolution
    blocks: tuple[Block, ...]

    def __iter__(self) -> Iterator[Convolution]:
        """Yield the convolutions: the stem, then each block's first, second and shortcut."""
        yield self.stem
        for block in self.blocks:
            yield block.first
            yield block.second
            if block.shortcut:
                yield block.shortcut


def layers(config: ModelConfig) -> Layers:
    """List the layers of a network, named as in `QualityClassifier`."""
    side = SIDE // 2
    stem = Convolution("stem.conv", "stem.norm", 1, config.channels[0], 3, 2, side)
    blocks = []
    for index, (inputs, outputs) in enumerate(itertools.pairwise(config.channels)):
        name, side = f"blocks.{index}", -(-side // 2)
        first = Convolution(f"{name}.conv1", f"{name}.norm1", inputs, outputs, 3, 2, side)
        second = Convolution(f"{name}.conv2", f"{name}.norm2", outputs, outputs, 3, 1, side)
        projection = Convolution(f"{name}.shortcut.conv", f"{name}.shortcut.norm", inputs, outputs, 1, 2, side)
        blocks.append(Block(first, second, projection if config.shortcut == "projection" else None))
    return Layers(stem, tuple(blocks))


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every tensor of a network."""
    shapes: dict[str, tuple[int, ...]] = {"head.weight": (1, config.channels[-1]), "head.bias": (1,)}
    for layer in layers(config):
        shapes[f"{layer.name}.weight"] = (layer.outputs, layer.kernel, layer.kernel, layer.inputs)
        if config.batch_norm:
            shapes.update({f"{layer.norm}.{tensor}": (layer.outputs,) for tensor in NORM_TENSORS})
        else:
            shapes[f"{layer.name}.bias"] = (layer.outputs,)
    return shapes
