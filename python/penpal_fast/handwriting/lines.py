"""Lines of handwriting: read from Parquet files, and split for training and validation."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import logging
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.schema import texts_of
from penpal_fast.sources.tables import check_one_of_name, parquet_file, whole_table
from penpal_fast.strokes import Strokes
from penpal_fast.synthesis.texts import SOURCE_COLUMNS

VALIDATION_PERCENT = 12
"""Percentage of the sources that are kept for validation."""

EARLIER_PREFIX = 3
"""Characters of a source that decided the side of its lines before recipes said how many."""

PENPAL_SCHEMA = "list<list<struct<points: list<struct<x, y>>>>>"

HUGE = 1e100
"""Lines with a larger coordinate are left out: what is computed of them would leave float64."""

logger = logging.getLogger(__name__)


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


def is_held_out(source: str, prefix: int | None = None) -> bool:
    """Whether lines of a source are for validation. The source decides, the same for real and synthetic lines.

    Args:
        source: Where a line comes from, such as a form or a writer.
        prefix: How many of its first characters decide, where these name what must not be on both sides, such as all
            forms of a text; None for the whole source.
    """
    if prefix is None:  # Names that differ by a digit have similar CRCs: of 50 numbered ones, it may hold out none.
        number = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big")
    else:  # Models were trained with the CRC of prefixes, so it stays.
        number = zlib.crc32(source[:prefix].encode())
    return number % 100 < VALIDATION_PERCENT


def is_prefix(prefix: object) -> bool:
    """Whether something that was read from a file is a prefix for `is_held_out`: None, or a number from 1 on."""
    return prefix is None or (isinstance(prefix, int) and not isinstance(prefix, bool) and prefix >= 1)


def decided_by(prefix: int | None) -> str:
    """Say what decides the side of a source's lines."""
    return "the whole source" if prefix is None else f"the first {prefix} characters of the source"


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a Parquet file in the penpal schema.

    Those that have no points, a bad one or a huge coordinate are left out, and a warning counts them.

    Raises:
        PenpalError: The file cannot be read, has no strokes, or has two columns of a name.
    """
    table = whole_table(parquet_file(path))
    try:
        words = [
            [[stroke for stroke in word if len(stroke)] for word in row]
            for row in _nested_points(table["strokes"].combine_chunks())
        ]
    except (OSError, KeyError, AttributeError, ValueError, TypeError) as error:
        raise PenpalError(
            f"{path}: cannot read it as Parquet with a column 'strokes' in the penpal schema, {PENPAL_SCHEMA}: {error}"
        ) from error

    def column(*names: str) -> list[str | None]:
        found = next((name for name in names if name in table.column_names), None)
        if found is None:
            return [None] * len(words)
        check_one_of_name(path, table.column_names, found)
        return texts_of(table[found].combine_chunks())

    known = zip(words, column("text"), column(*SOURCE_COLUMNS), column("corruption"), strict=True)
    lines = [Line(*one) for one in known]
    sound = [line for line in lines if _is_sound(line.strokes())]
    if missing := len(lines) - len(sound):
        logger.warning(
            "%s: %s of its %s rows have no points, a bad one or a huge coordinate; they are left out",
            path,
            missing,
            len(lines),
        )
    return sound


def garbled_lines(lines: list[Line]) -> list[Line]:
    """Return the corrupted lines that are gibberish from their beginning; all if no line says so."""
    return [line for line in lines if line.severity == "gibberish"] or lines


def read_split(path: Path, prefix: int | None = None) -> Split:
    """Read the lines of a Parquet file and split them by source (see `is_held_out`), never by row.

    Raises:
        PenpalError: The file cannot be read, has no strokes, or has lines without a source.
    """
    lines = read_lines(path)
    if any(line.source is None for line in lines):
        raise PenpalError(
            f"{path}: it needs a column {' or '.join(map(repr, SOURCE_COLUMNS))} without nulls, to keep all lines of a "
            f"source on one side of the split"
        )
    return Split(
        [line for line in lines if not is_held_out(str(line.source), prefix)],
        [line for line in lines if is_held_out(str(line.source), prefix)],
    )


def _is_sound(strokes: Strokes) -> bool:
    """Whether a line has points, and all of them are numbers that can be squared."""
    return bool(strokes) and bool((np.abs(np.concatenate(strokes)) < HUGE).all())


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
