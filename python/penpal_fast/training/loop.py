"""The optimization: steps over examples, with checkpoints to go on from."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
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
from penpal_fast.network.model import QualityClassifier
from penpal_fast.training.examples import Canvases, Examples, Sources
from penpal_fast.training.gradients import gradient_of, squashed
from penpal_fast.training.recipe import Optimization, Recipe

CHECKPOINT = "checkpoint.safetensors"
LOG = "training.jsonl"


class Training:
    """A network in a stage of its training, with the running average of its weights."""

    def __init__(self, recipe: Recipe, number: int = 0, start: QualityClassifier | None = None) -> None:
        """Begin a stage, counted from 0, with random weights or with those of a network."""
        self.plan = recipe.stages[number].optimization
        mx.random.seed(self.plan.seed)
        self.recipe = recipe
        self.number = number
        self.model = QualityClassifier(recipe.network)
        if start is not None:
            self.model.update(start.parameters())
        self.start = tree_map(mx.array, self.model.parameters())
        self.model.train()
        self.optimizer = optim.AdamW(learning_rate=_schedule(self.plan), weight_decay=self.plan.weight_decay)
        self.optimizer.init(self.model.trainable_parameters())
        self.average = tree_map(mx.array, self.model.parameters())
        self.done = 0
        self.slope = Slope(self.plan.length_price, self.plan.length_lean)
        self._gradient = gradient_of(self.model)

    def step(self, pictures: mx.array, targets: NDArray[np.float32], lengths: NDArray[np.float32]) -> float:
        """Take one step and return its loss; see `Batch` for the arguments.

        Raises:
            PenpalError: The loss is not finite; the weights stay as they were.
        """
        slopes = self.slope.price * np.nan_to_num(lengths, nan=0.0)
        loss, logits, gradients = self._gradient(pictures, mx.array(targets), mx.array(slopes))
        value = float(np.array(loss))
        if not math.isfinite(value):
            raise PenpalError(
                f"training diverged at step {self.done + 1} of stage {self.number + 1}; lower its learning_rate"
            )
        self.optimizer.update(self.model, gradients)
        self.done += 1
        # At first the average follows quickly, lest it remember the random weights.
        decay = min(self.plan.average_decay, self.done / (self.done + 10))
        self.average = tree_map(
            lambda mean, now: decay * mean + (1 - decay) * now, self.average, self.model.parameters()
        )
        mx.eval(self.model.state, self.optimizer.state, self.average)
        if self.done >= self.plan.level_from * self.plan.steps:
            self.slope.observe(np.array(logits), lengths)
        return value

    def averaged(self) -> QualityClassifier:
        """Return a network of what is kept of the weights, in evaluation mode."""
        model, share = QualityClassifier(self.recipe.network), self.plan.start_share
        model.update(tree_map(lambda start, mean: share * start + (1 - share) * mean, self.start, self.average))
        model.eval()
        return model

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        trees = {
            "start": self.start,
            "model": self.model.parameters(),
            "average": self.average,
            "optimizer": self.optimizer.state,
        }
        arrays = {
            f"{name}.{key}": value for name, tree in trees.items() for key, value in dict(tree_flatten(tree)).items()
        }
        with replaced_atomically(path) as aside:
            named = aside.with_suffix(".safetensors")
            mx.save_safetensors(str(named), arrays, _metadata(self))
            named.rename(aside)

    @classmethod
    def load(cls, path: Path, recipe: Recipe) -> Training:
        """Go on from a checkpoint.

        Raises:
            PenpalError: It is of another recipe.
        """
        loaded: Any = mx.load(str(path), return_metadata=True)
        arrays, metadata = loaded
        if metadata.get("recipe") != _said(recipe):
            raise PenpalError(f"{path}: it is of another recipe; use that one, or remove the file to start anew")

        def tree(name: str) -> Any:
            kept = f"{name}."
            return tree_unflatten([(key.removeprefix(kept), arrays[key]) for key in arrays if key.startswith(kept)])

        training = cls(recipe, int(metadata["stage"]))
        training.model.update(tree("model"))
        training.start = tree("start")
        training.average = tree("average")
        training.optimizer.state = tree("optimizer")
        training.done = int(metadata["step"])
        training.slope = Slope(**json.loads(metadata["slope"]))
        return training


def train(
    sources: Sources,
    recipe: Recipe,
    folder: Path,
    *,
    start: QualityClassifier | None,
    measure: Callable[[QualityClassifier], dict[str, float]],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> QualityClassifier:
    """Train a network, stage by stage, and return the average of its weights.

    Args:
        sources: What to learn from.
        recipe: How.
        folder: Where the log and the checkpoint are; a checkpoint that is there is gone on from.
        start: Network to start from; None for random weights.
        measure: Measures a network at every checkpoint, for the log.
        progress: Called with the steps done and those planned, of all stages.
    """
    checkpoint = folder / CHECKPOINT
    training = Training.load(checkpoint, recipe) if checkpoint.exists() else Training(recipe, 0, start)
    total = sum(stage.optimization.steps for stage in recipe.stages)
    before = sum(stage.optimization.steps for stage in recipe.stages[: training.number])
    while True:
        examples = Examples(sources, recipe.stages[training.number], recipe.network.line_width)

        def report(done: int, before: int = before) -> None:
            progress(before + done, total)

        for entry in _stage(training, examples, checkpoint, report):
            with (folder / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({**entry, **measure(training.averaged())}) + "\n")
        before += training.plan.steps
        if training.number + 1 == len(recipe.stages):
            return training.averaged()
        training = Training(recipe, training.number + 1, training.averaged())


def _stage(
    training: Training, examples: Examples, checkpoint: Path, progress: Callable[[int], None]
) -> Iterator[dict[str, float]]:
    """Take a stage's steps, and yield what is to be logged at every checkpoint."""
    plan, canvases = training.plan, Canvases(training.plan.batch_size)
    losses: list[float] = []
    started, first = time.monotonic(), training.done
    # While a step is computed, the next one's lines are chosen and changed.
    with concurrent.futures.ThreadPoolExecutor(1) as chooser:
        following = chooser.submit(examples.step, training.done)
        while training.done < plan.steps:
            batch = following.result()
            following = chooser.submit(examples.step, training.done + 1)
            pictures = canvases.render(batch.rows, batch.line_width)
            losses.append(training.step(pictures, batch.targets, batch.lengths))
            progress(training.done)
            if training.done % plan.checkpoint_steps == 0 or training.done == plan.steps:
                training.save(checkpoint)
                rate = (training.done - first) * plan.batch_size / (time.monotonic() - started)
                yield {
                    "stage": training.number + 1,
                    "step": training.done,
                    "loss": round(float(np.mean(losses)), 4),
                    "pictures_per_s": round(rate),
                    "length_price": round(training.slope.price, 4),
                }
                losses.clear()
                # The time that the caller takes to measure is not counted.
                started, first = time.monotonic(), training.done


