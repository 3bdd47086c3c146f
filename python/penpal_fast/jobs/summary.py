"""What a job did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from penpal_fast.checks.check import Check, Outcome
from penpal_fast.checks.summary import Summary


class JobSummary:
    """Counts, bad rows by reason and quantiles of each check's scores.

    What is asked for without the name of a check is about the first check.

    Attributes:
        checks: The summary of each check, by the check's name.
        seconds: Time that reading, scoring and writing were at work, which overlap, and all of it took; without what
            was done before the job was resumed.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        """Start with no rows."""
        self.checks = {check.name: Summary(check.thresholds) for check in checks}
        self.seconds: dict[str, float] = {}

    def __repr__(self) -> str:
        """Show the summary of each check."""
        return f"JobSummary({', '.join(f'{name}={summary!r}' for name, summary in self.checks.items())})"

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count the outcomes of all checks for the same rows."""
        for summary, outcome in zip(self.checks.values(), outcomes, strict=True):
            summary.add(outcome.scores, outcome.problems.values())

    @property
    def first(self) -> Summary:
        """The summary of the first check."""
        return next(iter(self.checks.values()))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.first.rows

    @property
    def scored(self) -> int:
        """Number of rows that have a score."""
        return self.first.scored

    @property
    def bad(self) -> int:
        """Number of rows that have none."""
        return self.first.bad

    @property
    def reasons(self) -> Counter[str]:
        """Bad rows by the reason they have no score."""
        return self.first.reasons

    @property
    def mean(self) -> float | None:
        """Mean score, None without scores."""
        return self.first.mean

    def quantiles(self) -> dict[str, float]:
        """Return the quantiles of the scores by name; empty without scores."""
        return self.first.quantiles()

    def kept(self) -> dict[str, float]:
        """Return the share of scored rows at or above each threshold, by the threshold's name; empty without scores."""
        return self.first.kept()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it: the first check's counts, and under "checks" each check's."""
        return {
            **self.first.as_dict(),
            "checks": {name: summary.as_dict() for name, summary in self.checks.items()},
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }
