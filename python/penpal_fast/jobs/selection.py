"""Which rows a filter keeps by their scores, and the counts of it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import count_reasons
from penpal_fast.checks.columns import read_outcome
from penpal_fast.jobs.good_lines import FoundThreshold
from penpal_fast.jobs.notes import noted

BELOW = "below the threshold"

SELECTION_KEY = b"penpal_fast.selection"
"""Key of a Parquet file's metadata that says what the filter that wrote it did."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Which rows of a batch are kept.

    Attributes:
        kept: Whether each row is kept, [N].
        problems: What is wrong with each row that lacks a score, by its index.
        rejected: Number of rows that have their scores and are rejected, by reason.
        first_problem: File and row of the first row that lacks a score, and what is wrong with it; None if all have
            their scores.
    """

    kept: NDArray[np.bool_]
    problems: dict[int, str]
    rejected: Counter[str]
    first_problem: str | None

    def among(self, chosen: NDArray[np.bool_], reason: str) -> Verdict:
        """Keep only rows that are chosen too, and reject the others for a reason."""
        others = int((self.kept & ~chosen).sum())
        rejected = Counter({**self.rejected, reason: others})
        return dataclasses.replace(self, kept=self.kept & chosen, rejected=rejected)


@dataclasses.dataclass
class Selection:
    """What a filter did.

    Attributes:
        rows: Number of rows.
        kept: Number of kept rows.
        bad: Number of bad rows, which lack a score.
        rejected: Number of rejected rows by reason, bad rows included.
        groups: With `best_of`, number of groups of rows, of which each has at most one kept row; else None.
        thresholds: The threshold of each check, by its name.
        layouts: What the strokes were converted from, if they had to be.
        found: The thresholds that were found from good lines, by the check's name.
        first_problem: File and row of the first bad row, and what is wrong with it; None if there is none.
        resumed_rows: Number of rows whose scores an earlier run had left; all rows if it had finished the outputs.
    """

    rows: int = 0
    kept: int = 0
    bad: int = 0
    rejected: Counter[str] = dataclasses.field(default_factory=Counter)
    groups: int | None = None
    thresholds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    layouts: list[str] = dataclasses.field(default_factory=list)
    found: Mapping[str, FoundThreshold] = dataclasses.field(default_factory=dict)
    first_problem: str | None = None
    resumed_rows: int = dataclasses.field(default=0, compare=False)

    def add(self, verdict: Verdict) -> None:
        """Count the rows of a batch."""
        self.rows += len(verdict.kept)
        self.kept += int(verdict.kept.sum())
        self.bad += len(verdict.problems)
        self.rejected.update(verdict.rejected)
        count_reasons(self.rejected, verdict.problems.values())
        self.first_problem = self.first_problem or verdict.first_problem

    def as_dict(self) -> dict[str, Any]:
        """Return the selection as JSON."""
        groups = {} if self.groups is None else {"groups": self.groups}
        layouts = {"layouts": self.layouts} if self.layouts else {}
        rejected = dict(self.rejected.most_common())
        good = {"keep_good": {name: dataclasses.asdict(one) for name, one in self.found.items()}} if self.found else {}
        return {
            "rows": self.rows,
            "kept": self.kept,
            "rejected": rejected,
            "bad": self.bad,
            "first_problem": self.first_problem,
            **groups,
            **good,
            **layouts,
        }

    def as_note(self) -> dict[str, Any]:
        """Return all of the selection as JSON, for `noted_selection`."""
        note = dataclasses.asdict(dataclasses.replace(self, rejected=dict(self.rejected)))  # type: ignore[arg-type]
        del note["resumed_rows"]  # The same output, whether a job was interrupted or not.
        return note


def noted_selection(path: Path) -> Selection | None:
    """Return what the filter did that wrote a Parquet file; None if the file does not say."""
    return read_selection(noted(path, SELECTION_KEY))


def read_selection(note: Any) -> Selection | None:
    """Return the selection that `as_note` describes; None if it is no such note."""
    try:
        found = {name: FoundThreshold(**one) for name, one in note["found"].items()}
        return Selection(**{**note, "rejected": Counter(note["rejected"]), "found": found})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def verdict_on(
    rows: pa.RecordBatch, thresholds: Mapping[str, float], unread: Mapping[int, str], where: str, first: int
) -> Verdict:
    """Judge rows by their scores.

    Args:
        rows: Rows with the columns of scores.
        thresholds: The threshold of each check, by its name.
        unread: What is wrong with rows that could not be read, by index.
        where: Name of the file, for errors.
        first: Number of the first row in the file, for errors.

    Raises:
        PenpalError: A score is not from 0 to 1; the error names the row.
    """
    problems: dict[int, str] = {}
    for name in thresholds:
        problems = {**read_outcome(rows, name, where, first).problems, **problems}
    problems = {row: unread.get(row, problem) for row, problem in problems.items()}
    kept = np.ones(len(rows), dtype=bool)
    kept[list(problems)] = False
    below: Counter[str] = Counter()
    for name, threshold in thresholds.items():
        reaches = _at_least(rows.column(name), threshold)
        below[BELOW if len(thresholds) == 1 else f"{name} {BELOW}"] = int((kept & ~reaches).sum())
        kept &= reaches
    bad = min(problems, default=None)
    return Verdict(kept, problems, below, None if bad is None else f"{where}, row {first + bad}: {problems[bad]}")


def _at_least(scores: pa.Array, threshold: float) -> NDArray[np.bool_]:
    """Whether scores reach a threshold in their own precision: the float32 score 0.3 reaches 0.3.

    Those of type float64 are compared as float32, which scores are that JSON lines have.
    """
    values = scores.to_numpy(zero_copy_only=False)
    values = values.astype(np.float32) if values.dtype == np.float64 else values
    return np.asarray(values >= values.dtype.type(threshold), dtype=bool)
