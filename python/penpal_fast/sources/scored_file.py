"""Files that `penpal-fast score` wrote, read batch by batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_source

NO_REASON = "no score and no reason"
"""What is wrong with a row whose quality and quality_error are both null."""


@dataclasses.dataclass(frozen=True)
class ScoredBatch:
    """Rows with their scores.

    Attributes:
        first: Number of the first row in the file.
        rows: All columns.
        quality: float32 [N] in [0, 1]; NaN for a bad row.
        problems: What is wrong with the bad rows, by row index in the batch: "REASON: DETAIL".
    """

    first: int
    rows: pa.RecordBatch
    quality: NDArray[np.float32]
    problems: dict[int, str]

    def texts(self, column: str) -> list[str | None]:
        """Return a column as text; None for null."""
        return pc.cast(self.rows.column(column), pa.string()).to_pylist()


def check_scores(column: pa.Array, name: str, first: int) -> NDArray[np.float32]:
    """Return scores as float32, NaN for null.

    Args:
        column: Numbers of a floating type.
        name: What they are from, for errors.
        first: Row number of the first one.

    Raises:
        PenpalError: One is not from 0 to 1.
    """
    quality: NDArray[np.float32] = pc.cast(column, pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    if len(wrong := np.flatnonzero((quality < 0) | (quality > 1))):
        row, value = first + wrong[0], quality[wrong[0]]
        raise PenpalError(f"{name}, row {row}: quality is {value:g}; scores are from 0 to 1")
    return quality


class ScoredFile:
    """A file, or a folder of parts, with the columns `quality` and, if it is there, `quality_error`."""

    def __init__(self, path: Path, column: str = "strokes") -> None:
        """Open the file.

        Raises:
            PenpalError: It cannot be read, or has no strokes or no scores.
        """
        self._source = open_source(path, column)
        self.path = path
        self.rows: int = self._source.rows
        names = self._source.schema.names
        if names.count("quality") != 1 or not pa.types.is_floating(self._source.schema.field("quality").type):
            raise PenpalError(f"{path}: there is no column 'quality' of scores; run `penpal-fast score` on it first")
        self._has_problems = self.has_texts("quality_error")

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
            yield self._scored(first, batch.data)
            first += len(batch.data)

    def _scored(self, first: int, rows: pa.RecordBatch) -> ScoredBatch:
        quality = check_scores(rows.column("quality"), str(self.path), first)
        bad = np.flatnonzero(np.isnan(quality))
        texts = rows.column("quality_error").take(pa.array(bad)) if self._has_problems else pa.nulls(len(bad))
        problems = {int(row): text or NO_REASON for row, text in zip(bad, texts.to_pylist(), strict=True)}
        return ScoredBatch(first, rows, quality, problems)
