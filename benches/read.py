"""Strokes to readings: rows a second, errors and what a filter tells apart, against a recognizer of pictured text.

    python benches/read.py [LINES.parquet]

Everything is on the same number of threads, and times begin with strokes: Arrow for penpal_fast, NumPy for drawing.
The recognizer has a process of one thread for each of them, since more threads of one session serve it badly.
`match` reads each row and compares it with its text. `score and match` is what a job with `--text` does with a batch.
The recognizer is timed on fewer of the same lines, since it takes much longer, with and without drawing them. All take
turns; the ratios are medians over the rounds.

The errors are measured on real lines of forms that were not trained on and on generated ones, the same for both. As a
match the recognizer has 1 - its character error rate against the text, as readability the confidence it gives.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.table import Table

from measuring import (
    EXAMPLE_LINES,
    REAL_LINES,
    as_arrays,
    options_parser,
    positive,
    print_times,
    read_lines,
    take_turns,
)
from penpal_fast import Reader, Scorer
from penpal_fast._core import Rows, path, peak_multiplications
from penpal_fast.errors import PenpalError
from penpal_fast.evaluation.error_rate import errors_of
from penpal_fast.evaluation.figures import area_under_curve
from penpal_fast.evaluation.sets import held_out_lines, read_set
from penpal_fast.handwriting.lines import EARLIER_PREFIX, Line
from penpal_fast.reading.alphabet import encode_texts
from penpal_fast.reading.native import native_reader
from penpal_fast.reading.weights import load
from recognizers import RapidOcrProcesses, drawn

Judge = Callable[[Sequence[Line]], tuple[list[str | None], np.ndarray, np.ndarray]]
"""From lines to readings, and scores [N] of match and of readability."""


def options():
    parser = options_parser(__doc__, rows=2000, rounds=5)
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--peer-rows", type=positive, default=300, help="lines of each kind for the recognizer")
    for name in ("real", "clean", "corrupted"):
        file = REAL_LINES.with_name(f"{'iam_ondb' if name == 'real' else name}_lines.parquet")
        default = file if file.exists() else EXAMPLE_LINES
        parser.add_argument(f"--{name}", type=Path, default=default, help=f"Parquet file of {name} lines with texts")
    return parser.parse_args()


def spread(count: int, most: int) -> np.ndarray:
    """At most so many indices, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def read_kinds(given) -> dict[str, list[Line]]:
    """Real, clean and corrupted lines with texts, evenly spread over their files."""
    kinds = {
        name: held_out_lines(read_set([getattr(given, name)]), EARLIER_PREFIX)
        for name in ("real", "clean", "corrupted")
    }
    chosen = {
        name: [line for line in lines if line.text and (line.severity is not None) == (name == "corrupted")]
        for name, lines in kinds.items()
    }
    return {name: [lines[row] for row in spread(len(lines), given.peer_rows)] for name, lines in chosen.items()}


def recognizer_of(threads: int, rows: Sequence[Sequence[np.ndarray]]) -> RapidOcrProcesses | None:
    try:
        return RapidOcrProcesses(threads, rows)
    except ImportError as missing:
        print(f"without RapidOCR: {missing} (pip install '.[bench]')")
        return None


def reader_judge(reader: Reader) -> Judge:
    def judge(lines):
        found = reader.outcome([line.strokes() for line in lines], [line.text for line in lines])
        return found.readings, found.match, found.readability

    return judge


def recognizer_judge(recognizer: RapidOcrProcesses, letters: str) -> Judge:
    def judge(lines):
        readings, sureness = recognizer.read([drawn(line.strokes()) for line in lines])
        rates = [errors_of([reading], [line.text], letters).rate for reading, line in zip(readings, lines, strict=True)]
        return readings, 1 - np.array([np.nan if rate is None else rate for rate in rates]), sureness

    return judge


