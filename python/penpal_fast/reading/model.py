"""The reader network: convolutions over the path of the pen, and the likelihood of each letter along it."""

from __future__ import annotations

import os

import mlx.core as mx
import mlx.nn as nn

from penpal_fast.network.config import Tensors
from penpal_fast.network.mlx_module import save, tensors_of, with_tensors
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.weights import load, write_tensors


class ReaderBlock(nn.Module):
    """A depthwise convolution over frames, a mix of the channels of each frame, and a shortcut around both."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        """Make a block that keeps the number of frames and of channels."""
        super().__init__()
        self.depthwise = nn.Conv1d(
            channels,
            channels,
            kernel,
            padding=kernel // 2 * dilation,
            dilation=dilation,
            groups=channels,
            bias=False,
        )
        self.mix = nn.Linear(channels, channels)

    def __call__(self, x: mx.array) -> mx.array:
        """Map [B, frames, channels] to the same shape."""
        return nn.relu(x + self.mix(self.depthwise(x)))


class ReaderNetwork(nn.Module):
    """Says for each stretch of the pen's path how likely each letter ends there."""

    def __init__(self, config: ReaderConfig | None = None) -> None:
        """Make a network with random weights; `from_pretrained` loads one that is ready to use."""
        super().__init__()
        config = config or ReaderConfig()
        self.config = config
        widths = (config.inputs, *config.stem_channels)
        self.stem = [
            nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
            for inputs, outputs, kernel, stride in zip(
                widths, config.stem_channels, config.stem_kernels, config.stem_strides, strict=False
            )
        ]
        self.blocks = [ReaderBlock(widths[-1], config.block_kernel, dilation) for dilation in config.dilations]
        self.head = nn.Linear(widths[-1], config.outputs)

    def __call__(self, paths: mx.array, samples: mx.array | None = None) -> mx.array:
        """Read paths.

        Args:
            paths: float32 [B, samples, 5], as `penpal_fast.path_reference.path` gives them, 0 after the end of a row.
            samples: int [B], samples of each row; None where all rows have as many as the array. What is after the end
                of a row is set to 0 after each layer, so a row gives the same whatever it is batched with.

        Returns:
            Log-probabilities float32 [B, frames, outputs]; output 0 is the blank, output i + 1 letter i. Those of
            frames after the end of a row (`config.frames`) mean nothing.
        """
        x, ends = paths, samples
        for convolution, stride in zip(self.stem, self.config.stem_strides, strict=True):
            if ends is not None:
                ends = (ends + stride - 1) // stride
            x = _cut(nn.relu(convolution(x)), ends)
        for block in self.blocks:
            x = _cut(block(x), ends)
        return nn.log_softmax(self.head(x), axis=-1)

    @classmethod
    def from_tensors(cls, config: ReaderConfig, tensors: Tensors) -> ReaderNetwork:
        """Make a network that reads from tensors that were checked (`penpal_fast.reading.weights.load`)."""
        return with_tensors(cls(config), tensors)

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str] | None = None, *, revision: str | None = None
    ) -> ReaderNetwork:
        """Load a trained reader.

        Args:
            source: None for the reader in this package, a folder with `config.json` and `weights.safetensors`, or the
                id of a Hugging Face repository with these files, with "@" and a revision if it is to be pinned.
            revision: Branch, tag or commit of the repository; None for its main branch.

        Raises:
            PenpalError: There is no such folder or repository, or its files do not describe such a network. The error
                lists what was expected and what was found.
        """
        return cls.from_tensors(*load(source, revision=revision))

    def tensors(self) -> Tensors:
        """Return all tensors as NumPy arrays, by name."""
        return tensors_of(self)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write `config.json` and `weights.safetensors` into a folder, which is made if it is not there."""
        save(folder, self.config.to_json(), lambda path: write_tensors(path, self.tensors()))


def _cut(x: mx.array, ends: mx.array | None) -> mx.array:
    """Set what is after the end of each row to 0."""
    return x if ends is None else mx.where((mx.arange(x.shape[1]) < ends[:, None])[..., None], x, 0)
