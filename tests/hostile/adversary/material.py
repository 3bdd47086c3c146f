"""What trials are made of: rows, damage, jobs and what they wrote."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.arrow import column
from helpers.made_lines import scrawl
from helpers.outputs import content
from penpal_fast import PenpalError, Scorer, score_dataset
from penpal_fast.jobs import parts

Stroke = list[tuple[float, float]]

GOOD = [scrawl(seed, 2 + seed % 3, 12) for seed in range(40)]
"""Rows that can be scored."""

EXTREMES = (0.0, -0.0, 5e-324, 1e-300, 1e300, 1.7976931348623157e308, -1.7e308, 2.0**53, 0.1, 3e38)


@functools.cache
def scorer() -> Scorer:
    """The bundled model on one thread, without MLX."""
    return Scorer(backend="native", threads=1)


@functools.cache
def good_scores() -> list[float]:
    """The scores of the good rows, each scored alone."""
    return [float(scorer().score([row])[0]) for row in GOOD]


def any_row(chance: random.Random) -> list[Stroke]:
    """A row of finite coordinates, from ordinary to extreme; it may have no points, and a span beyond float64."""
    kind = chance.randrange(4)
    if kind == 0:
        return [list(stroke) for stroke in chance.choice(GOOD)]
    if kind == 1:
        scale, x, y = chance.choice((1e-30, 1e30, 1.0)), chance.choice((0.0, 1e9, -1e30)), chance.choice((0.0, 7e5))
        return [[(x + scale * a, y + scale * b) for a, b in stroke] for stroke in chance.choice(GOOD)]

    def number() -> float:
        return chance.choice(EXTREMES) if chance.random() < 0.2 else float(np.float32(chance.uniform(-500, 500)))

    return [[(number(), number()) for _ in range(chance.randrange(6))] for _ in range(chance.randrange(5))]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Change a file as a broken disk, a crash or a stranger would."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        place, length = chance.randrange(len(changed) + 1), chance.choice((1, 2, 8, 64, 512))
        what = chance.randrange(7)
        if what == 0:
            del changed[place:]
        elif what == 1:
            changed[place : place + length] = bytes(min(length, len(changed) - place))
        elif what == 2 and place < len(changed):
            changed[place] ^= 1 << chance.randrange(8)
        elif what == 3:
            changed[place : place + length] = chance.randbytes(length)
        elif what == 4:
            del changed[place : place + length]
        elif what == 5:
            changed[place:place] = changed[place : place + length]
        else:
            other = chance.randrange(len(changed) + 1)
            changed[place : place + length] = changed[other : other + length]
    return bytes(changed)


def write_parquet(path: Path, rows: list[list[Stroke]], group_rows: int, **settings: object) -> None:
    """Write rows with a number each."""
    table = pa.table({"strokes": column(rows), "number": [f"line {row}" for row in range(len(rows))]})
    pq.write_table(table, path, row_group_size=group_rows, **settings)


@contextlib.contextmanager
def small_parts(part_rows: int = 10) -> Iterator[None]:
    """Let a few rows make many parts."""
    before = parts.PART_ROWS, parts.COPIED_GROUP_ROWS, parts.GROUP_ROWS
    parts.PART_ROWS, parts.COPIED_GROUP_ROWS, parts.GROUP_ROWS = part_rows, 1, 4
    try:
        yield
    finally:
        parts.PART_ROWS, parts.COPIED_GROUP_ROWS, parts.GROUP_ROWS = before


JOB = """
import sys
from penpal_fast import PenpalError, Scorer, score_dataset
from penpal_fast.jobs import parts
parts.PART_ROWS, parts.COPIED_GROUP_ROWS, parts.GROUP_ROWS = 10, 1, 4
print("ready", flush=True)
try:
    score_dataset(sys.argv[1], sys.argv[2], scorer=Scorer(backend="native", threads=1), resume=True)
except PenpalError as error:
    sys.exit(str(error))
"""
"""A program with `small_parts` that scores its first argument into the second, or resumes that."""

FORMS = ("copied", "encoded", "json")


@dataclasses.dataclass(frozen=True)
class Job:
    """An input, the name of its output, and what a job without any trouble writes."""

    lines: Path
    output: str
    whole: dict[str, bytes]

    def resume(self, target: Path) -> str | None:
        """Resume the job; return what it says if it refuses."""
        with small_parts():
            try:
                score_dataset(self.lines, target, scorer=scorer(), resume=True)
            except PenpalError as error:
                return str(error)
        return None


@functools.cache
def job(form: str, output: str) -> Job:
    """Make an input of 100 rows in 10 parts, which lies outside of the folders of trials, and do its job once.

    Args:
        form: One of `FORMS`: row groups that are copied, rows that are encoded, JSON lines.
        output: Name of the output, of a file or of a folder.
    """
    folder = Path(_folder().name) / f"{form} {output}"
    folder.mkdir()
    rows = [GOOD[row % len(GOOD)] for row in range(100)]
    if form == "json":
        lines = folder / "lines.jsonl"
        lines.write_text("".join(json.dumps({"strokes": row, "number": 7}) + "\n" for row in rows))
    else:
        lines = folder / "lines.parquet"
        write_parquet(lines, rows, 10 if form == "copied" else 100)
    made = Job(lines, output, {})
    assert made.resume(folder / output) is None
    return dataclasses.replace(made, whole=content(folder / output))


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="adversary-")


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
