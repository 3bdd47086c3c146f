"""From real lines and a generator to a trained, calibrated and measured reader."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penpal_fast.checks.quality import Scorer
from penpal_fast.errors import UsageError
from penpal_fast.evaluation.held_out import RECORD
from penpal_fast.evaluation.read_sets import read_sets
from penpal_fast.evaluation.reader_measure import measure_reader
from penpal_fast.evaluation.sets import held_out_lines, read_set, scored_sets
from penpal_fast.extras import needs_extra
from penpal_fast.files import made_folder, replaced_atomically
from penpal_fast.handwriting.lines import is_held_out
from penpal_fast.network.pretrained import CONFIG_FILE, WEIGHTS_FILE
from penpal_fast.reading.reader import Reader
from penpal_fast.reading.weights import load, write_tensors
from penpal_fast.synthesis.texts import read_texts
from penpal_fast.training.reader.examples import Example, read_examples
from penpal_fast.training.reader.made_lines import make_lines
from penpal_fast.training.reader.recipe import ReaderRecipe
from penpal_fast.training.start import check_start
from penpal_fast.training.synthetic_lines import synthetic_lines

MADE = "made"
CHECKPOINT = "checkpoint.pt"
FIGURES_FILE = "figures.json"


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Files to train and measure with.

    Attributes:
        real: Parquet file of real lines in the penpal schema, with columns `text` and `file` or `source`. Forms that
            are held out are measured; they are neither trained on nor written by the generator.
        generator: Weights of a Graves-style generator.
        clean: Parquet file of generated lines with `text`, to calibrate and measure with.
        corrupted: The same with the sampling disturbed, and a column `corruption`.
        start: Reader to start from: a folder or the id of a Hugging Face repository; None for random weights.
    """

    real: Path
    generator: Path
    clean: Path
    corrupted: Path
    start: str | None = None


def train_reader(
    recipe: ReaderRecipe,
    inputs: Inputs,
    work: Path,
    output: Path,
    *,
    processes: int = 1,
    device: str = "cpu",
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Make lines, train, calibrate and measure; write the reader's folder: `config.json`, `weights.safetensors`,
    the recipe as `training.json`, and `figures.json`.

    A killed run is resumed by the same call: the lines that were made and the last checkpoint are in the work folder.

    Args:
        recipe: All settings.
        inputs: Files to train and measure with.
        work: Folder of the made lines and the checkpoint, for this recipe and these inputs alone.
        output: Folder of the reader.
        processes: Processes that make lines, and threads that train on a CPU.
        device: PyTorch's name of what trains, such as "cpu" or "cuda".
        say: Called with a line of text at each checkpoint.

    Returns:
        The figures of `measure_reader`, which `figures.json` has too.

    Raises:
        PenpalError: A file cannot be used, `work` holds the files of another recipe or of other inputs, or PyTorch is
            not installed.
    """
    with needs_extra("train-reader"):
        import torch

        from penpal_fast.training.reader.calibration import calibrated, read
        from penpal_fast.training.reader.loop import Lines, LoopState, Training, checked_state
        from penpal_fast.training.reader.network import folded
        from penpal_fast.training.reader.start import Start
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"device {device!r}: PyTorch cannot use it: {str(error).splitlines()[0]}") from error
    start = None
    if inputs.start is not None:
        check_start(inputs.start, output, recipe.source_prefix)
        start = Start(*load(inputs.start))
        start.check(recipe.network)
    for folder in (work, output):
        made_folder(folder)
    checkpoint = work / CHECKPOINT
    if checkpoint.exists():
        checked_state(checkpoint, recipe, device)  # What does not fit is said before lines are made.
    made = _made(recipe, inputs, work, processes, say)
    clean, corrupted = (_synthetic(recipe, inputs, work, processes, say, corrupted=kind) for kind in (False, True))
    torch.set_num_threads(processes)
    letters = recipe.network.letters
    learned = read_examples(inputs.real, letters, lambda source: not is_held_out(source, recipe.source_prefix))
    training = Training(recipe, Lines(learned, made, clean, corrupted), device, start)
    if checkpoint.exists():
        training.load(checkpoint)
        say(f"{checkpoint}: resumed after {training.rows:,} rows of stage {training.stage + 1}")

    def report(progress: LoopState) -> None:
        training.save(checkpoint)
        say(
            f"stage {progress.stage}, {progress.rows:,} rows: loss per letter {progress.real_loss:.3f} real, "
            f"{progress.synthetic_loss:.3f} synthetic; "
            f"{training.left_out:,} lines say something else than their text"
        )

    network = training.run(report)
    config = calibrated(recipe.network, read(network, read_examples(inputs.clean, letters)))
    # All are written before one is replaced, so that a full disk leaves the reader that was there.
    with (
        replaced_atomically(output / CONFIG_FILE) as described,
        replaced_atomically(output / WEIGHTS_FILE) as weights,
        replaced_atomically(output / RECORD) as record,
    ):
        write_tensors(weights, folded(network))
        described.write_text(config.to_json(), encoding="utf-8")
        record.write_text(recipe.to_json(), encoding="utf-8")
    figures = _figures(recipe, inputs, output, processes)
    with replaced_atomically(output / FIGURES_FILE) as path:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


def _figures(recipe: ReaderRecipe, inputs: Inputs, output: Path, threads: int) -> dict[str, Any]:
    """Measure the finished reader as `penpal-fast evaluate` does."""
    reader = Reader(output, threads=threads)
    sets = scored_sets(
        held_out_lines(read_set([inputs.real]), recipe.source_prefix),
        read_set([inputs.clean]),
        read_set([inputs.corrupted]),
        Scorer(threads=threads),
    )
    return measure_reader(read_sets(sets, reader), reader)


def _made(
    recipe: ReaderRecipe, inputs: Inputs, work: Path, processes: int, say: Callable[[str], None]
) -> list[Example]:
    texts = [text for text in read_texts(inputs.real) if not is_held_out(text.source, recipe.source_prefix)]

    def report(done: int, total: int) -> None:
        say(f"made {done} of {total} parts")

    parts = make_lines(
        texts,
        inputs.generator,
        work / MADE,
        rows=recipe.made_lines,
        seed=recipe.seed,
        processes=processes,
        progress=report,
    )
    return [example for part in parts for example in read_examples(part, recipe.network.letters)]


def _synthetic(
    recipe: ReaderRecipe,
    inputs: Inputs,
    work: Path,
    processes: int,
    say: Callable[[str], None],
    *,
    corrupted: bool,
) -> list[Example]:
    """Make the recipe's files of clean or of corrupted lines, and read them."""
    found: list[Example] = []
    for file in recipe.synthesis:
        if file.plan.corrupted == corrupted:
            path = synthetic_lines(
                file,
                work,
                real=inputs.real,
                generator=inputs.generator,
                prefix=recipe.source_prefix,
                processes=processes,
            )
            say(f"made {file.name}")
            found += read_examples(path, recipe.network.letters)
    return found
