"""The checks that are made where none are named."""

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
    """Return checks as they are given, or else the quality check.

    Args:
        checks: Checks, at least one.
        scorer: Scorer of the quality check, where no checks are given; None for `Scorer()`.
        column: Name of its strokes column.

    Raises:
        PenpalError: There are no checks, or both checks and a scorer are given.
    """
    if checks is None:
        return [QualityCheck(column=column, scorer=scorer)]
    if scorer is not None:
        raise PenpalError("give either checks or a scorer; a scorer is for the quality check, which is made of it")
    if not checks:
        raise PenpalError("there are no checks to make")
    return list(checks)


def known_scores(schema: pa.Schema) -> list[ScoreColumn]:
    """Return the columns of scores that a table has.

    Tables that were written before their schema described them have the scores of the quality check.
    """
    if noted := noted_scores(schema):
        return noted
    return [score_column(QualityCheck())] if is_score(schema, QualityCheck.name) else []
