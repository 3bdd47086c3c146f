"""The checks of the reader: whether a row says its text, and whether it says anything."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from penpal_fast.checks.check import Outcome
from penpal_fast.checks.columns import ScoreColumn
from penpal_fast.checks.model_check import ModelCheck
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.engines.settings import Backend
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.reading.given_texts import listed_texts
from penpal_fast.schema import TEXT_COLUMN, Table, check_strokes_column, check_text_column, scores_array

if TYPE_CHECKING:
    from penpal_fast.reading.reader import Reader, ReaderSource

READING = "reading"
READABILITY = "readability"


def _loaded_reader(model: ReaderSource, **settings: Any) -> Reader:
    """Load a reader. Its modules are imported here, as most jobs read nothing."""
    from penpal_fast.reading.reader import Reader

    return Reader(model, **settings)


class _ReaderCheck(ModelCheck["Reader"]):
    """What both checks share: a reader."""

    model_kind = "reader"
    thresholds = THRESHOLDS

    akin: tuple[str, ...]
    """Names of checks that write columns of the same names, so that one may replace those of the other."""

    def __init__(
        self,
        model: ReaderSource,
        column: str,
        backend: Backend,
        threads: int | None,
        batch_size: int | None,
        reader: Reader | None,
        drop_first_point: bool,
    ) -> None:
        make = functools.partial(_loaded_reader, model, backend=backend, threads=threads, batch_size=batch_size)
        super().__init__(make, reader, column=column, drop_first_point=drop_first_point)

    @property
    def reader(self) -> Reader:
        """The reader, made at first use."""
        return self.model


class TextCheck(_ReaderCheck):
    """Whether rows say their texts (`Reader.match`), and on demand what they say instead."""

    name = "text_match"
    akin = (READABILITY,)
    description = (
        "Whether the ink of a line says its text: 0 says something else, or nothing, 1 says it letter by letter. It "
        "does not say how the line looks. balanced (0.5) keeps 95 % of clean synthetic lines."
    )

    def __init__(
        self,
        text: str = TEXT_COLUMN,
        *,
        reading: bool = False,
        model: ReaderSource = None,
        column: str = "strokes",
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
        reader: Reader | None = None,
        drop_first_point: bool = False,
    ) -> None:
        """Take the names of the columns of texts and strokes, and either a reader or what `Reader` takes.

        Args:
            text: Name of the column of texts.
            reading: Also add the columns `reading` and `readability`.
            model: A folder or repository with a reader; None for the reader in this package.
            column: Name of the strokes column.
            backend: As for `Reader`.
            threads: As for `Reader`.
            batch_size: As for `Reader`.
            reader: The reader, in place of these.
            drop_first_point: Read rows as `without_first_points` returns them.
        """
        super().__init__(model, column, backend, threads, batch_size, reader, drop_first_point)
        self.text = text
        self.reads = (column, text)
        self.details: dict[str, pa.DataType] = {READING: pa.string(), READABILITY: pa.float32()} if reading else {}

    def prepare(self, schema: pa.Schema) -> None:
        """Make sure that a schema has the columns of strokes and of texts."""
        strokes, text = self.reads
        check_strokes_column(schema, strokes)
        check_text_column(schema, text)

    def look(self, rows: Table) -> Outcome:
        """Compare rows with their texts."""
        strokes, text = self.reads
        with errors_about(f"column {text!r}"):
            texts = listed_texts(rows.column(text))
        with errors_about(f"column {strokes!r}"):
            found = self.reader.outcome(self.strokes(rows), texts)
        details = {}
        if self.details:
            details = {READING: pa.array(found.readings, pa.string()), READABILITY: scores_array(found.readability)}
        return Outcome(found.match, {**found.text_problems, **found.problems}, details)


def compared_text(scores: Iterable[ScoreColumn]) -> str | None:
    """Return the column of texts that the text match of a table was made with; None if it is not known."""
    reads = next((score.reads for score in scores if score.name == TextCheck.name), ())
    return reads[-1] if len(reads) == 2 else None  # Strokes and text.


def check_compared_text(scores: Iterable[ScoreColumn], text: str | None, advice: str) -> None:
    """Make sure that the text match of a table was made with a column.

    Args:
        scores: The columns of scores that the table describes.
        text: The column of texts; None for any.
        advice: What to do if the match was made with another.

    Raises:
        PenpalError: It was made with another.
    """
    compared = compared_text(scores)
    if text is not None and compared not in (None, text):
        raise PenpalError(f"its {TextCheck.name} compares the column {compared!r}, not {text!r}; {advice}")


class ReadabilityCheck(_ReaderCheck):
    """How surely rows say anything (`Reader.readability`), and what; rows need no text."""

    name = READABILITY
    akin = (TextCheck.name,)
    description = (
        "How surely the ink of a line says anything, whatever it is: 0 cannot be read, 1 is read without doubt. "
        "balanced (0.5) keeps 95 % of clean synthetic lines."
    )

    def __init__(
        self,
        *,
        model: ReaderSource = None,
        column: str = "strokes",
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
        reader: Reader | None = None,
        drop_first_point: bool = False,
    ) -> None:
        """Take the name of the strokes column, and either a reader or what `Reader` takes.

        With `drop_first_point`, rows are read as `without_first_points` returns them.
        """
        super().__init__(model, column, backend, threads, batch_size, reader, drop_first_point)
        self.reads = (column,)
        self.details: dict[str, pa.DataType] = {READING: pa.string()}

    def prepare(self, schema: pa.Schema) -> None:
        """Make sure that a schema has the strokes column."""
        check_strokes_column(schema, *self.reads)

    def look(self, rows: Table) -> Outcome:
        """Read rows."""
        (column,) = self.reads
        with errors_about(f"column {column!r}"):
            found = self.reader.outcome(self.strokes(rows))
        return Outcome(found.readability, found.problems, {READING: pa.array(found.readings, pa.string())})
