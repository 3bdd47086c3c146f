"""The default check, and the columns of scores that a table has by default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from penpal_fast.checks.check import Check, check_settings
from penpal_fast.checks.columns import ScoreColumn, is_score, noted_scores, score_column
from penpal_fast.checks.quality import QualityCheck, Scorer
from penpal_fast.errors import PenpalError


def default_checks(
    checks: Sequence[Check] | None = None, *, scorer: Scorer | None = None, column: str = "strokes"
) -> list[Check]:
    """Return the given checks, or the quality check if none are given.

    Args:
        checks: Checks, at least one; None for the quality check.
        scorer: Scorer of the quality check; None for `Scorer()`.
        column: Name of the strokes column of the quality check.

    Raises:
        PenpalError: There are no checks, one breaks its protocol, or both checks and a scorer are given.
    """
    if checks is None:
        return [QualityCheck(column=column, scorer=scorer)]
    if scorer is not None:
        raise PenpalError("give either checks or a scorer, not both; QualityCheck(scorer=...) is a check with a scorer")
    if not isinstance(checks, Iterable) or isinstance(checks, str):
        raise PenpalError(f"checks must be a list of checks, got {checks!r}")
    given = list(checks)
    if not given:
        raise PenpalError("checks is empty; give at least one check, or leave it out for the quality check")
    for check in given:
        check_settings(check)
    return given


def known_scores(schema: pa.Schema) -> list[ScoreColumn]:
    """Return the columns of scores that a table has, in its order.

    Older versions wrote the column of the quality check without a description in the schema.
    """
    known = {column.name: column for column in noted_scores(schema)}
    if is_score(schema, QualityCheck.name):
        known.setdefault(QualityCheck.name, score_column(QualityCheck()))
    return [known[name] for name in schema.names if name in known]
