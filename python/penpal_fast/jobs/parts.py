"""How a job is divided: parts of fixed rows, the same in every run, so that whole parts need not be done again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.sources.batch import Source
from penpal_fast.sources.json_text import is_utf8
from penpal_fast.sources.memory import limited
from penpal_fast.sources.parquet import ParquetSource

PART_ROWS = 65_536
"""Most rows of a part: some 10 seconds of work on two cores, which is what a kill costs."""

PART_BYTES = 1 << 30
"""Most that a part's rows take in memory, so that rows of many points make smaller parts."""

GROUP_ROWS = 8192
GROUP_BYTES = 128 << 20
"""Most rows of a row group that is encoded here, and most that they take in memory."""

COPIED_GROUP_ROWS = 512
"""Row groups that have fewer rows on average are not worth keeping."""


@dataclasses.dataclass(frozen=True)
class Part:
    """Some rows of one source.

    Attributes:
        number: Its place in the output, from 0.
        source: Number of the source.
        start: First row in the source.
        stop: Row after the last one.
        groups: First row group and the one after the last, where row groups are copied.
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
    """Divide the rows of sources into parts, in order; at least one, which is empty if there are no rows."""
    copied = can_be_copied(sources)
    parts: list[Part] = []
    for number, source in enumerate(sources):
        spans = _copied_spans(cast("ParquetSource", source)) if copied else _encoded_spans(source)
        parts += [Part(len(parts) + index, number, *span) for index, span in enumerate(spans)]
    return parts or [Part(0, 0, 0, 0)]


def group_rows(source: Source) -> int:
    """Rows of a row group that is encoded here."""
    return limited(GROUP_BYTES // source.row_bytes, GROUP_ROWS)


def can_be_copied(sources: Sequence[Source]) -> bool:
    """Whether the encoded columns of all sources can be copied as they are, into one file.

    They must be Parquet files on this machine that store their columns alike, in row groups of a sensible size.
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
    """Whether two files have the same columns under the same names, those of lists' items and the root included.

    Comparing the layouts leaves names that no Arrow type shows to the writer.
    """
    return layout.equals(other) and _tree(layout) == _tree(other)


def _tree(layout: pq.ParquetSchema) -> list[str]:
    """All of a file's schema as text; the first line of what is printed is an address in memory."""
    return str(layout).splitlines()[1:]


def binary_metadata(schema: pa.Schema) -> list[bytes]:
    """Return the keys of a schema's metadata that are not UTF-8, or whose value is not; as text Parquet has them."""
    return [key for key, value in (schema.metadata or {}).items() if not (is_utf8(key) and is_utf8(value))]


def _sensible(source: ParquetSource) -> bool:
    groups = source.group_rows
    largest = max(groups, default=0)
    return (
        largest <= limited(PART_BYTES // source.row_bytes, PART_ROWS)
        and sum(groups) >= COPIED_GROUP_ROWS * (len(groups) - 1)
    )  # fmt: skip


def _encoded_spans(source: Source) -> Iterator[tuple[int, int, None]]:
    step = limited(PART_BYTES // source.row_bytes, PART_ROWS)
    for start in range(0, source.rows, step):
        yield start, min(start + step, source.rows), None


def _copied_spans(source: ParquetSource) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Yield runs of whole row groups that stay within the size of a part."""
    most = limited(PART_BYTES // source.row_bytes, PART_ROWS)
    start = stop = first = 0
    for group, rows in enumerate(source.group_rows):
        if stop > start and stop + rows - start > most:
            yield start, stop, (first, group)
            start, first = stop, group
        stop += rows
    if stop > start:
        yield start, stop, (first, len(source.group_rows))
