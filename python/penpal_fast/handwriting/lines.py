"""Lines of handwriting: read from Parquet files, and split for training and validation."""

from __future__ import annotations

import dataclasses
import itertools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.strokes import Strokes
from penpal_fast.synthesis.texts import SOURCE_COLUMNS

VALIDATION_PERCENT = 12
"""Percentage of the forms that are kept for validation."""

SOURCE_LENGTH = 3
"""A line's form is the first characters of its source. Lines of a form have one writer and one text."""

PENPAL_SCHEMA = "list<list<struct<points: list<struct<x, y>>>>>"


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of handwriting: its words of strokes, and if known its text, its source and the severity of its
    corruption."""

    words: list[Strokes]
    text: str | None = None
    source: str | None = None
    severity: str | None = None

    def strokes(self, first: int = 0, count: int | None = None) -> Strokes:
        """Return the strokes of `count` words from word `first` on; of all further words if `count` is None."""
        chosen = self.words[first:] if count is None else self.words[first : first + count]
        return [stroke for word in chosen for stroke in word]


@dataclasses.dataclass(frozen=True)
class Split:
    """Lines of one kind, split for training and validation."""

    train: list[Line]
    validation: list[Line]


def is_held_out(source: str) -> bool:
    """Whether lines of a source are for validation. The form decides, the same for real and synthetic lines."""
    return zlib.crc32(source[:SOURCE_LENGTH].encode()) % 100 < VALIDATION_PERCENT


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a Parquet file in the penpal schema, without those that have no points or a bad one.

    Raises:
        PenpalError: The file cannot be read or has no strokes.
    """
    if not path.is_file():
        raise PenpalError(f"{path}: there is no such file")
    try:
        table = pq.read_table(path)
        words = [
            [[stroke for stroke in word if len(stroke)] for word in row]
            for row in _nested_points(table["strokes"].combine_chunks())
        ]
    except (OSError, KeyError, AttributeError, pa.ArrowInvalid) as error:
        raise PenpalError(
            f"{path}: cannot read it as Parquet with a column 'strokes' in the penpal schema, {PENPAL_SCHEMA}: {error}"
        ) from error

    def column(*names: str) -> list[str | None]:
        found = next((name for name in names if name in table.column_names), None)
        return table[found].cast(pa.string()).to_pylist() if found else [None] * len(words)

    known = zip(words, column("text"), column(*SOURCE_COLUMNS), column("corruption"), strict=True)
    lines = [Line(*one) for one in known]
    return [line for line in lines if (strokes := line.strokes()) and np.isfinite(np.concatenate(strokes)).all()]


def garbled_lines(lines: list[Line]) -> list[Line]:
    """Return the corrupted lines that are gibberish from their beginning; all if no line says so."""
    return [line for line in lines if line.severity == "gibberish"] or lines


def read_split(path: Path) -> Split:
    """Read the lines of a Parquet file and split them by form, never by row.

    Raises:
        PenpalError: The file cannot be read, has no strokes, or has lines without a source.
    """
    lines = read_lines(path)
    if any(line.source is None for line in lines):
        raise PenpalError(
            f"{path}: it needs a column {' or '.join(map(repr, SOURCE_COLUMNS))} without nulls, to keep all lines of a "
            f"form on one side of the split"
        )
    return Split(
        [line for line in lines if not is_held_out(str(line.source))],
        [line for line in lines if is_held_out(str(line.source))],
    )


def _nested_points(rows: pa.Array) -> list[Any]:
    """Return rows of words of strokes [N, 2] of a stroke column, all views of one array."""
    words = rows.flatten()
    strokes = words.flatten().field("points")
    points = strokes.flatten()
    values: Any = np.stack([np.asarray(points.field(axis), dtype=np.float64) for axis in "xy"], axis=1)
    for lists in (strokes, words, rows):
        offsets = np.asarray(lists.offsets) - lists.offsets[0].as_py()
        values = [values[start:end] for start, end in itertools.pairwise(offsets)]
    return values
