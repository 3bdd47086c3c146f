"""The optimization: steps over examples, with checkpoints to resume from."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_map, tree_unflatten
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.handwriting.lines import EARLIER_PREFIX
from penpal_fast.network.model import QualityClassifier
from penpal_fast.progress import Progress, no_progress
from penpal_fast.training.examples import Canvases, Examples, Sources
from penpal_fast.training.gradients import gradient_of, squashed
from penpal_fast.training.log import Log
from penpal_fast.training.optimizer import Muon
from penpal_fast.training.recipe import Optimization, Recipe

CHECKPOINT = "checkpoint.safetensors"
LOG = "training.jsonl"
OR_START_OVER = "or, to start over, choose another work folder or remove the file"

OPTIMIZERS = {"adamw": optim.AdamW, "muon": Muon}


logger = logging.getLogger(__name__)


class Training:
    """A network in one stage of its training, with the running average of its weights."""

    def __init__(
        self, recipe: Recipe, stage: int = 0, start: QualityClassifier | None = None, inputs: str = ""
    ) -> None:
        """Begin a stage with random weights or the weights of a network.

        Args:
            recipe: All choices.
            stage: The stage, counted from 0.
            start: The network; None for random weights.
            inputs: What `fingerprint` makes of the whole training's inputs, for its checkpoints.
        """
        self.optimization = recipe.stages[stage].optimization
        mx.random.seed(self.optimization.seed)
        self.recipe = recipe
        self.stage = stage
        self.inputs = inputs
        self.model = QualityClassifier(recipe.network)
        if start is not None:
            self.model.update(start.parameters())
        self.start = tree_map(mx.array, self.model.parameters())
        self.model.train(not self.optimization.fixed_statistics)
        optimizer = OPTIMIZERS[self.optimization.optimizer]
        self.optimizer = optimizer(_learning_rates(self.optimization), weight_decay=self.optimization.weight_decay)
        self.optimizer.init(self.model.trainable_parameters())
        self.average = tree_map(mx.array, self.model.parameters())
        self.done = 0
        self.slope = Slope(self.optimization.length_price, self.optimization.length_lean)
        self._gradient = gradient_of(self.model)

    def step(self, pictures: mx.array, targets: NDArray[np.float32], lengths: NDArray[np.float32]) -> float:
        """Take one step and return its loss; see `Batch` for the arguments.

        Raises:
            PenpalError: The loss is not finite.
        """
        slopes = self.slope.price * np.nan_to_num(lengths, nan=0.0)
        loss, logits, gradients = self._gradient(pictures, mx.array(targets), mx.array(slopes))
        value = float(np.array(loss))
        if not math.isfinite(value):
            raise self._diverged()
        self.optimizer.update(self.model, gradients)
        self.done += 1
        # At first the average follows quickly, to forget the random weights.
        decay = min(self.optimization.average_decay, self.done / (self.done + 10))
        self.average = tree_map(
            lambda mean, now: decay * mean + (1 - decay) * now, self.average, self.model.parameters()
        )
        mx.eval(self.model.state, self.optimizer.state, self.average)
        if self.done >= self.optimization.level_from * self.optimization.steps:
            self.slope.observe(np.array(logits), lengths)
        return value

    @property
    def place(self) -> dict[str, float]:
        """The stage, counted from 1, and the steps that are done, for the log."""
        return {"stage": self.stage + 1, "step": self.done}

    def following(self) -> Training:
        """Begin the next stage with the result of this one."""
        training = Training(self.recipe, self.stage + 1, self.averaged(), self.inputs)
        if training.optimization.keeps_start:
            training.start = self.start
        return training

    def averaged(self) -> QualityClassifier:
        """Return the stage's result so far, in evaluation mode: the running average, mixed with its share of the first
        weights."""
        model, share = QualityClassifier(self.recipe.network), self.optimization.start_share
        model.update(tree_map(lambda start, mean: share * start + (1 - share) * mean, self.start, self.average))
        model.eval()
        return model

    def _diverged(self) -> PenpalError:
        return PenpalError(
            f"training diverged after step {self.done} of stage {self.stage + 1}; lower its learning_rate"
        )

    def save(self, path: Path) -> None:
        """Write a checkpoint.

        Raises:
            PenpalError: A weight is not finite; nothing is written.
        """
        for model in (self.model, self.averaged()):
            if not all(np.isfinite(values).all() for values in model.tensors().values()):
                raise self._diverged()
        trees = {
            "start": self.start,
            "model": self.model.parameters(),
            "average": self.average,
            "optimizer": self.optimizer.state,
        }
        arrays = {
            f"{name}.{key}": value for name, tree in trees.items() for key, value in dict(tree_flatten(tree)).items()
        }
        metadata = {
            "stage": str(self.stage),
            "step": str(self.done),
            "recipe": _recipe_text(self.recipe),
            "inputs": self.inputs,
            "slope": json.dumps(dataclasses.asdict(self.slope)),
        }
        with replaced_atomically(path) as aside, aside.open("wb") as file:
            mx.save_safetensors(file, arrays, metadata)

    @classmethod
    def load(cls, path: Path, recipe: Recipe, inputs: str = "") -> Training:
        """Resume from a checkpoint.

        Raises:
            PenpalError: The checkpoint is damaged, or belongs to another recipe or to other inputs.
        """
        arrays, metadata = checked_state(path, recipe)
        # Earlier versions did not note the inputs.
        if metadata.get("inputs", inputs) != inputs:
            raise PenpalError(
                f"{path}: it was made from other lines to train on, or another network to start from (--start); give "
                f"those, {OR_START_OVER}"
            )

        def tree(name: str) -> Any:
            prefix = f"{name}."
            return tree_unflatten([(key.removeprefix(prefix), arrays[key]) for key in arrays if key.startswith(prefix)])

        training = cls(recipe, int(metadata["stage"]), inputs=inputs)
        training.model.update(tree("model"))
        training.start = tree("start")
        training.average = tree("average")
        training.optimizer.state = tree("optimizer")
        training.done = int(metadata["step"])
        training.slope = Slope(**json.loads(metadata["slope"]))
        return training


def checked_state(path: Path, recipe: Recipe) -> tuple[dict[str, mx.array], dict[str, str]]:
    """Read the arrays and the metadata of a checkpoint of a recipe, whose tuning may be another: it comes afterwards.

    Raises:
        PenpalError: It is damaged, or of another recipe.
    """
    try:
        loaded: Any = mx.load(str(path), return_metadata=True)
    except (RuntimeError, ValueError) as error:
        raise PenpalError(f"{path}: it is damaged; remove it to start over: {error}") from error
    arrays, metadata = loaded
    found = _known_recipe(metadata.get("recipe", ""))
    if found is None or dataclasses.replace(found, tuning=recipe.tuning) != recipe:
        raise PenpalError(f"{path}: it belongs to another recipe; use that recipe, {OR_START_OVER}")
    return arrays, metadata


def train(
    sources: Sources,
    recipe: Recipe,
    folder: Path,
    *,
    start: QualityClassifier | None,
    measure: Callable[[QualityClassifier], dict[str, float]],
    progress: Progress = no_progress,
) -> QualityClassifier:
    """Train a network, stage by stage, and return the result of the last stage.

    Args:
        sources: The lines to learn from.
        recipe: The choices.
        folder: Folder of the log and the checkpoint; training resumes from a checkpoint in it.
        start: Network to start from; None for random weights.
        measure: Measures a network at every checkpoint, for the log.
        progress: Called with the steps done and the steps planned, over all stages.
    """
    checkpoint, log = folder / CHECKPOINT, Log(folder / LOG)
    inputs = fingerprint(sources, start)
    if checkpoint.exists():
        training = Training.load(checkpoint, recipe, inputs)
        logger.info("%s: resumed after step %d of stage %d", checkpoint, training.done, training.stage + 1)
        if not log.has(training.place):  # The run was killed between the checkpoint and its entry.
            log.add({**training.place, **measure(training.averaged())})
    else:
        training = Training(recipe, 0, start, inputs)
        log.clear()
    while True:
        examples = Examples(sources, recipe.stages[training.stage], recipe.network.line_width)
        for entry in _checkpoints(training, examples, checkpoint, progress):
            log.add({**training.place, **entry, **measure(training.averaged())})
        if training.stage + 1 == len(recipe.stages):
            return training.averaged()
        training = training.following()


def _checkpoints(training: Training, examples: Examples, path: Path, progress: Progress) -> Iterator[dict[str, float]]:
    """Take the steps of a stage, and yield an entry of the log at every checkpoint."""
    optimization = training.optimization
    steps = [stage.optimization.steps for stage in training.recipe.stages]
    before, total = sum(steps[: training.stage]), sum(steps)
    canvases = Canvases(optimization.batch_size)
    losses: list[float] = []
    started, first = time.monotonic(), training.done
    # A thread prepares the lines of the next step while this step is computed.
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        following = executor.submit(examples.step, training.done)
        while training.done < optimization.steps:
            batch = following.result()
            following = executor.submit(examples.step, training.done + 1)
            pictures = canvases.render(batch.rows, batch.line_width)
            losses.append(training.step(pictures, batch.targets, batch.lengths))
            progress(before + training.done, total)
            if training.done % optimization.checkpoint_steps == 0 or training.done == optimization.steps:
                training.save(path)
                rate = (training.done - first) * optimization.batch_size / (time.monotonic() - started)
                yield {
                    "loss": round(float(np.mean(losses)), 4),
                    "pictures_per_s": round(rate),
                    "length_price": round(training.slope.price, 4),
                }
                losses.clear()
                # The caller's measurement is not part of the rate.
                started, first = time.monotonic(), training.done


def _learning_rates(optimization: Optimization) -> Any:
    warmup = max(int(optimization.steps * optimization.warmup_share), 1)
    peak, decay_steps = optimization.learning_rate, max(optimization.steps - warmup, 1)
    return optim.join_schedules(
        [optim.linear_schedule(0.0, peak, warmup), optim.cosine_decay(peak, decay_steps, peak * 0.01)], [warmup]
    )


@dataclasses.dataclass
class Slope:
    """How the score of whole real lines grows with their length, and the price of that growth.

    More letters are more evidence, so a longer line of real handwriting scores higher. The price is a Lagrange
    multiplier: it rises while scores grow with length by more than `lean` allows, and falls while they grow by less.

    Attributes:
        price: Factor of the growth in the loss, from 0 to 1.
        lean: Correlation of score and length that is allowed.
        excess: Running mean of the growth beyond it.
    """

    price: float = 0.0
    lean: float = 0.0
    excess: float = 0.0

    def observe(self, logits: NDArray[np.float32], lengths: NDArray[np.float32]) -> None:
        """Update the price after a step."""
        whole = ~np.isnan(lengths)
        if whole.sum() < 2:
            return
        found = np.array(squashed(mx.array(logits[whole])))
        covariance = float(np.mean((found - found.mean()) * (lengths[whole] - lengths[whole].mean())))
        self.excess += 0.02 * (covariance - self.lean * float(found.std()) - self.excess)
        self.price = min(max(self.price + 0.005 * self.excess, 0.0), 1.0)


def fingerprint(sources: Sources, start: QualityClassifier | None) -> str:
    """Return a SHA-256 of the lines to train on and of the network to start from."""
    digest = hashlib.sha256()
    for split in (sources.real, sources.clean, sources.corrupted):
        digest.update(f"{len(split.train)} lines".encode())
        for line in split.train:
            lengths = [[len(stroke) for stroke in word] for word in line.words]
            digest.update(json.dumps([line.text, line.source, line.severity, lengths]).encode())
            for stroke in line.strokes():
                digest.update(stroke.tobytes())
    for name, values in start.tensors().items() if start is not None else ():
        digest.update(name.encode() + values.tobytes())
    return digest.hexdigest()


def _recipe_text(recipe: Recipe) -> str:
    return json.dumps(recipe.to_dict(), sort_keys=True)


def _known_recipe(text: str) -> Recipe | None:
    """Read the recipe of a checkpoint; None if it is unknown.

    Fields that were added since have their defaults, but an earlier version did not say which part of a source decides.
    """
    try:
        return Recipe.from_dict({"source_prefix": EARLIER_PREFIX, **json.loads(text)})
    except (PenpalError, ValueError):
        return None
