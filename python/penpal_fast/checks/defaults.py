"""Which checks settings ask for, and the columns of scores that a table has by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from penpal_fast.checks.check import Check, check_settings
from penpal_fast.checks.columns import ScoreColumn, is_ours, noted_scores, score_column
from penpal_fast.checks.quality import QualityCheck, Scorer
from penpal_fast.checks.text_match import ReadabilityCheck, TextCheck, compared_text
from penpal_fast.engines.settings import Backend
from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.schema import TEXT_COLUMN

if TYPE_CHECKING:
    from penpal_fast.reading.reader import Reader, ReaderSource

ReaderChoice: TypeAlias = "Reader | ReaderSource"

DEFAULT_THRESHOLDS = {QualityCheck.name: "lenient", TextCheck.name: "balanced", ReadabilityCheck.name: "balanced"}
"""Names of the thresholds that filters and reports begin with: with the bundled models, each keeps 95 % of clean
synthetic lines."""

OTHER_DEFAULT = "lenient"
"""The same for other checks, if they have a threshold of this name."""


def default_threshold(name: str, thresholds: Mapping[str, float]) -> str | None:
    """Return the name of the threshold that a filter takes for a check unless it is told; None if it must be told."""
    default = DEFAULT_THRESHOLDS.get(name, OTHER_DEFAULT)
    return default if default in thresholds else None


def default_checks(
    checks: Sequence[Check] | None = None,
    *,
    scorer: Scorer | None = None,
    column: str = "strokes",
    text: str | None = None,
    reading: bool = False,
    reader: ReaderChoice = None,
    drop_first_point: bool = False,
    quality_column: str | None = None,
) -> list[Check]:
    """Return the given checks, or the quality check and those of the reader that are asked for.

    Args:
        checks: Checks, at least one; None for those that the other arguments ask for.
        scorer: Scorer of the quality check; None for `Scorer()`.
        column: Name of the strokes column of these checks.
        text: As for `reader_checks`.
        reading: As for `reader_checks`.
        reader: As for `reader_checks`.
        drop_first_point: Whether these checks look at rows as `without_first_points` returns them.
        quality_column: Name of the quality check and its column; None for `quality`.

    Raises:
        PenpalError: There are no checks, one breaks its protocol, or both checks and other settings are given.
    """
    if checks is None:
        quality = QualityCheck(column=column, scorer=scorer, drop_first_point=drop_first_point, name=quality_column)
        check_settings(quality)
        others = reader_checks(
            text=text, reading=reading, reader=reader, column=column, drop_first_point=drop_first_point
        )
        return [quality, *others]
    check_no_settings(
        scorer=scorer,
        text=text,
        reading=reading,
        reader=reader,
        drop_first_point=drop_first_point,
        quality_column=quality_column,
    )
    if not isinstance(checks, Iterable) or isinstance(checks, str):
        raise PenpalError(f"checks must be a list of checks, got {checks!r}")
    given = list(checks)
    if not given:
        raise PenpalError("checks is empty; give at least one check, or leave it out for the quality check")
    for check in given:
        check_settings(check)
    return given


def check_no_settings(**settings: Any) -> None:
    """Make sure that there are no settings beside checks that have their own.

    Raises:
        PenpalError: A setting is not None or False.
    """
    for name, value in settings.items():
        if value is not None and value is not False:
            raise PenpalError(
                f"give either checks or {name}; such settings are for the checks: QualityCheck(...) takes those of the "
                "quality, TextCheck(...) and ReadabilityCheck(...) those of the reader"
            )


def reader_checks(
    *,
    text: str | None,
    reading: bool,
    reader: ReaderChoice,
    column: str,
    backend: Backend = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    drop_first_point: bool = False,
) -> list[Check]:
    """Return the check of the reader that settings ask for, if they do.

    Args:
        text: Name of the column of texts, for the check `text_match`; None for no match.
        reading: Whether readings and readability are wanted: further columns of `text_match`, or without `text` the
            check `readability`.
        reader: A reader, or a folder or repository with one; None for the reader in this package.
        column: Name of the strokes column.
        backend: As for `Reader`, like the others.
        threads: As for `Reader`.
        batch_size: As for `Reader`.
        drop_first_point: Whether it reads rows as `without_first_points` returns them.

    Raises:
        PenpalError: There is a reader and nothing for it to do, or the name of the column is not text.
    """
    if text is None and not reading:
        if reader is not None:
            raise UsageError(
                "a reader was given, and nothing to read: name the column of texts with --text (text=), or ask for "
                "readings with --reading (reading=True)"
            )
        return []
    from penpal_fast.reading.reader import Reader

    made, model = (reader, None) if isinstance(reader, Reader) else (None, reader)
    settings: dict[str, Any] = {
        "model": model,
        "column": column,
        "backend": backend,
        "threads": threads,
        "batch_size": batch_size,
        "reader": made,
        "drop_first_point": drop_first_point,
    }
    if text is None:
        return [ReadabilityCheck(**settings)]
    if not isinstance(text, str):
        raise PenpalError(f"text must be the name of the column of texts, got {text!r}")
    return [TextCheck(text, reading=reading, **settings)]


def known_scores(schema: pa.Schema) -> list[ScoreColumn]:
    """Return the columns of scores that a table has, in its order.

    Older versions wrote the column of the quality check without a description in the schema, and other libraries drop
    the description.
    """
    known = {column.name: column for column in noted_scores(schema)}
    if is_ours(schema, QualityCheck.name):
        known.setdefault(QualityCheck.name, score_column(QualityCheck()))
    return [known[name] for name in schema.names if name in known]


def text_column_of(schema: pa.Schema) -> str:
    """Return the name of the texts that rows should say: those that their match was made with, as others say nothing
    about it, or else `TEXT_COLUMN`. There may be no such column."""
    return compared_text(known_scores(schema)) or TEXT_COLUMN