def _schedule(plan: Optimization) -> Any:
    warmup = max(int(plan.steps * plan.warmup_share), 1)
    return optim.join_schedules(
        [
            optim.linear_schedule(0.0, plan.learning_rate, warmup),
            optim.cosine_decay(plan.learning_rate, max(plan.steps - warmup, 1), plan.learning_rate * 0.01),
        ],
        [warmup],
    )


@dataclasses.dataclass
class Slope:
    """How the score of whole real lines leans on their length, and the price that is put on it.

    More letters are more evidence, so a longer line of real handwriting ends up higher. The price is a Lagrange
    multiplier: it rises for as long as scores grow with length by more than is let be, and falls when by less.
    """

    price: float = 0.0
    lean: float = 0.0
    excess: float = 0.0

    def observe(self, logits: NDArray[np.float32], lengths: NDArray[np.float32]) -> None:
        """Take note of a step."""
        whole = ~np.isnan(lengths)
        if whole.sum() < 2:
            return
        found = np.array(squashed(mx.array(logits[whole])))
        covariance = float(np.mean((found - found.mean()) * (lengths[whole] - lengths[whole].mean())))
        self.excess += 0.02 * (covariance - self.lean * float(found.std()) - self.excess)
        self.price = min(max(self.price + 0.005 * self.excess, 0.0), 1.0)


def _metadata(training: Training) -> dict[str, str]:
    return {
        "stage": str(training.number),
        "step": str(training.done),
        "recipe": _said(training.recipe),
        "slope": json.dumps(dataclasses.asdict(training.slope)),
    }


def _said(recipe: Recipe) -> str:
    return json.dumps(recipe.to_dict(), sort_keys=True)
