"""The training loop: AdamW on the CTC loss, and a running average of the weights, which is what is kept."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from penpal_fast.training.reader.augmentation import Changes
from penpal_fast.training.reader.examples import Batch, Example, batches
from penpal_fast.training.reader.network import TrainedReader
from penpal_fast.training.reader.recipe import ReaderRecipe

LOSS_MEMORY = 0.6
"""How much of a row's earlier losses stays in its average."""

KNOWN_SHARE = 0.9
"""Share of the made lines that must have been seen before any is left out."""

LEAST_LEARNING_RATE = 0.01
"""Of its peak, at the end."""

LARGEST_GRADIENT = 5.0


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a training is: rows seen, and the mean loss a letter of the last round, of real and of made lines."""

    rows: int
    real_loss: float
    made_loss: float


class Training:
    """A training that can be saved and gone on with."""

    def __init__(
        self, recipe: ReaderRecipe, real: Sequence[Example], made: Sequence[Example], device: str = "cpu"
    ) -> None:
        """Start from random weights.

        Args:
            recipe: All choices.
            real: Real lines.
            made: Generated lines; there may be none.
            device: PyTorch's name of what computes.
        """
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.examples = [*real, *made]
        self.real = len(real)
        self.device = device
        self.network = TrainedReader(recipe.network).to(device)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), lr=recipe.learning_rate, betas=(0.9, 0.98))
        self.losses = np.full(len(self.examples), np.nan)
        self.rows = 0
        self.steps = 0

    def run(self, report: Callable[[Progress], None] = lambda _progress: None) -> TrainedReader:
        """Train to the end of the recipe and return the network with the averaged weights."""
        while self.rows < self.recipe.rows:
            seen: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
            for batch in self._round():
                seen.append((batch.rows, self._step(batch)))
                if self.rows >= self.recipe.rows:
                    break
            rows, losses = (np.concatenate(parts) for parts in zip(*seen, strict=True))
            report(Progress(self.rows, _mean(losses[rows < self.real]), _mean(losses[rows >= self.real])))
        return self.averaged()

    def averaged(self) -> TrainedReader:
        """Return the network with the averaged weights, ready to be measured or folded."""
        network = TrainedReader(self.recipe.network)
        network.load_state_dict(self.average)
        return network.eval()

    @property
    def left_out(self) -> int:
        """Number of made lines that do not say their text, as far as is known."""
        return int((self.losses[self.real :] > self.recipe.unreadable_loss).sum())

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        aside = path.with_name(path.name + ".part")
        torch.save(
            {name: getattr(self, name) for name in _KEPT}
            | {name: getattr(self, name).state_dict() for name in _STATES},
            aside,
        )
        aside.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same recipe and examples."""
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=False)
        for name in _KEPT:
            setattr(self, name, state[name])
        for name in _STATES:
            getattr(self, name).load_state_dict(state[name])

    def _round(self) -> Iterator[Batch]:
        """Draw rows, the real and the made ones in their shares, and yield them in batches."""
        recipe, random = self.recipe, np.random.default_rng([self.recipe.seed, self.steps])
        made = np.arange(self.real, len(self.examples))
        if self._reads_most():
            made = made[~(self.losses[made] > recipe.unreadable_loss)]
        made_rows = round(recipe.round_rows * (1 - recipe.real_share)) if len(made) else 0
        real_rows = recipe.round_rows - made_rows
        drawn = np.concatenate([_drawn(np.arange(self.real), real_rows, random), _drawn(made, made_rows, random)])
        random.shuffle(drawn)

        def fits(samples: int, letters: int) -> bool:
            return recipe.network.frames(samples) >= letters

        return batches(self.examples, drawn, recipe.batch_samples, fits, self._changes(), random)

    def _changes(self) -> Changes:
        recipe = self.recipe
        is_settled = self.rows >= (1 - recipe.settled_share) * recipe.rows
        return recipe.changes.scaled(recipe.settled_changes) if is_settled else recipe.changes

    def _reads_most(self) -> bool:
        """Whether the network reads so well that a made line with a large loss is itself to blame."""
        losses = self.losses[self.real :]
        known = losses[~np.isnan(losses)]
        return len(known) > KNOWN_SHARE * len(losses) and float(np.median(known)) < self.recipe.unreadable_loss / 3

    def _step(self, batch: Batch) -> NDArray[np.float64]:
        """Learn from a batch; return the loss a letter of each row."""
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        paths, samples, codes, letters = (
            torch.from_numpy(values).to(self.device)
            for values in (batch.paths, batch.samples, batch.codes, batch.letters)
        )
        log_probabilities, frames = self.network(paths, samples)
        losses = functional.ctc_loss(
            log_probabilities.transpose(0, 1),
            codes,
            frames,
            letters,
            reduction="none",
            zero_infinity=True,
        )
        (losses.sum() / letters.sum()).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.rows += len(batch.rows)
        self.steps += 1
        self._average()
        each = (losses.detach() / letters).double().cpu().numpy()
        before = self.losses[batch.rows]
        self.losses[batch.rows] = np.where(np.isnan(before), each, LOSS_MEMORY * before + (1 - LOSS_MEMORY) * each)
        return each

    def _learning_rate(self) -> float:
        """Linear warm-up, then a cosine down."""
        recipe = self.recipe
        warmth = min((self.steps + 1) / recipe.warmup_steps, 1.0)
        cosine = 0.5 * (1 + math.cos(math.pi * min(self.rows / recipe.rows, 1.0)))
        return recipe.learning_rate * warmth * (LEAST_LEARNING_RATE + (1 - LEAST_LEARNING_RATE) * cosine)

    def _average(self) -> None:
        decay = min(self.recipe.average_decay, (1 + self.steps) / (10 + self.steps))
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Keep weight decay off biases and batch norm."""
        parameters = list(self.network.parameters())
        matrices = [parameter for parameter in parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
        return [
            {"params": matrices, "weight_decay": self.recipe.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]


_KEPT = ("average", "losses", "rows", "steps")
_STATES = ("network", "optimizer")


def _drawn(rows: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows, each equally often, give or take once."""
    if not len(rows):
        return rows
    times = [random.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate([*times, rows[:0]])[:count]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan
