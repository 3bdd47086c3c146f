"""A whole training run: from a recipe, real lines and a generator to a model's folder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx

from penpal_fast.errors import PenpalError
from penpal_fast.evaluation.held_out import RECORD
from penpal_fast.files import made_folder, replaced_atomically
from penpal_fast.handwriting.lines import Split, decided_by, read_split
from penpal_fast.network.config import ModelConfig
from penpal_fast.network.model import QualityClassifier
from penpal_fast.training.examples import Sources, read_splits
from penpal_fast.training.loop import CHECKPOINT, checked_state, train
from penpal_fast.training.measurement import Validation
from penpal_fast.training.recipe import Recipe
from penpal_fast.training.synthetic_lines import SyntheticFile, synthetic_lines
from penpal_fast.training.tuning import tune

TaskProgress = Callable[[str, int, int], None]
"""Called with the task at hand, how much of it is done and its total."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a recipe needs besides itself.

    Attributes:
        real: Parquet file of real lines, with their texts and forms.
        generator: Weights of the handwriting generator; None if the recipe makes no synthetic lines.
        clean: More Parquet files of clean synthetic lines.
        corrupted: More Parquet files of corrupted synthetic lines.
        start: Network to start from; None for random weights.
    """

    real: Path
    generator: Path | None = None
    clean: Sequence[Path] = ()
    corrupted: Sequence[Path] = ()
    start: QualityClassifier | None = None


def run_recipe(
    recipe: Recipe,
    inputs: Inputs,
    work: Path,
    output: Path,
    *,
    progress: TaskProgress = lambda _task, _done, _total: None,
) -> dict[str, float]:
    """Make the synthetic lines, train, tune, calibrate and write the model, and then measure it.

    A killed run is resumed by the same call: the lines that were made and the last checkpoint are in the work folder.

    Args:
        recipe: All choices.
        inputs: The data and the networks.
        work: Folder for the synthetic lines, the log and the checkpoint of this recipe and these inputs alone.
        output: Folder for `config.json`, `weights.safetensors` and `training.json`.
        progress: Called with the task at hand, how much of it is done and its total.

    Returns:
        The figures of the validation lines, which `training.json` has too.

    Raises:
        PenpalError: An input cannot be used, a folder cannot be written to, or `work` holds the files of another recipe
            or of other inputs.
    """
    if inputs.start is not None:
        _check_start(inputs.start.config, recipe.network)
    elif recipe.stages[0].optimization.fixed_statistics:
        raise PenpalError(
            "recipe: the first stage has fixed_statistics, but random weights have none; give a network to start from "
            "(--start), or set it in a later stage"
        )
    _check_folders(work, output)
    prefix = recipe.source_prefix
    real = read_split(inputs.real, prefix)
    _check_split("real", real, prefix)
    if not any(line.text for line in real.validation):
        raise PenpalError(
            f"{inputs.real}: none of its {len(real.validation)} lines to validate on has a text; it needs a column "
            "'text'"
        )
    made_folder(work)
    if (work / CHECKPOINT).exists():
        checked_state(work / CHECKPOINT, recipe)  # What does not fit is said before lines are made.
    made = [(file, _made(file, recipe, inputs, work, progress)) for file in recipe.synthesis]
    clean = [path for file, path in made if not file.plan.corrupted]
    corrupted = [path for file, path in made if file.plan.corrupted]
    sources = Sources(
        real, read_splits([*clean, *inputs.clean], prefix), read_splits([*corrupted, *inputs.corrupted], prefix)
    )
    _check_split("clean", sources.clean, prefix, least=2)  # Calibration needs two scores.
    _check_split("corrupted", sources.corrupted, prefix)
    validation = Validation(sources, recipe)
    model = train(
        sources,
        recipe,
        work,
        start=inputs.start,
        measure=validation.measure,
        progress=lambda done, total: progress("training", done, total),
    )
    if recipe.tuning.generations:
        tune(model, recipe.tuning, validation.measure, lambda done, total: progress("tuning", done, total))
    progress("calibrating", 0, 1)
    calibrate(model, *validation.calibration(model))
    model.save_pretrained(output)
    record: dict[str, Any] = {"recipe": recipe.to_dict()}
    _write_record(record, output)  # The model is complete before it is measured.
    progress("calibrating", 1, 1)
    progress("measuring", 0, 1)
    figures = validation.measure(model)
    _write_record({**record, "validation": figures}, output)
    progress("measuring", 1, 1)
    return figures


def _write_record(record: dict[str, Any], output: Path) -> None:
    with replaced_atomically(output / RECORD) as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _check_split(kind: str, split: Split, prefix: int | None, *, least: int = 1) -> None:
    if not split.train or len(split.validation) < least:
        sources = len({str(line.source)[:prefix] for line in [*split.train, *split.validation]})
        raise PenpalError(
            f"there are {len(split.train)} {kind} lines to train on and {len(split.validation)} to validate on; at "
            f"least 1 and {least} are needed. The recipe's source_prefix lets {decided_by(prefix)} decide the side, of "
            f"which there are {sources}"
        )


def _check_folders(work: Path, output: Path) -> None:
    """Check before hours of work that both folders can be created and written to."""
    for name, folder in (("work folder", work), ("model folder", output)):
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise PenpalError(f"{folder}: cannot be used as the {name}: {existing} is not a writable folder")


def _check_start(found: ModelConfig, expected: ModelConfig) -> None:
    for name in ("channels", "shortcut", "batch_norm"):
        if getattr(found, name) != getattr(expected, name):
            raise PenpalError(
                f"the model to start from has {name} {getattr(found, name)}, the recipe {getattr(expected, name)}"
            )


def calibrate(model: QualityClassifier, scale: float, shift: float) -> None:
    """Fold a linear map of the logits, `scale` and `shift`, into the last layer."""
    model.head.weight = model.head.weight * scale
    model.head.bias = model.head.bias * scale + shift
    mx.eval(model.parameters())


def _made(file: SyntheticFile, recipe: Recipe, inputs: Inputs, work: Path, progress: TaskProgress) -> Path:
    return synthetic_lines(
        file,
        work,
        real=inputs.real,
        generator=inputs.generator,
        prefix=recipe.source_prefix,
        progress=lambda done, total: progress(f"making {file.name}", done, total),
    )
