"""The default check, and the columns of scores that a table has by default."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from penpal_fast.checks.check import Check
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
        PenpalError: There are no checks, or both checks and a scorer are given.
    """
    if checks is None:
        return [QualityCheck(column=column, scorer=scorer)]
    if scorer is not None:
        raise PenpalError("give either checks or a scorer, not both; QualityCheck(scorer=...) is a check with a scorer")
    if not checks:
        raise PenpalError("checks is empty; give at least one check, or leave it out for the quality check")
    return list(checks)


def known_scores(schema: pa.Schema) -> list[ScoreColumn]:
    """Return the columns of scores that a table has.

    A schema that describes none may still have a column of the quality check, from an older version.
    """
    if noted := noted_scores(schema):
        return noted
    return [score_column(QualityCheck())] if is_score(schema, QualityCheck.name) else []
