"""Formats whose rows are ink: strokes, the text that they say where the file has it, and an id within the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import MAX_POINTS
from penpal_fast.errors import PenpalError
from penpal_fast.schema import TEXT_COLUMN, nested_strokes, strokes_type
from penpal_fast.sources.formats.format import Content, Options
from penpal_fast.sources.readable_file import ReadableFile

BATCH_ROWS = 256
"""Maximum number of rows in a batch."""

BATCH_POINTS = 1 << 20
"""Number of points from which a batch takes no more rows."""

STROKES_COLUMN = "strokes"

INK = pa.schema({STROKES_COLUMN: strokes_type(pa.float64()), TEXT_COLUMN: pa.string(), "id": pa.string()})
"""The columns of every format of ink, so that one job may read several of them."""

Stroke = NDArray[np.float64]
"""Points (x, y) [N, 2], y growing downward."""


@dataclasses.dataclass
class Ink:
    """A row.

    Attributes:
        strokes: The strokes in the order of writing.
        text: What they say, if the file has it.
        id: What the row is called within the file, if anything.
    """

    strokes: list[Stroke]
    text: str | None = None
    id: str | None = None

    @property
    def points(self) -> int:
        """Number of points."""
        return sum(map(len, self.strokes))


def ink_content(
    read: Callable[[ReadableFile, Options], Iterator[Ink]], read_as: Sequence[str] = ()
) -> Callable[[ReadableFile, Options], Content]:
    """Make a format's `open` from a function that yields the rows of a file; see `Content` for `read_as`."""
    return lambda file, options: _InkContent(lambda: read(file, options), read_as)


def check_points(count: int) -> None:
    """Make sure that the points of a row are not too many; readers call this while they collect them.

    Raises:
        PenpalError: There are more than `MAX_POINTS`.
    """
    if count > MAX_POINTS:
        raise PenpalError(f"there are more than {MAX_POINTS:,} points in a row; divide it")


class _InkContent:
    schema = INK

    def __init__(self, rows: Callable[[], Iterator[Ink]], read_as: Sequence[str]) -> None:
        self._rows = rows
        self.read_as = read_as

    def batches(self) -> Iterator[pa.RecordBatch]:
        group: list[Ink] = []
        points = 0
        for row in self._rows():
            check_points(row.points)
            group.append(row)
            points += row.points
            if len(group) == BATCH_ROWS or points >= BATCH_POINTS:
                yield ink_batch(group)
                group, points = [], 0
        if group:
            yield ink_batch(group)


def ink_batch(rows: list[Ink]) -> pa.RecordBatch:
    """Make a batch of rows, each of which is one word."""
    strokes = [stroke for row in rows for stroke in row.strokes]
    points = np.concatenate([np.empty((0, 2)), *strokes])
    nested = nested_strokes(points, map(len, strokes), (len(row.strokes) for row in rows), [1] * len(rows))
    texts, ids = pa.array([row.text for row in rows], pa.string()), pa.array([row.id for row in rows], pa.string())
    return pa.record_batch([nested, texts, ids], schema=INK)
