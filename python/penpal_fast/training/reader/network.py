"""The reader network in PyTorch, for training; `penpal_fast.reading.model` is the same for reading."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from penpal_fast.reading.config import ReaderConfig

Tensors = dict[str, np.ndarray]


class TrainedReader(nn.Module):
    """Convolutions over the path with batch norm.

    Arrays are [rows, frames, channels]. What is past the end of a row is set to 0 after each layer, as the padding of a
    row by itself would be, so a row gives the same whatever it is batched with.
    """

    def __init__(self, config: ReaderConfig) -> None:
        """Make a network with random weights."""
        super().__init__()
        self.config = config
        widths = (config.inputs, *config.stem_channels)
        self.stem = nn.ModuleList(
            nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
            for inputs, outputs, kernel, stride in zip(
                widths, config.stem_channels, config.stem_kernels, config.stem_strides, strict=False
            )
        )
        self.stem_norms = nn.ModuleList(nn.BatchNorm1d(outputs) for outputs in config.stem_channels)
        self.blocks = nn.ModuleList(Block(widths[-1], config.block_kernel, dilation) for dilation in config.dilations)
        self.head = nn.Linear(widths[-1], config.outputs)

    def forward(self, paths: torch.Tensor, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return log-probabilities [rows, frames, outputs] and the frames of each row.

        Args:
            paths: [rows, samples, 5], 0 past the end of a row.
            samples: Samples of each row.
        """
        x, lengths = paths, samples
        mask = paths.new_ones(())
        for convolution, norm in zip(self.stem, self.stem_norms, strict=True):
            x = convolution(x.transpose(1, 2)).transpose(1, 2)
            lengths = torch.div(lengths + convolution.stride[0] - 1, convolution.stride[0], rounding_mode="floor")
            mask = (torch.arange(x.shape[1], device=x.device)[None] < lengths[:, None]).to(x.dtype)[:, :, None]
            x = functional.relu(normalized(norm, x)) * mask
        x = x.contiguous()
        for block in self.blocks:
            x = block(x, mask)
        return self.head(x).log_softmax(dim=-1), lengths


class Block(nn.Module):
    """A depthwise convolution, a mix of channels with batch norm, and a shortcut around them."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        """Make a block that keeps the number of frames and channels."""
        super().__init__()
        # Two-dimensional, since oneDNN is twice as fast at depthwise convolutions when channels come last.
        self.depthwise = nn.Conv2d(
            channels,
            channels,
            (1, kernel),
            padding=(0, kernel // 2 * dilation),
            dilation=(1, dilation),
            groups=channels,
            bias=False,
        )
        self.depthwise.weight.data = self.depthwise.weight.data.contiguous(memory_format=torch.channels_last)
        self.mix = nn.Linear(channels, channels, bias=False)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Map [rows, frames, channels] to the same shape."""
        rows, frames, channels = x.shape
        image = x.as_strided((rows, channels, 1, frames), (frames * channels, 1, frames * channels, channels))
        seen = self.depthwise(image).permute(0, 2, 3, 1).reshape(rows, frames, channels)
        return AddedAndMasked.apply(x, normalized(self.norm, self.mix(seen)), mask)


class AddedAndMasked(torch.autograd.Function):
    """relu(x + y) * mask, with fewer passes over memory than autograd makes."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Save only the result: it is above 0 exactly where a gradient flows back."""
        result = torch.add(x, y).relu_().mul_(mask)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        """Both summands have the same gradient."""
        (result,) = ctx.saved_tensors
        gradient = gradients[0] * (result > 0)
        return gradient, gradient, None


def normalized(norm: nn.BatchNorm1d, x: torch.Tensor) -> torch.Tensor:
    """Apply batch norm over rows and frames."""
    return norm(x.reshape(-1, x.shape[-1])).view(x.shape)


def folded(network: TrainedReader) -> Tensors:
    """Return the tensors of a `ReaderNetwork` that computes the same: batch norm goes into the layer before it."""
    tensors: Tensors = {}
    for index, (convolution, norm) in enumerate(zip(network.stem, network.stem_norms, strict=True)):
        scale, shift = _scale_and_shift(norm)
        weight = convolution.weight.detach().numpy().astype(np.float64) * scale[:, None, None]
        tensors[f"stem.{index}.weight"] = weight.transpose(0, 2, 1)
        tensors[f"stem.{index}.bias"] = shift
    for index, block in enumerate(network.blocks):
        scale, shift = _scale_and_shift(block.norm)
        tensors[f"blocks.{index}.depthwise.weight"] = block.depthwise.weight.detach().numpy()[:, 0, 0, :, None]
        tensors[f"blocks.{index}.mix.weight"] = block.mix.weight.detach().numpy() * scale[:, None]
        tensors[f"blocks.{index}.mix.bias"] = shift
    tensors["head.weight"] = network.head.weight.detach().numpy()
    tensors["head.bias"] = network.head.bias.detach().numpy()
    return tensors


def _scale_and_shift(norm: nn.BatchNorm1d) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    state = {name: values.cpu().double().numpy() for name, values in norm.state_dict().items()}
    scale = state["weight"] / np.sqrt(state["running_var"] + norm.eps)
    return scale, state["bias"] - state["running_mean"] * scale
