"""Trains the bundled weights on real, clean synthetic and corrupted synthetic lines.

    cd python/penpal_fast/training/recipes
    python -m penpal_fast.training.first_weights DATA -o /tmp/first --recipe first.json
    python -m penpal_fast.training.first_weights DATA -o ../../pretrained --recipe second.json --start /tmp/first

DATA is a folder with `iam_ondb_lines.parquet`, `clean_lines.parquet` and `corrupted_lines.parquet`. Two settings make a
step of 32 pictures on two cores of a Linux CPU take 0.35 s instead of 1.6: OpenBLAS in place of MLX's own BLAS, and a
glibc that keeps freed memory instead of having the kernel clear it anew:

    LD_PRELOAD=libopenblas.so.0 MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 python -m ...
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import typer
from mlx.utils import tree_map

from penpal_fast._core import Rows
from penpal_fast.bulk.summary import THRESHOLDS
from penpal_fast.mlx_memory import writable_canvases
from penpal_fast.network.model import QualityClassifier
from penpal_fast.training.lines import Line, Split, bend, cut, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from penpal_fast.network.config import ModelConfig

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Every choice of a stage of the training.

    Attributes:
        images: Number of pictures to train on.
        batch_size: Pictures of a step.
        learning_rate: Peak of the learning rate, reached after the warm-up; a cosine brings it to a hundredth.
        warmup_share: Share of the steps that warm up.
        weight_decay: Of AdamW.
        average_decay: Of the running average of the weights, which is what is kept.
        real_share: Share of real lines among the pictures.
        clean_share: Share of clean synthetic lines; the rest is corrupted.
        cut_share: Share of the real lines that are cut to 1 to 6 words, lest the network learn length.
        clean_cut_share: The same of clean synthetic lines.
        corrupted_cut_share: The same of corrupted lines.
        bend_share: Share of all lines that are bent a little.
        seed: Of the weights and of the order of the lines.
    """

    images: int = 120_000
    batch_size: int = 32
    learning_rate: float = 4e-3
    warmup_share: float = 0.05
    weight_decay: float = 0.02
    average_decay: float = 0.999
    real_share: float = 0.45
    clean_share: float = 0.25
    cut_share: float = 0.5
    clean_cut_share: float = 0.0
    corrupted_cut_share: float = 0.0
    bend_share: float = 0.5
    seed: int = 1

    @property
    def steps(self) -> int:
        """Number of optimizer steps."""
        return self.images // self.batch_size


@dataclasses.dataclass(frozen=True)
class Sources:
    """The three kinds of lines with their targets: real 1, clean synthetic 0.5, corrupted synthetic 0."""

    real: Split
    clean: Split
    corrupted: Split

    @classmethod
    def read(cls, folder: Path) -> Sources:
        """Read the three Parquet files of a folder; real lines are split by form."""
        return cls(
            real=read_lines(folder / "iam_ondb_lines.parquet", group_column="file"),
            clean=read_lines(folder / "clean_lines.parquet"),
            corrupted=read_lines(folder / "corrupted_lines.parquet"),
        )


class Canvases:
    """A batch of pictures that are rendered again and again into the same MLX memory."""

    def __init__(self, batch_size: int, line_width: float) -> None:
        """Allocate the pictures of one batch."""
        self.array, self._view = writable_canvases(batch_size)
        self._line_width = line_width

    def render(self, rows: list[Any]) -> mx.array:
        """Render rows, at most a batch of them. The result is valid until the next call."""
        problems = Rows(rows).render_into(self._view[: len(rows)], 0, self._line_width, 0)
        if problems:
            raise ValueError(f"a training row cannot be rendered: {problems[0]}")
        return self.array[: len(rows)]


def batches(sources: Sources, recipe: Recipe) -> Iterator[tuple[list[Any], NDArray[np.float32]]]:
    """Yield rows and targets, drawn at random by the recipe's shares."""
    random = np.random.default_rng(recipe.seed)

    def pick(lines: list[Line]) -> Line:
        return lines[int(random.integers(len(lines)))]

    while True:
        rows, targets = [], []
        for kind in random.random(recipe.batch_size):
            if kind < recipe.real_share:
                line, share, target = pick(sources.real.train), recipe.cut_share, 1.0
            elif kind < recipe.real_share + recipe.clean_share:
                line, share, target = pick(sources.clean.train), recipe.clean_cut_share, 0.5
            else:
                line, share, target = pick(sources.corrupted.train), recipe.corrupted_cut_share, 0.0
            strokes = cut(line, random) if random.random() < share else line.strokes()
            rows.append(bend(strokes, random) if random.random() < recipe.bend_share else strokes)
            targets.append(target)
        yield rows, np.array(targets, dtype=np.float32)


def train(
    sources: Sources, recipe: Recipe, model: QualityClassifier, *, report: Callable[[str], None]
) -> QualityClassifier:
    """Train a network in place and return the running average of its weights, in evaluation mode."""
    config = model.config
    model.train()
    warmup = max(int(recipe.steps * recipe.warmup_share), 1)
    schedule = optim.join_schedules(
        [
            optim.linear_schedule(0.0, recipe.learning_rate, warmup),
            optim.cosine_decay(recipe.learning_rate, max(recipe.steps - warmup, 1), recipe.learning_rate * 0.01),
        ],
        [warmup],
    )
    optimizer = optim.AdamW(learning_rate=schedule, weight_decay=recipe.weight_decay)

    def loss_of(model: QualityClassifier, images: mx.array, targets: mx.array) -> mx.array:
        return nn.losses.binary_cross_entropy(model(images), targets, with_logits=True, reduction="mean")

    loss_and_gradients = nn.value_and_grad(model, loss_of)
    canvases = Canvases(recipe.batch_size, config.line_width)
    average = tree_map(mx.array, model.parameters())
    losses, start = [], time.monotonic()
    for step, (rows, targets) in zip(range(1, recipe.steps + 1), batches(sources, recipe), strict=False):
        loss, gradients = loss_and_gradients(model, canvases.render(rows), mx.array(targets))
        optimizer.update(model, gradients)
        decay = min(recipe.average_decay, step / (step + 10))
        average = tree_map(lambda mean, now, decay=decay: decay * mean + (1 - decay) * now, average, model.parameters())
        mx.eval(model.parameters(), optimizer.state, average, loss)
        losses.append(loss.item())
        if step % 250 == 0 or step == recipe.steps:
            rate = step * recipe.batch_size / (time.monotonic() - start)
            report(f"step {step}/{recipe.steps}: loss {np.mean(losses[-250:]):.4f}, {rate:.0f} pictures/s")
        if step % 1000 == 0:
            model.eval()
            report(json.dumps(measure(averaged(config, average), sources)))
            model.train()
    return averaged(config, average)


def averaged(config: ModelConfig, parameters: Any) -> QualityClassifier:
    """Make a model of given parameters, in evaluation mode."""
    model = QualityClassifier(config)
    model.update(parameters)
    model.eval()
    return model


def logits(model: QualityClassifier, rows: list[Any], *, batch_size: int = 32) -> NDArray[np.float64]:
    """Score rows, as logits."""
    canvases = Canvases(batch_size, model.config.line_width)
    parts = []
    for start in range(0, len(rows), batch_size):
        scores = model(canvases.render(rows[start : start + batch_size]))
        mx.eval(scores)
        parts.append(np.array(scores, dtype=np.float64))
    return np.concatenate(parts)


def area_under_curve(higher: NDArray[np.float64], lower: NDArray[np.float64]) -> float:
    """Return the chance that a random one of `higher` scores above a random one of `lower`; ties count half."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(below.mean() / (2 * len(lower)))


def kept(logits: NDArray[np.float64], threshold: float) -> float:
    """Return the share of rows that score at or above a threshold."""
    return round(float((1 / (1 + np.exp(-logits)) >= threshold).mean()), 4)


def measure(model: QualityClassifier, sources: Sources, *, seed: int = 0) -> dict[str, float]:
    """Measure how the validation lines of the sources are told apart."""
    random = np.random.default_rng(seed)
    real = logits(model, [line.strokes() for line in sources.real.validation])
    short = logits(model, [cut(line, random) for line in sources.real.validation])
    clean = logits(model, [line.strokes() for line in sources.clean.validation])
    corrupted = logits(model, [line.strokes() for line in sources.corrupted.validation])
    return {
        "auc_real_corrupted": round(area_under_curve(real, corrupted), 4),
        "auc_real_clean": round(area_under_curve(real, clean), 4),
        "auc_short_real_corrupted": round(area_under_curve(short, corrupted), 4),
        "auc_short_real_clean": round(area_under_curve(short, clean), 4),
        "auc_clean_corrupted": round(area_under_curve(clean, corrupted), 4),
        "median_real": round(float(1 / (1 + np.exp(-np.median(real)))), 4),
        "median_clean": round(float(1 / (1 + np.exp(-np.median(clean)))), 4),
        "median_corrupted": round(float(1 / (1 + np.exp(-np.median(corrupted)))), 4),
        **{f"kept_real_{threshold}": kept(real, threshold) for threshold in THRESHOLDS.values()},
        **{f"kept_clean_{threshold}": kept(clean, threshold) for threshold in THRESHOLDS.values()},
        **{f"kept_corrupted_{threshold}": kept(corrupted, threshold) for threshold in THRESHOLDS.values()},
        "rows_real": len(real),
        "rows_clean": len(clean),
        "rows_corrupted": len(corrupted),
    }


def run(
    data: Annotated[Path, typer.Argument(help="Folder with the three Parquet files.", exists=True, file_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for config.json and weights.safetensors.")],
    recipe_file: Annotated[Path, typer.Option("--recipe", help="JSON file with the fields of Recipe.", exists=True)],
    start: Annotated[Path | None, typer.Option(help="Folder of a model to train further.", exists=True)] = None,
) -> None:
    """Train the network and write it, with the figures it reached on lines it was not trained on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = Recipe(**json.loads(recipe_file.read_text()))
    sources = Sources.read(data)
    mx.random.seed(recipe.seed)
    model = QualityClassifier.from_pretrained(start) if start else QualityClassifier()
    model = train(sources, recipe, model, report=log.info)
    model.save_pretrained(output)
    figures = measure(model, sources)
    earlier = json.loads((start / "training.json").read_text())["stages"] if start else []
    record = {"stages": [*earlier, dataclasses.asdict(recipe)], "validation": figures}
    (output / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    log.info(json.dumps(figures))


if __name__ == "__main__":
    typer.run(run)
