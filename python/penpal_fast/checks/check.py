"""What a check is: it looks at rows and gives each a score from 0 to 1, or the reason why it has none."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.canvas import LINE_WIDTH
from penpal_fast.errors import PenpalError

Table: TypeAlias = pa.RecordBatch | pa.Table

NO_REASON = "no score"
"""Problem of a row that has neither a score nor a reason."""

MOST_REASONS = 1000
MOST_REASON_LETTERS = 100
"""An untrusted file may hold any number of reasons of any length; these limits keep the counts small."""

OTHER_REASONS = "other reasons"
"""Reason under which rows beyond `MOST_REASONS` are counted."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a check found in rows.

    Attributes:
        scores: float32 [N] in [0, 1]; NaN for a bad row.
        problems: What is wrong with each bad row, by its index: "REASON: DETAIL".
        details: The check's further columns, [N] each, by name.
    """

    scores: NDArray[np.float32]
    problems: dict[int, str]
    details: dict[str, pa.Array] = dataclasses.field(default_factory=dict)


class Check(Protocol):
    """Looks at rows. Jobs, filters, reports, the page and `ArrowScorer` take a list of checks.

    A check adds the columns `NAME` (its score, float32) and `NAME_error` (why a row has no score, string) and the
    columns that `details` lists. It can be used from several threads, and pickled.
    """

    @property
    def name(self) -> str:
        """Name of the column of its scores."""

    @property
    def description(self) -> str:
        """What its scores mean, in a sentence or two, for reports."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the columns that it looks at."""

    @property
    def details(self) -> Mapping[str, pa.DataType]:
        """Further columns that it adds, with their types."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Named thresholds for its scores, the lowest first."""

    @property
    def identity(self) -> dict[str, Any]:
        """All that its scores depend on, besides the rows, as JSON; a job resumes only with the same identity."""

    def prepare(self, schema: pa.Schema) -> None:
        """Make sure that the check can look at rows of this schema.

        Raises:
            PenpalError: A column is missing or of the wrong type.
        """

    def look(self, rows: Table) -> Outcome:
        """Score rows, which have the columns named by `reads`.

        Raises:
            PenpalError: A column is of the wrong type. A bad row is not an error; it gets a reason.
        """


def outcomes_of(checks: Sequence[Check], rows: Table, unread: Mapping[int, str]) -> list[Outcome]:
    """Return what each check finds in rows.

    Args:
        checks: The checks.
        rows: Rows with the columns that the checks read.
        unread: What is wrong with rows that could not be read, by index. They are bad for every check.

    Raises:
        PenpalError: A column is of the wrong type, or a check does not give each row a score or NaN.
    """
    return [_outcome_of(check, rows, unread) for check in checks]


def _outcome_of(check: Check, rows: Table, unread: Mapping[int, str]) -> Outcome:
    found = check.look(rows)
    scores = np.array(found.scores, dtype=np.float32)
    if scores.shape != (len(rows),):
        raise PenpalError(f"the check {check.name!r} gave scores of shape {scores.shape} for {len(rows)} rows")
    scores[list(unread)] = np.nan
    if len(wrong := np.flatnonzero((scores < 0) | (scores > 1))):
        raise PenpalError(f"the check {check.name!r} gave the score {scores[wrong[0]]:g}; scores are from 0 to 1")
    bad = np.flatnonzero(np.isnan(scores)).tolist()
    return Outcome(scores, {row: unread.get(row) or found.problems.get(row, NO_REASON) for row in bad}, found.details)


def reason_of(problem: str) -> str:
    """Return the reason of a problem ("REASON: DETAIL"), cut at `MOST_REASON_LETTERS`; a summary counts by it."""
    return problem.partition(":")[0][:MOST_REASON_LETTERS] or NO_REASON


def count_reasons(counts: Counter[str], problems: Iterable[str]) -> None:
    """Count problems ("REASON: DETAIL") by reason."""
    for reason in map(reason_of, problems):
        counts[reason if reason in counts or len(counts) < MOST_REASONS else OTHER_REASONS] += 1


@runtime_checkable
class Drawn(Protocol):
    """A check that looks at the pictures of rows."""

    @property
    def line_width(self) -> float:
        """Width in pixels of the lines that it sees."""


def line_width_of(checks: Sequence[Check]) -> float:
    """Line width in pixels of the first check that looks at pictures, or the default."""
    return next((check.line_width for check in checks if isinstance(check, Drawn)), LINE_WIDTH)
