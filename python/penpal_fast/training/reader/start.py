"""Beginning a training with the weights of a finished reader, whose batch norm is folded into its layers."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from penpal_fast.errors import PenpalError
from penpal_fast.network.config import Tensors
from penpal_fast.reading.config import OF_SCORES, ReaderConfig
from penpal_fast.training.reader.examples import Batch
from penpal_fast.training.reader.network import TrainedReader


@dataclasses.dataclass(frozen=True)
class Start:
    """A finished reader: its configuration and its tensors, as `penpal_fast.reading.weights.load` returns them."""

    config: ReaderConfig
    tensors: Tensors

    def check(self, expected: ReaderConfig) -> None:
        """Make sure that it has the architecture and the letters of a recipe.

        Raises:
            PenpalError: It has not; the message says what differs.
        """
        for field in dataclasses.fields(ReaderConfig):
            found, asked = getattr(self.config, field.name), getattr(expected, field.name)
            if field.name not in OF_SCORES and found != asked:
                raise PenpalError(f"the reader to start from has {field.name} {found!r}, the recipe {asked!r}")

    def fingerprint(self) -> str:
        """Return a SHA-256 of the tensors."""
        digest = hashlib.sha256()
        for name in sorted(self.tensors):
            digest.update(name.encode() + np.ascontiguousarray(self.tensors[name]).tobytes())
        return digest.hexdigest()


def unfold(network: TrainedReader, tensors: Tensors, batches: Sequence[Batch]) -> None:
    """Give a network the weights of a finished reader, so that it computes the same.

    Each batch norm gets the mean and the variance of its own inputs in these batches as its statistics, and the weight
    and bias that undo them. So little changes when the training begins and batch norm takes the statistics of each
    batch.

    Args:
        network: The network; it computes on the CPU.
        tensors: The reader's tensors, see `penpal_fast.reading.weights.expected_shapes`.
        batches: Typical batches of the training, at least one.
    """
    biases = _copy_weights(network, tensors)
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in biases}
    for norm, bias in biases.items():
        _set_statistics(norm, bias, torch.zeros(norm.num_features), torch.ones(norm.num_features))
    hooks = [norm.register_forward_pre_hook(lambda norm, inputs: _count(sums[norm], inputs[0])) for norm in biases]
    was_training = network.training
    network.eval()
    with torch.no_grad():
        for batch in batches:
            network(torch.from_numpy(batch.paths), torch.from_numpy(batch.samples))
    network.train(was_training)
    for hook in hooks:
        hook.remove()
    for norm, bias in biases.items():
        count, total, squares = sums[norm]
        mean = total / count
        _set_statistics(norm, bias, mean, (squares / count - mean**2).clamp(min=0))


def _set_statistics(norm: nn.BatchNorm1d, bias: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor) -> None:
    """Give a batch norm statistics, and the weight and bias with which it only adds the folded bias."""
    norm.load_state_dict(
        {
            "running_mean": mean,
            "running_var": variance,
            "weight": (variance + norm.eps).sqrt(),
            "bias": bias + mean,
            "num_batches_tracked": torch.tensor(0),
        }
    )


def _copy_weights(network: TrainedReader, tensors: Tensors) -> dict[nn.BatchNorm1d, torch.Tensor]:
    """Copy the weights of all layers, and return the folded bias that belongs to each batch norm."""
    biases: dict[nn.BatchNorm1d, torch.Tensor] = {}
    for index, (convolution, norm) in enumerate(zip(network.stem, network.stem_norms, strict=True)):
        convolution.weight.data.copy_(_tensor(tensors, f"stem.{index}.weight").transpose(1, 2))
        biases[norm] = _tensor(tensors, f"stem.{index}.bias")
    for index, block in enumerate(network.blocks):
        block.depthwise.weight.data.copy_(
            _tensor(tensors, f"blocks.{index}.depthwise.weight").transpose(1, 2)[:, :, None]
        )
        block.mix.weight.data.copy_(_tensor(tensors, f"blocks.{index}.mix.weight"))
        biases[block.norm] = _tensor(tensors, f"blocks.{index}.mix.bias")
    network.head.weight.data.copy_(_tensor(tensors, "head.weight"))
    network.head.bias.data.copy_(_tensor(tensors, "head.bias"))
    return biases


def _tensor(tensors: Tensors, name: str) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(tensors[name], dtype=np.float32))


def _count(sums: torch.Tensor, values: torch.Tensor) -> None:
    """Add the number of values, their sum and that of their squares, for each channel."""
    exact = values.double()
    sums += torch.stack([torch.full_like(sums[0], len(exact)), exact.sum(dim=0), (exact**2).sum(dim=0)])
