"""The columns of a file that a report shows, and their values in a batch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.text_match import READING, check_compared_text, compared_text
from penpal_fast.errors import errors_about
from penpal_fast.look.scored_file import ScoredBatch, ScoredFile
from penpal_fast.schema import TEXT_COLUMN


@dataclasses.dataclass(frozen=True)
class ShownRows:
    """Rows as a report shows them, without their scores.

    Attributes:
        first: Number of the first row in the file.
        strokes: The strokes column.
        texts: What the rows should say, None where it is not known.
        readings: What they seem to say, None where it is not known.
    """

    first: int
    strokes: pa.Array
    texts: list[str | None]
    readings: list[str | None]

    def with_scores(self, **scores: NDArray[np.float32]) -> pa.RecordBatch:
        """Return the columns row (int64), strokes, text and reading, and the scores."""
        return pa.RecordBatch.from_pydict(
            {
                "row": np.arange(self.first, self.first + len(self.strokes)),
                "strokes": self.strokes,
                "text": pa.array(self.texts, pa.string()),
                "reading": pa.array(self.readings, pa.string()),
                **scores,
            }
        )


@dataclasses.dataclass(frozen=True)
class Columns:
    """Names of the columns that a report shows.

    Attributes:
        strokes: The strokes.
        text: The texts, if there are any.
        reading: What the rows seem to say, if the file has it.
    """

    strokes: str
    text: str | None = None
    reading: str | None = None

    def shown(self, batch: ScoredBatch) -> ShownRows:
        """Take the columns from a batch."""

        def texts(name: str | None) -> list[str | None]:
            return [None] * len(batch.rows) if name is None else batch.texts(name)

        return ShownRows(batch.first, batch.rows.column(self.strokes), texts(self.text), texts(self.reading))


def columns_of(file: ScoredFile, strokes: str, text: str | None) -> Columns:
    """Find the columns that a report shows.

    Args:
        file: The file.
        strokes: Name of the strokes column.
        text: Name of the text column; by default the one that the text match was made with, or `TEXT_COLUMN` if there
            is no match or it does not say: other texts say nothing about a match.

    Raises:
        PenpalError: There is no such column of texts, or the text match was made with another.
    """
    if text is not None:
        file.check_texts(text)
    with errors_about(str(file.path)):
        check_compared_text(file.scores, text, "leave --text (text=) out, or score the file again with it")
    name = text or compared_text(file.scores) or TEXT_COLUMN
    return Columns(
        strokes,
        text=name if file.has_texts(name) else None,
        reading=READING if file.has_texts(READING) else None,
    )
