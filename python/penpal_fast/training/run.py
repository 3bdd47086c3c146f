"""A whole training, from a recipe, real lines and a generator to a model's folder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import mlx.core as mx

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.handwriting.lines import Split, is_held_out, read_split
from penpal_fast.network.config import ModelConfig
from penpal_fast.network.model import QualityClassifier
from penpal_fast.synthesis.texts import read_texts
from penpal_fast.synthesis.workers import is_of_plan, synthesize
from penpal_fast.training.examples import Sources, read_splits
from penpal_fast.training.loop import CHECKPOINT, train
from penpal_fast.training.measurement import Validation
from penpal_fast.training.recipe import Making, Recipe

Progress = Callable[[str, int, int], None]

RECORD = "training.json"
"""File of the model's folder that says how it was trained."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a recipe needs besides itself.

    Attributes:
        real: Parquet file of real lines, with their texts and the forms they come from.
        generator: Weights of the handwriting generator; None if nothing is to be made.
        clean: Further Parquet files of clean synthetic lines.
        corrupted: Further Parquet files of corrupted synthetic lines.
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
    resume: bool = False,
    progress: Progress = lambda _what, _done, _total: None,
) -> None:
    """Make the synthetic lines, train, calibrate and write the model.

    Args:
        recipe: What to do.
        inputs: What to do it with.
        work: Folder for the synthetic lines, the log and the checkpoint.
        output: Folder for `config.json`, `weights.safetensors` and `training.json`.
        resume: Go on with what an earlier run of the same recipe left in `work`.
        progress: Called with what is being done, how much of it is done and how much there is.

    Raises:
        PenpalError: Something cannot be read, or `work` holds another run's files.
    """
    if inputs.start is not None:
        _check_start(inputs.start.config, recipe.network)
    _check_folders(work, output)
    real = read_split(inputs.real)
    _check_kind("real", real)
    work.mkdir(parents=True, exist_ok=True)
    if not resume and (work / CHECKPOINT).exists():
        raise PenpalError(f"{work}: an earlier training is there: go on with --resume, or name another folder")
    made = {making.name: _make(making, inputs, work, resume, progress) for making in recipe.synthesis}
    corrupted = [made[making.name] for making in recipe.synthesis if making.plan.corrupted]
    clean = [made[making.name] for making in recipe.synthesis if not making.plan.corrupted]
    sources = Sources(real, read_splits([*clean, *inputs.clean]), read_splits([*corrupted, *inputs.corrupted]))
    _check_kind("clean", sources.clean)
    _check_kind("corrupted", sources.corrupted)
    validation = Validation(sources, recipe)
    model = train(
        sources,
        recipe,
        work,
        start=inputs.start,
        measure=validation.measure,
        progress=lambda done, total: progress("training", done, total),
    )
    figures = validation.measure(model)
    calibrate(model, *validation.calibration(model))
    model.save_pretrained(output)
    record = {"recipe": recipe.to_dict(), "validation": figures}
    with replaced_atomically(output / RECORD) as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _check_kind(kind: str, split: Split) -> None:
    if not split.train or not split.validation:
        raise PenpalError(
            f"there are {len(split.train)} {kind} lines to train on and {len(split.validation)} to validate on; "
            f"both are needed"
        )


def _check_folders(work: Path, output: Path) -> None:
    """Refuse, before hours of work, folders that cannot be made or written to."""
    for what, folder in (("the work folder", work), ("the model's folder", output)):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise PenpalError(f"{folder}: cannot be {what}: {there} is no folder that can be written to")


def _check_start(found: ModelConfig, wanted: ModelConfig) -> None:
    for name in ("channels", "shortcut", "batch_norm"):
        if getattr(found, name) != getattr(wanted, name):
            raise PenpalError(
                f"the model to start from has {name} {getattr(found, name)}, and the recipe {getattr(wanted, name)}"
            )


def calibrate(model: QualityClassifier, scale: float, shift: float) -> None:
    """Fold a map of the logits, `scale` times them plus `shift`, into the last layer."""
    model.head.weight = model.head.weight * scale
    model.head.bias = model.head.bias * scale + shift
    mx.eval(model.parameters())


def _make(making: Making, inputs: Inputs, work: Path, resume: bool, progress: Progress) -> Path:
    """Make a file of synthetic lines, unless it is there."""
    path = work / f"{making.name}.parquet"
    if path.exists():
        if not resume:
            raise PenpalError(f"{path}: it is there already: go on with --resume, or name another folder")
        if not is_of_plan(path, making.plan):
            raise PenpalError(f"{path}: the recipe's plan would not make this file: remove it, or name another folder")
        return path
    if inputs.generator is None:
        raise PenpalError("the recipe makes synthetic lines, which takes a generator: name its weights")
    held_out = making.split == "validation"
    texts = [text for text in read_texts(inputs.real) if is_held_out(text.source) == held_out]
    if not texts:
        raise PenpalError(f"{inputs.real}: none of its texts is of a form that is for {making.split}")
    synthesize(
        making.plan,
        texts,
        inputs.generator,
        path,
        resume=resume,
        processes=os.cpu_count(),
        progress=lambda done, total: progress(f"making {making.name}", done, total),
    )
    return path
