"""The summary of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penpal_fast.checks.check import Check, Outcome
from penpal_fast.checks.summary import Summary


class JobSummary(Summary):
    """The summary of the first check's scores, with the summaries of all checks.

    Attributes:
        checks: The summary of each check, by the check's name.
        first_problem: File and row of the first bad row, and what is wrong with it; None if there is none.
        layouts: What the strokes were converted from, if they had to be.
        seconds: Seconds that reading, scoring and writing took, which overlap, and "all" of it; a resumed job counts
            its own time only.
        resumed_rows: Number of rows that an earlier run of the job had finished.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        """Start with no rows."""
        first, *others = checks
        super().__init__(first.thresholds)
        self.checks: dict[str, Summary] = {first.name: self}
        self.checks |= {check.name: Summary(check.thresholds) for check in others}
        self.first_problem: str | None = None
        self.layouts: list[str] = []
        self.seconds: dict[str, float] = {}
        self.resumed_rows = 0

    def __repr__(self) -> str:
        """Show the summary of each check."""
        return f"JobSummary({', '.join(f'{name}={Summary.__repr__(one)}' for name, one in self.checks.items())})"

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Count what each check found in the same rows."""
        for summary, outcome in zip(self.checks.values(), outcomes, strict=True):
            summary.add(outcome.scores, outcome.problems.values())

    def as_note(self) -> dict[str, Any]:
        """Return all that was counted as JSON, for `take_note`."""
        checks = {name: Summary.as_note(summary) for name, summary in self.checks.items()}
        return {"checks": checks, "first_problem": self.first_problem}

    def take_note(self, note: dict[str, Any]) -> None:
        """Take what `as_note` returned as what was counted; see `Summary.take_note`."""
        for name, summary in self.checks.items():
            Summary.take_note(summary, note["checks"][name])
        self.first_problem = note["first_problem"]

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON: the first check's counts, and each check's under "checks"."""
        return {
            **super().as_dict(),
            "first_problem": self.first_problem,
            "checks": {name: Summary.as_dict(summary) for name, summary in self.checks.items()},
            **({"layouts": self.layouts} if self.layouts else {}),
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }
