"""Files that `penpal-fast score` wrote, read batch by batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from penpal_fast.checks.check import Outcome
from penpal_fast.checks.columns import read_outcome
from penpal_fast.checks.defaults import known_scores
from penpal_fast.errors import PenpalError
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_source


@dataclasses.dataclass(frozen=True)
class ScoredBatch:
    """Rows with their scores.

    Attributes:
        first: Number of the first row in the file.
        rows: All columns.
        outcomes: Scores and problems by the name of the check.
    """

    first: int
    rows: pa.RecordBatch
    outcomes: dict[str, Outcome]

    def texts(self, column: str) -> list[str | None]:
        """Return a column as text; None for null."""
        return pc.cast(self.rows.column(column), pa.string()).to_pylist()


class ScoredFile:
    """A file, or a folder of parts, with the columns of one or more checks.

    Attributes:
        path: Where it is.
        rows: Number of rows.
        scores: Its columns of scores.
    """

    def __init__(self, path: Path, column: str = "strokes") -> None:
        """Open the file.

        Raises:
            PenpalError: It cannot be read, or has no strokes or no scores.
        """
        self._source = open_source(path, column)
        self.path = path
        self.rows: int = self._source.rows
        self.scores = known_scores(self._source.schema)
        if not self.scores:
            raise PenpalError(f"{path}: there is no column of scores; run `penpal-fast score` on it first")

    def has_texts(self, name: str) -> bool:
        """Whether there is one column of this name that can be read as text."""
        schema = self._source.schema
        if schema.names.count(name) != 1:
            return False
        kind = schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind))

    def batches(self) -> Iterator[ScoredBatch]:
        """Yield the rows in order.

        Raises:
            PenpalError: The file is damaged, or a score is not from 0 to 1; the error names the row.
        """
        first = 0
        for batch in self._source.batches(batch_rows(MEMORY_MB, self._source)):
            outcomes = {
                column.name: read_outcome(batch.data, column.name, str(self.path), first) for column in self.scores
            }
            yield ScoredBatch(first, batch.data, outcomes)
            first += len(batch.data)
