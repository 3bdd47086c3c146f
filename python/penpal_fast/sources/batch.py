"""Batches of rows, and the protocol of their sources."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from penpal_fast.sources.inputs import InputFile


def unread_column(strokes: str) -> str:
    """Name of the column for the JSON of strokes that the column of strokes cannot hold."""
    return f"{strokes}_json"


@dataclasses.dataclass(frozen=True)
class Batch:
    """Rows as they were read.

    Attributes:
        data: The rows.
        problems: What is wrong with rows that could not be read, by index in the batch.
    """

    data: pa.RecordBatch
    problems: dict[int, str] = dataclasses.field(default_factory=dict)

    def cut(self, start: int, stop: int) -> Batch:
        """Return the rows from `start` up to `stop`."""
        problems = {row - start: text for row, text in self.problems.items() if start <= row < stop}
        return Batch(self.data.slice(start, stop - start), problems)


class RowStream(Protocol):
    """Rows that can be read more than once.

    Attributes:
        rows: Number of rows.
        row_bytes: Approximate memory of a row in bytes: the average where rows are largest.
        begins_anywhere: Whether rows are found without reading those before them.
    """

    rows: int
    row_bytes: int
    begins_anywhere: bool

    @property
    def schema(self) -> pa.Schema:
        """The columns."""

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        """Yield batches of the rows from `start` on, in order.

        Args:
            rows: Maximum number of rows in a batch.
            start: First row.
            columns: Columns to read; None for all. A source may read more.

        Raises:
            PenpalError: The file is damaged.
        """


class Source(RowStream, Protocol):
    """The rows of a file.

    Attributes:
        file: The file.
        fingerprint: SHA-256 of what was read to find the columns.
        is_text: Whether the columns come from the rows, as in JSON and CSV: without rows, there are none.
        is_ink: Whether the format says what the strokes are, so that they have no other layout.
        has_strokes: Whether a row may have strokes.
        read_as: Layouts that the reader of the format chose among and has converted.
    """

    file: InputFile
    fingerprint: str
    is_text: bool
    is_ink: bool
    has_strokes: bool
    read_as: Sequence[str]

    def take_as_texts(self, names: Collection[str]) -> None:
        """Take columns for texts, though all their values here are JSON: those of other files are not."""


@contextlib.contextmanager
def unchanged(sources: Iterable[Source]) -> Iterator[None]:
    """Make sure that no file of some sources changes during a block.

    Raises:
        PenpalError: One did.
    """
    with contextlib.ExitStack() as files:
        for source in sources:
            files.enter_context(source.file.unchanged())
        yield
