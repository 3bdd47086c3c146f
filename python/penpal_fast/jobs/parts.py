"""How a job is divided into parts: the same in every run, so that a resumed job keeps its finished parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TypeGuard

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.sources.batch import Source
from penpal_fast.sources.json_text import is_utf8
from penpal_fast.sources.memory import limited
from penpal_fast.sources.parquet import ParquetSource

PART_ROWS = 65_536
"""Maximum number of rows in a part. Two cores score that many in about 10 seconds, so a kill costs no more."""

PART_BYTES = 1 << 30
"""Maximum memory of the rows of a part: rows with many points make parts with fewer rows."""

GROUP_ROWS = 8192
GROUP_BYTES = 128 << 20
"""Maximum number of rows in an encoded row group, and their maximum memory."""

COPIED_GROUP_ROWS = 512
"""Row groups with fewer rows on average are not copied; they are encoded into larger ones."""


@dataclasses.dataclass(frozen=True)
class Part:
    """Neighbouring rows of one source.

    Attributes:
        number: Place in the output, from 0.
        source: Number of the source.
        start: First row in the source.
        stop: Row after the last row.
        groups: First row group and the row group after the last, if they are copied; else None.
    """

    number: int
    source: int
    start: int
    stop: int
    groups: tuple[int, int] | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    @property
    def file(self) -> str:
        """Name of the part's file."""
        return f"part-{self.number:05d}.parquet"


def planned_parts(sources: Sequence[Source]) -> list[Part]:
    """Divide the rows of sources into parts, in order. If there are no rows, there is one empty part."""
    spans = map(_copied_spans, sources) if can_be_copied(sources) else map(_encoded_spans, sources)
    placed = [(number, span) for number, found in enumerate(spans) for span in found]
    return [Part(index, number, *span) for index, (number, span) in enumerate(placed)] or [Part(0, 0, 0, 0)]


def group_rows(source: Source, start: int = 0, stop: int = 0) -> int:
    """Rows of an encoded row group, for these rows of a source; without rows, for those that are not huge."""
    sizes = [size for first, end, size in _stretches(source) if first < stop and start < end]
    return limited(GROUP_BYTES // max(sizes, default=source.row_bytes), GROUP_ROWS)


def can_be_copied(sources: Sequence[Source]) -> TypeGuard[Sequence[ParquetSource]]:
    """Whether the encoded columns of all sources can be copied into one file.

    The sources must be Parquet files on this machine that store their columns alike, in row groups of a sensible size.
    """
    first = sources[0]
    return all(
        isinstance(source, ParquetSource)
        and isinstance(first, ParquetSource)
        and source.can_be_copied
        and stored_alike(source.layout, first.layout)
        and not binary_metadata(source.schema)
        and _sensible(source)
        for source in sources
    )


def stored_alike(layout: pq.ParquetSchema, other: pq.ParquetSchema) -> bool:
    """Whether two files have the same columns under the same names, down to the names of the root and of list items.

    `equals` ignores these two; the printed schema shows them, after a first line with an address in memory.
    """
    printed, other_printed = (str(each).splitlines()[1:] for each in (layout, other))
    return bool(layout.equals(other)) and printed == other_printed


def binary_metadata(schema: pa.Schema) -> list[bytes]:
    """Return the keys of a schema's metadata that are not UTF-8 or whose value is not; Parquet keeps both as text."""
    return [key for key, value in (schema.metadata or {}).items() if not (is_utf8(key) and is_utf8(value))]


def _sensible(source: ParquetSource) -> bool:
    groups = source.group_rows
    is_small_enough = max(groups, default=0) <= _part_rows(source)
    return is_small_enough and sum(groups) >= COPIED_GROUP_ROWS * (len(groups) - 1)


def _part_rows(source: Source) -> int:
    return limited(PART_BYTES // source.row_bytes, PART_ROWS)


def has_huge_rows(source: Source) -> bool:
    """Whether some rows are so much larger than the others that they do not set their sizes."""
    return any(row_bytes > source.row_bytes for _, _, row_bytes in _stretches(source))


def _stretches(source: Source) -> Iterator[tuple[int, int, int]]:
    """Yield runs of rows of like size; see `ParquetSource.stretches`."""
    if isinstance(source, ParquetSource):
        return source.stretches()
    return iter([(0, source.rows, source.row_bytes)])


def _encoded_spans(source: Source) -> Iterator[tuple[int, int, None]]:
    for first, stop, row_bytes in _stretches(source):
        step = limited(PART_BYTES // row_bytes, PART_ROWS)
        for start in range(first, stop, step):
            yield start, min(start + step, stop), None


def _copied_spans(source: ParquetSource) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Yield runs of whole row groups that are no larger than a part."""
    most = _part_rows(source)
    start = stop = first = 0
    for group, rows in enumerate(source.group_rows):
        if stop > start and stop + rows - start > most:
            yield start, stop, (first, group)
            start, first = stop, group
        stop += rows
    if stop > start:
        yield start, stop, (first, len(source.group_rows))