def print_judgements(judges: dict[str, Judge], kinds: dict[str, list[Line]], letters: str) -> None:
    """Print the errors of each judge, and how well its scores tell clean lines from corrupted ones."""
    counts = ", ".join(f"{len(lines)} {name}" for name, lines in kinds.items())
    columns = ("CER real", "CER clean", "AUC match", "AUC readability")
    table = Table("", *columns, title=f"{counts} lines; AUC of clean against corrupted", box=box.MARKDOWN)
    for name, judge in judges.items():
        found = {kind: judge(lines) for kind, lines in kinds.items()}
        texts = {kind: [line.text for line in lines] for kind, lines in kinds.items()}
        rates = [errors_of(found[kind][0], texts[kind], letters).rate for kind in ("real", "clean")]
        areas = [area_under_curve(*(known(found[kind][score]) for kind in ("clean", "corrupted"))) for score in (1, 2)]
        table.add_row(name, *(f"{rate:.1%}" for rate in rates), *(f"{area:.3f}" for area in areas))
    Console(width=110).print(table)


def known(scores: np.ndarray) -> np.ndarray:
    return scores[~np.isnan(scores)]


def samples_of(rows: Rows) -> np.ndarray:
    """Samples of the path of each row, 0 where there is none."""
    counts = np.zeros(len(rows), np.int64)
    for row in range(len(rows)):
        try:
            counts[row] = len(path(rows, row)[0])
        except PenpalError:
            continue
    return counts


def print_stages(rows: Rows, texts: Sequence[str | None], rounds: int, seconds: float) -> None:
    """Print where the time goes on one thread, the least of each stage over the rounds, and what that achieves."""
    config, tensors = load()
    encoded = encode_texts(texts, config.letters)
    engine = native_reader(config, tensors)
    profiles = [dict(engine.profile(rows, (encoded.codes, encoded.offsets))) for _ in range(rounds)]
    table = Table("stage", "µs/row", title="where the time goes, one thread", box=box.MARKDOWN)
    for stage in profiles[0]:
        table.add_row(stage, f"{min(profile[stage] for profile in profiles) / len(rows) * 1e6:.1f}")
    Console(width=110).print(table)

    samples = samples_of(rows)
    multiplications = sum(config.multiplications(int(number)) for number in samples) / len(rows)
    rate = multiplications * len(rows) / seconds
    print(
        f"median {np.median(samples):.0f} samples, {multiplications / 1e6:.1f} million multiplications a row; "
        f"one thread: {rate / 1e9:.1f} billion a second, {rate / peak_multiplications():.0%} of the measured peak of "
        f"one thread"
    )


def main() -> None:
    given = options()
    strokes = read_lines(given.lines, given.rows)
    texts = pq.read_table(given.lines, columns=["text"])["text"][: given.rows].to_pylist()
    threads = f"{given.threads} threads"
    reader = Reader(backend="native", threads=given.threads)
    alone = Reader(backend="native", threads=1)
    scorer = Scorer(backend="native", threads=given.threads)

    works = {
        f"match, {threads}": lambda: reader.match(strokes, texts, errors="null"),
        f"quality and match, {threads}": lambda: (
            scorer.score(strokes, errors="null"),
            reader.match(strokes, texts, errors="null"),
        ),
        "match, 1 thread": lambda: alone.match(strokes, texts, errors="null"),
    }
    counts = dict.fromkeys(works, len(strokes))
    judges = {"penpal_fast": reader_judge(reader)}
    sample = as_arrays(strokes.take(spread(len(strokes), given.peer_rows)))
    with recognizer_of(given.threads, sample) or contextlib.nullcontext() as recognizer:
        if recognizer is not None:
            works[f"{recognizer.name}, {threads}"] = recognizer.read_kept
            works[f"the same with drawing, {threads}"] = recognizer.draw_and_read_kept
            counts |= dict.fromkeys(list(works)[-2:], len(sample))
            judges[recognizer.name] = recognizer_judge(recognizer, reader.letters)
        times = take_turns(works, given.rounds)
        print_times(f"{given.lines.name}: {len(strokes)} rows, {given.rounds} rounds", times, counts, next(iter(works)))
        print_judgements(judges, read_kinds(given), reader.letters)
    print_stages(Rows(strokes), texts, given.rounds, min(times["match, 1 thread"]))


if __name__ == "__main__":
    main()
