"""Checks of Arrow data: a record batch or table comes in, and the same with the checks' columns goes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypedDict

import pyarrow as pa

from penpal_fast.checks.check import Check, check_settings, outcomes_of
from penpal_fast.checks.columns import added_columns, akin, checked_schema, error_column, prepare, with_outcomes
from penpal_fast.checks.defaults import ReaderChoice, check_no_settings, default_checks, reader_checks
from penpal_fast.checks.quality import ModelSource, QualityCheck
from penpal_fast.checks.text_match import ReadabilityCheck, TextCheck
from penpal_fast.engines.settings import Backend
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.frames import column_names, is_batch, is_frame, plain_batch, table_of, with_added, with_empty_texts
from penpal_fast.layouts.coordinate_columns import possible_coordinate_columns
from penpal_fast.layouts.known import check_layout
from penpal_fast.layouts.sharing import check_sharing, may_share
from penpal_fast.layouts.strokes_column import StrokesColumn

OWN_CHECKS = (QualityCheck, TextCheck, ReadabilityCheck)
"""Checks whose first column is that of the strokes."""


class _EngineSettings(TypedDict):
    backend: Backend
    threads: int | None
    batch_size: int | None


class _ReaderSettings(TypedDict):
    text: str | None
    reading: bool
    reader: ReaderChoice
    drop_first_point: bool


class _Schemas(NamedTuple):
    """What is known of rows of a schema.

    Attributes:
        given: The schema.
        made: The same with the columns of the checks.
        strokes: How strokes are read.
        sharing: Columns that are read and whose rows may share their parts.
    """

    given: pa.Schema
    made: pa.Schema
    strokes: StrokesColumn
    sharing: list[str]


class ArrowScorer:
    """Adds the columns of checks to record batches and tables: by default `quality` (float32), `quality_error` and
    `quality_note`.

    With `text`, it adds `text_match` and `text_match_error` too; without, a column `text` is not looked at. A bad row
    has a null score and its reason in the column of errors; a good row has a null there. Models are loaded at first
    use, and again in each process that an ArrowScorer is sent to.
    """

    def __init__(
        self,
        model: ModelSource = None,
        *,
        column: str = "strokes",
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
        text: str | None = None,
        reading: bool = False,
        reader: ReaderChoice = None,
        drop_first_point: bool = False,
        layout: str | None = None,
        quality_column: str | None = None,
        checks: Sequence[Check] | None = None,
    ) -> None:
        """Take the arguments of `Scorer` and the names of columns, or checks instead.

        Args:
            model: As for `Scorer`.
            column: Name of the strokes column.
            backend: Engine of both networks, as for `Scorer`.
            threads: As for `Scorer`.
            batch_size: As for `Scorer`.
            text: Name of the column of texts, for `text_match` and `text_match_error`; None to compare none.
            reading: Also add `reading` and `readability`, and without `text` also `readability_error`.
            reader: What `Reader` takes, or a `Reader`, with which this ArrowScorer cannot be pickled; None for the
                reader in this package.
            drop_first_point: Score rows as `without_first_points` returns them; the strokes column stays as it is.
            layout: Name of the layout of the strokes, such as "offsets", if it should not be told from their type and
                the first rows that come; see docs/data.md.
            quality_column: Name of the column of scores, in place of `quality`.
            checks: Checks in place of these settings; only `column` and `layout` may be given too.

        Raises:
            PenpalError: Both are given, a name is no text, or `checks` is empty or has something else than checks.
        """
        engine: _EngineSettings = {"backend": backend, "threads": threads, "batch_size": batch_size}
        reader_settings: _ReaderSettings = {
            "text": text,
            "reading": reading,
            "reader": reader,
            "drop_first_point": drop_first_point,
        }
        if checks is not None:
            chosen = {**engine, "backend": None if backend == "auto" else backend}
            check_no_settings(model=model, **chosen, **reader_settings, quality_column=quality_column)
            self._checks = default_checks(checks)
        else:
            self._checks = [
                QualityCheck(model, column=column, drop_first_point=drop_first_point, name=quality_column, **engine),
                *reader_checks(column=column, **reader_settings, **engine),
            ]
            for check in self._checks:
                check_settings(check)
        check_layout(layout)
        self._column = column
        self._layout = layout
        self._schemas: _Schemas | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the settings without the last schema."""
        return {**self.__dict__, "_schemas": None}

    def __call__(self, data: Any) -> Any:
        """Return the same rows with the columns added; columns of the same names are replaced.

        A data frame of pandas comes back as one with the same index; scores are float32 there, NaN where they are null.
        Columns that no check reads may hold anything there.
        Data frames of Polars and Hugging Face datasets come back as a PyArrow table, of which `polars.from_arrow` makes
        a frame again. A dict of columns comes back as a dict with lists added, and with lists in place of NumPy arrays
        of objects, which `Dataset.map(..., batched=True)` cannot write; scores are Python numbers there, which become
        float64. Any other batch that it gives comes back in a form that it accepts: after `with_format("arrow")` scores
        stay float32, and nothing is converted.

        Raises:
            PenpalError: A column that a check reads is missing, or of the wrong type, or a check breaks its protocol.
        """
        strokes = [name for check in self._checks for name in check.reads[:1] if isinstance(check, OWN_CHECKS)]
        reads = dict.fromkeys(name for check in self._checks for name in check.reads)
        coordinates = possible_coordinate_columns(column_names(data), self._column) if self._column in strokes else []
        if coordinates:
            reads = dict.fromkeys([*coordinates, *(name for name in reads if name != self._column)])
            strokes = coordinates
        table = table_of(data, reads, dict.fromkeys(strokes), _looked_for(self._checks))
        if table is None:
            raise PenpalError(
                f"expected a pyarrow RecordBatch or Table, got {type(data).__name__}; a data frame, a Hugging Face "
                "dataset and a dict of columns will do too"
            )
        if is_frame(data) or is_batch(data):
            for name in [check.text for check in self._checks if isinstance(check, TextCheck)]:
                table = with_empty_texts(table, name)
        schema, column = self._prepared(table, reads)
        found = with_outcomes(table, self._checks, outcomes_of(self._checks, *column.converted(table)), schema)
        if is_frame(data):
            return with_added(data, found.select(list(added_columns(self._checks))))
        if not is_batch(data):
            return found
        added = {name: found.column(name).to_pylist() for name in added_columns(self._checks)}
        return {**plain_batch(data), **added}

    def _prepared(self, data: pa.RecordBatch | pa.Table, reads: Iterable[str]) -> tuple[pa.Schema, StrokesColumn]:
        """Prepare the checks for a schema, and add their columns to it. The last schema usually comes again.

        Raises:
            PenpalError: A column that is read claims far more than there is, or does not fit the checks.
        """
        last, schema = self._schemas, data.schema
        if last is None or not last.given.equals(schema, check_metadata=True):
            sharing = [name for name in reads if schema.names.count(name) == 1 and may_share(schema.field(name).type)]
            _check_sharing(data, sharing)
            strokes = StrokesColumn(self._column, None)
            if any(self._column in check.reads for check in self._checks):
                strokes = StrokesColumn.found(schema, self._column, [data], self._layout, more_follow=True)
            prepare(self._checks, strokes.schema(schema))
            last = _Schemas(schema, checked_schema(schema, self._checks), strokes, sharing)
            if strokes.is_told:  # Otherwise later rows may tell another layout.
                self._schemas = last
        else:
            _check_sharing(data, last.sharing)
        return last.made, last.strokes


def _looked_for(checks: Iterable[Check]) -> set[str]:
    """Columns that checks do not read but that tell whether a check wrote those that they replace."""
    scores = {name for check in checks for name in akin(check)}
    return {*scores, *map(error_column, scores), *(name for check in checks for name in check.details)}


def _check_sharing(data: pa.RecordBatch | pa.Table, columns: Iterable[str]) -> None:
    for name in columns:
        with errors_about(f"column {name!r}"):
            check_sharing(data, name)
