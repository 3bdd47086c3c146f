"""The sources of a job, each with how its strokes are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import pyarrow as pa

from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.sources.batch import Batch, Source
from penpal_fast.sources.converted import converted_batch, strokes_columns
from penpal_fast.sources.memory import batch_rows


@dataclasses.dataclass(frozen=True)
class OpenedSource:
    """A source of a job.

    Attributes:
        source: The source.
        strokes: How its strokes are read.
    """

    source: Source
    strokes: StrokesColumn

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.source.file.name

    @property
    def schema(self) -> pa.Schema:
        """The columns as checks see them."""
        return self.strokes.schema(self.source.schema)

    def batches(self, memory_mb: int) -> Iterator[Batch]:
        """Yield all rows as they are read, in batches of as many as the memory is for."""
        return self.source.batches(batch_rows(memory_mb, self.source))

    def converted(self, batch: Batch) -> Batch:
        """Return a batch of the source as checks see it."""
        return converted_batch(batch, self.strokes)


def opened_sources(sources: Sequence[Source], column: str, layout: str | None) -> list[OpenedSource]:
    """Find how the strokes of each source are read.

    Args:
        sources: Files with the same columns.
        column: Name of the strokes column.
        layout: Name of the layout; None for what the files seem to have.

    Raises:
        PenpalError: There is no such column, or it holds no strokes, or it may have several layouts.
    """
    return list(map(OpenedSource, sources, strokes_columns(sources, column, layout)))
