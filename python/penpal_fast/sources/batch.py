"""What passes from readers to the scorer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from penpal_fast.sources.inputs import InputFile


@dataclasses.dataclass(frozen=True)
class Batch:
    """Rows as they were read.

    Attributes:
        data: The rows.
        problems: What is wrong with rows that could not be read, by row index in the batch; their strokes are null.
    """

    data: pa.RecordBatch
    problems: dict[int, str] = dataclasses.field(default_factory=dict)

    def cut(self, start: int, stop: int) -> Batch:
        """Return the rows from `start` up to `stop`."""
        problems = {row - start: text for row, text in self.problems.items() if start <= row < stop}
        return Batch(self.data.slice(start, stop - start), problems)


class Rows(Protocol):
    """Rows that can be read more than once.

    Attributes:
        rows: Their number.
        row_bytes: What a row takes in memory, about; the average where rows are largest.
    """

    rows: int
    row_bytes: int

    @property
    def schema(self) -> pa.Schema:
        """Their columns."""
        ...

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        """Yield the rows from `start` on in order, at most so many at a time.

        Args:
            rows: Most rows of a batch.
            start: First row.
            columns: Columns that are wanted, None for all. More may come.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        ...


class Source(Rows, Protocol):
    """The rows of a file.

    Attributes:
        file: The file.
        fingerprint: SHA-256 of what was read to learn the columns; empty where the file's version is one of all of it.
    """

    file: InputFile
    fingerprint: str
