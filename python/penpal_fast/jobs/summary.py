"""The summary of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from penpal_fast.checks.check import Check, Outcome
from penpal_fast.checks.summary import Summary


class JobSummary:
    """Counts, bad rows by reason and quantiles of each check's scores.

    The properties without the name of a check are about the first check.

    Attributes:
        checks: The summary of each check, by the check's name.
        seconds: Seconds that reading, scoring and writing took, which overlap, and "all" of it; a resumed job counts
            its own time only.
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
        """Number of bad rows, which have no score."""
        return self.first.bad

    @property
    def reasons(self) -> Counter[str]:
        """Number of bad rows by reason."""
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
        """Return the summary as JSON: the first check's counts, and each check's under "checks"."""
        return {
            **self.first.as_dict(),
            "checks": {name: summary.as_dict() for name, summary in self.checks.items()},
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }
