"""The training loop: AdamW on the CTC loss, in later stages also on that of doubting corrupted lines. A running average
of the weights is what is kept."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.training.reader.augmentation import Changes
from penpal_fast.training.reader.doubt_loss import DoubtLoss
from penpal_fast.training.reader.examples import Batch, Example, batches
from penpal_fast.training.reader.network import TrainedReader
from penpal_fast.training.reader.recipe import ReaderRecipe, Stage
from penpal_fast.training.reader.start import Start, unfold
from penpal_fast.training.reader.wrong_codes import Codes, with_mistake

LOSS_MEMORY = 0.6
"""How much of a row's earlier losses stays in its average."""

KNOWN_SHARE = 0.9
"""Share of the synthetic lines of a kind that must have been seen before any is left out."""

MIN_LEARNING_RATE = 0.01
"""Of its peak, at the end."""

LARGEST_GRADIENT = 5.0

START_BATCHES = 16
"""Batches whose statistics batch norm begins with, where a training starts from a finished reader."""

OR_START_OVER = "or, to start over, choose another work folder or remove the file"

KINDS = ("real", "made", "clean", "corrupted")


@dataclasses.dataclass(frozen=True)
class Lines:
    """What a reader learns from; see `penpal_fast.training.reader.recipe.Shares`."""

    real: Sequence[Example] = ()
    made: Sequence[Example] = ()
    clean: Sequence[Example] = ()
    corrupted: Sequence[Example] = ()


@dataclasses.dataclass(frozen=True)
class LoopState:
    """Where a training is: the stage, from 1, the rows that it has seen, and the last round's mean loss per letter, of
    real lines and of synthetic ones that are not corrupted."""

    stage: int
    rows: int
    real_loss: float
    synthetic_loss: float


class Training:
    """A training that can be saved and gone on with."""

    def __init__(self, recipe: ReaderRecipe, lines: Lines, device: str = "cpu", start: Start | None = None) -> None:
        """Start from random weights, or from a finished reader.

        Args:
            recipe: All choices.
            lines: The lines to learn from.
            device: PyTorch's name of what computes.
            start: The reader to start from; None for random weights.

        Raises:
            PenpalError: A stage has no lines to learn from, or the reader is of another architecture.
        """
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        groups = [getattr(lines, kind) for kind in KINDS]
        self.examples = [example for group in groups for example in group]
        self._letters = sorted({code for example in self.examples for code in example.codes})
        self.kinds = np.repeat(np.array(KINDS), [len(group) for group in groups])
        self._check_lines()
        self.device = device
        self.network = TrainedReader(recipe.network)
        self.start_fingerprint = start.fingerprint() if start else ""
        self.stage, self.rows, self.steps = 0, 0, 0
        self.losses = np.full(len(self.examples), np.nan)
        if start:
            start.check(recipe.network)
            unfold(self.network, start.tensors, list(itertools.islice(self._round(), START_BATCHES)))
        self.network.to(device)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self._begin(0)

    def _check_lines(self) -> None:
        for number, stage in enumerate(self.recipe.stages, start=1):
            shares = dataclasses.asdict(stage.shares)
            if not any(shares[kind] for kind in np.unique(self.kinds).tolist()):
                raise PenpalError(
                    f"stage {number}: there are no lines of {[kind for kind, share in shares.items() if share]} whose "
                    f"text can be learned; give such lines, or other shares"
                )
            corrupted = [one for one, kind in zip(self.examples, self.kinds, strict=True) if kind == "corrupted"]
            if shares["corrupted"] and corrupted and not any(_weight(one, stage) for one in corrupted):
                raise PenpalError(f"stage {number}: severity_weights leaves no corrupted line; give one above 0")

    def _begin(self, stage: int) -> None:
        """Begin a stage with the averaged weights of the one before it."""
        self.stage, self.rows, self.steps = stage, 0, 0
        self.first = {name: value.clone() for name, value in self.average.items()}
        self.network.load_state_dict(self.average)
        self.doubt_loss = DoubtLoss().to(self.device)
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), betas=(0.9, 0.98))

    def run(self, report: Callable[[LoopState], None] = lambda _progress: None) -> TrainedReader:
        """Train to the end of the recipe and return the network with the averaged weights."""
        while True:
            while self.rows < self._stage.rows:
                report(self._learn_round())
            _blend(self.average, self.first, self._stage.start_share)
            if self.stage + 1 == len(self.recipe.stages):
                return self.averaged()
            self._begin(self.stage + 1)

    def averaged(self) -> TrainedReader:
        """Return the network with the averaged weights, ready to be measured or folded."""
        network = TrainedReader(self.recipe.network)
        network.load_state_dict(self.average)
        return network.eval()

    @property
    def left_out(self) -> int:
        """Number of synthetic lines that are not corrupted and do not say their text, as far as is known."""
        return int((self.losses[np.isin(self.kinds, ["made", "clean"])] > self.recipe.unreadable_loss).sum())

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        state = (
            {name: getattr(self, name) for name in _KEPT}
            | {name: getattr(self, name).state_dict() for name in _STATES}
            | {
                "losses": torch.from_numpy(self.losses),
                "recipe": self.recipe.to_json(),
                "start": self.start_fingerprint,
                "lines": fingerprint(self.examples),
            }
        )
        with replaced_atomically(path) as aside:
            torch.save(state, aside)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same recipe and examples.

        Raises:
            PenpalError: It is damaged, or of other ones.
        """
        state = checked_state(path, self.recipe, self.device)
        lines = fingerprint(self.examples)
        # Earlier versions did not note the lines.
        if len(state["losses"]) != len(self.losses) or state.get("lines", lines) != lines:
            raise PenpalError(f"{path}: it was made from other lines to learn from; give those, {OR_START_OVER}")
        if state.get("start", "") != self.start_fingerprint:
            raise PenpalError(
                f"{path}: it began with another reader (--start), or with random weights; give the same, "
                f"{OR_START_OVER}"
            )
        for name in _KEPT:
            setattr(self, name, state[name])
        self.losses = state["losses"].cpu().numpy()
        for name in _STATES:
            getattr(self, name).load_state_dict(state[name])

    @property
    def _stage(self) -> Stage:
        return self.recipe.stages[self.stage]

    def _learn_round(self) -> LoopState:
        seen: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        for batch in self._round():
            seen.append((batch.rows, self._step(batch)))
            if self.rows >= self._stage.rows:
                break
        if not seen:
            raise PenpalError("no row of a round can be learned from: raise round_rows, or give lines of usual length")
        rows, losses = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        kinds = self.kinds[rows]
        synthetic = (kinds == "made") | (kinds == "clean")
        return LoopState(self.stage + 1, self.rows, _mean(losses[kinds == "real"]), _mean(losses[synthetic]))

    def _round(self) -> Iterator[Batch]:
        """Draw rows, each kind in its share, and yield them in batches."""
        recipe, random = self.recipe, np.random.default_rng([self.recipe.seed, self.stage, self.steps])
        drawn = np.concatenate([self._rows_of_kind(kind, share, random) for kind, share in self._shares().items()])
        random.shuffle(drawn)

        def fits(samples: int, codes: Sequence[int]) -> bool:
            # A blank parts a letter from the same letter after it.
            doubled = sum(one == other for one, other in itertools.pairwise(codes))
            return recipe.network.frames(samples) >= len(codes) + doubled

        changes, told = self._changes(), self._told(random)
        return batches(
            self.examples, drawn, recipe.batch_samples, fits, lambda row: changes[self.kinds[row]], told, random
        )

    def _told(self, random: np.random.Generator) -> Callable[[int], tuple[Codes, bool]]:
        """Return what gives a row its text, or now and then one with a mistake."""
        share = self._stage.wrong_texts if len(self._letters) > 1 else 0

        def told(row: int) -> tuple[Codes, bool]:
            codes = self.examples[row].codes
            if self.kinds[row] not in ("real", "clean") or len(codes) < 2 or random.random() >= share:
                return codes, False
            return with_mistake(codes, self._letters, random), True

        return told

    def _shares(self) -> dict[str, float]:
        """Return the shares of the kinds of which there are lines."""
        shares = {kind: share for kind, share in dataclasses.asdict(self._stage.shares).items() if kind in self.kinds}
        total = sum(shares.values())
        return {kind: share / total for kind, share in shares.items()}

    def _rows_of_kind(self, kind: str, share: float, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw rows of a kind."""
        rows, count = np.flatnonzero(self.kinds == kind), round(self.recipe.round_rows * share)
        if kind == "corrupted":
            chances = np.array([_weight(self.examples[row], self._stage) for row in rows])
            return random.choice(rows, count, p=chances / chances.sum())
        if kind != "real" and self._reads_most(kind):
            rows = rows[~(self.losses[rows] > self.recipe.unreadable_loss)]
        return _evenly_drawn(rows, count, random)

    def _changes(self) -> dict[str, Changes]:
        """Return the changes to each kind of lines."""
        stage = self._stage
        is_settled = self.rows >= (1 - stage.settled_share) * stage.rows
        factors = dataclasses.asdict(stage.changed)
        return {kind: self.recipe.changes.scaled(pair[is_settled]) for kind, pair in factors.items()}

    def _reads_most(self, kind: str) -> bool:
        """Whether the network reads synthetic lines so well that one with a large loss is itself to blame."""
        losses = self.losses[self.kinds == kind]
        known = losses[~np.isnan(losses)]
        return len(known) > KNOWN_SHARE * len(losses) and float(np.median(known)) < self.recipe.unreadable_loss / 3

    def _step(self, batch: Batch) -> NDArray[np.float64]:
        """Learn from a batch; return the loss per letter of each row, NaN where the text was a wrong one."""
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
        self._loss(batch, losses, _path_losses(log_probabilities, frames), letters).backward()
        if not torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT).isfinite():
            raise PenpalError(
                f"the training diverged after {self.rows:,} rows of stage {self.stage + 1}; lower its learning_rate"
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.rows += len(batch.rows)
        self.steps += 1
        self._follow_average()
        each = (losses.detach() / letters).cpu().double().numpy()
        each[batch.is_wrong] = np.nan
        self._remember(batch.rows[~batch.is_wrong], each[~batch.is_wrong])
        return each

    def _remember(self, rows: NDArray[np.int64], losses: NDArray[np.float64]) -> None:
        before = self.losses[rows]
        self.losses[rows] = np.where(np.isnan(before), losses, LOSS_MEMORY * before + (1 - LOSS_MEMORY) * losses)

    def _loss(
        self, batch: Batch, text_losses: torch.Tensor, path_losses: torch.Tensor, letters: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss per letter of good rows with their own texts, and that of doubting, by its weight."""
        kinds = self.kinds[batch.rows]
        corrupted = kinds == "corrupted"
        bad = torch.from_numpy(np.stack([corrupted | batch.is_wrong, corrupted]).astype(np.float32)).to(self.device)
        good = 1 - bad[0]
        reading = (text_losses * good).sum() / (letters * good).sum().clamp(min=1)
        if not self._stage.doubt_weight:
            return reading
        weights = np.select([kinds == "real", kinds == "made"], [self._stage.real_doubt, 0], 1).astype(np.float32)
        doubting = self.doubt_loss(
            text_losses / letters, path_losses / letters, bad, torch.from_numpy(weights).to(self.device)
        )
        return reading + self._stage.doubt_weight * doubting

    def _learning_rate(self) -> float:
        """Linear warm-up, then a cosine down."""
        stage = self._stage
        warmth = min((self.steps + 1) / stage.warmup_steps, 1.0)
        cosine = 0.5 * (1 + math.cos(math.pi * min(self.rows / stage.rows, 1.0)))
        return stage.learning_rate * warmth * (MIN_LEARNING_RATE + (1 - MIN_LEARNING_RATE) * cosine)

    def _follow_average(self) -> None:
        # What the first stage begins with is soon forgotten, random or not: start_share says how much is to stay.
        decay = self.recipe.average_decay
        if self.stage == 0:
            decay = min(decay, (1 + self.steps) / (10 + self.steps))
        _blend(self.average, self.network.state_dict(), 1 - decay)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Keep weight decay off biases, batch norm and the map of doubts."""
        parameters = list(self.network.parameters())
        matrices = [parameter for parameter in parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
        return [
            {"params": matrices, "weight_decay": self.recipe.weight_decay},
            {"params": [*vectors, *self.doubt_loss.parameters()], "weight_decay": 0.0},
        ]


def checked_state(path: Path, recipe: ReaderRecipe, device: str) -> dict[str, Any]:
    """Read a checkpoint of a recipe.

    Raises:
        PenpalError: It is damaged, or of another recipe, or of a version with other fields, which learned otherwise.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise PenpalError(f"{path}: it is damaged; remove it to start over") from error
    if state.get("recipe") not in (None, recipe.to_json()):
        raise PenpalError(
            f"{path}: it belongs to another recipe, or to an earlier version of this package; use that, {OR_START_OVER}"
        )
    return state


def fingerprint(examples: Sequence[Example]) -> str:
    """Return a SHA-256 of what lines say and of how many points their strokes have.

    Points may differ by a rounding where a training is resumed on another machine.
    """
    digest = hashlib.sha256()
    for one in examples:
        digest.update(json.dumps([one.text, one.severity, np.bincount(one.stroke).tolist()]).encode())
    return digest.hexdigest()


_KEPT = ("average", "first", "stage", "rows", "steps")
_STATES = ("network", "doubt_loss", "optimizer")


def _weight(example: Example, stage: Stage) -> float:
    """Return how often a corrupted line is drawn, beside 1."""
    return stage.severity_weights.get(example.severity or "", 1)


def _blend(weights: dict[str, torch.Tensor], others: dict[str, torch.Tensor], share: float) -> None:
    """Move weights towards others, by a share of the way; counts of batches are the others'."""
    for name, value in others.items():
        if value.dtype.is_floating_point:
            weights[name].lerp_(value, share)
        else:
            weights[name].copy_(value)


def _path_losses(log_probabilities: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Return the loss of the likeliest way of each row, [rows]."""
    number = torch.arange(log_probabilities.shape[1], device=log_probabilities.device)
    return -(log_probabilities.amax(dim=-1) * (number[None] < frames[:, None])).sum(dim=1)


def _evenly_drawn(rows: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows, each equally often, give or take once."""
    if not len(rows):
        return rows
    times = [random.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate([*times, rows[:0]])[:count]


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan
