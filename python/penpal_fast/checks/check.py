"""What a check is: it looks at rows and gives each a score from 0 to 1, or the reason why it has none."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.canvas import LINE_WIDTH
from penpal_fast.errors import PenpalError, UsageError, errors_about
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.schema import Table

NO_REASON = "no score"
"""Problem of a row that has neither a score nor a reason."""

MAX_REASONS = 1000
MAX_REASON_LETTERS = 100
"""An untrusted file may hold any number of reasons of any length; these limits keep the counts small."""

MAX_THRESHOLDS, LONGEST_THRESHOLD = 20, 60
"""Thresholds of a check, and characters of the name of one. A report shows each of them for each file and group."""

OTHER_REASONS = "other reasons"
"""Reason under which rows beyond `MAX_REASONS` are counted."""


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


def check_settings(check: Check) -> None:
    """Make sure that something is a check, and that what it says about itself fits into a schema.

    Raises:
        PenpalError: It is not, or does not; the error names the check.
    """
    if isinstance(check, type):
        raise PenpalError(f"checks has the class {check.__name__}; give an instance, {check.__name__}(...)")
    if not (hasattr(check, "look") and hasattr(check, "prepare")):
        raise PenpalError(f"checks has {check!r}, which is not a check")
    if not (is_unicode(check.name) and check.name):
        raise UsageError(f"the name of a check must be text, got {check.name!r} from {type(check).__name__}")
    with errors_about(f"the check {check.name!r}"):
        if not is_unicode(check.description):
            raise PenpalError(f"description must be text, got {check.description!r}")
        if not (isinstance(check.reads, (tuple, list)) and all(map(is_unicode, check.reads))):
            raise PenpalError(f"reads must be a tuple of column names, got {check.reads!r}")
        if not _is_mapping(check.details, pa.DataType):
            raise PenpalError(f"details must be Arrow types by column name, got {check.details!r}")
        if not (_is_mapping(check.thresholds, Real) and all(0 <= value <= 1 for value in check.thresholds.values())):
            raise PenpalError(f"thresholds must be numbers from 0 to 1 by name, got {check.thresholds!r}")
        if not are_few(check.thresholds):
            raise PenpalError(
                f"there may be {MAX_THRESHOLDS} thresholds, with names of up to {LONGEST_THRESHOLD} characters"
            )


def are_few(thresholds: Collection[str]) -> bool:
    """Whether the named thresholds of a check are few enough, and their names short enough, to be shown."""
    return len(thresholds) <= MAX_THRESHOLDS and all(len(name) <= LONGEST_THRESHOLD for name in thresholds)


def _is_mapping(found: object, kind: type) -> bool:
    return isinstance(found, Mapping) and all(is_unicode(k) and isinstance(v, kind) for k, v in found.items())


def outcomes_of(checks: Sequence[Check], rows: Table, unread: Mapping[int, str]) -> list[Outcome]:
    """Return what each check finds in rows.

    Args:
        checks: The checks.
        rows: Rows with the columns that the checks read.
        unread: What is wrong with rows that could not be read, by index. They are bad for every check.

    Raises:
        PenpalError: A column is of the wrong type, or a check breaks its protocol; the error names the check.
    """
    return [_outcome_of(check, rows, unread) for check in checks]


def _outcome_of(check: Check, rows: Table, unread: Mapping[int, str]) -> Outcome:
    try:
        found: Any = check.look(rows)
    except (OSError, pa.ArrowException) as error:  # A job would take it for an error of its output.
        raise_if_from_handler(error)
        raise PenpalError(f"the check {check.name!r}: {error}") from error
    with errors_about(f"the check {check.name!r}"):
        if not isinstance(found, Outcome):
            raise PenpalError(f"look must return an Outcome, not {type(found).__name__}")
        if not (isinstance(found.problems, Mapping) and isinstance(found.details, Mapping)):
            raise PenpalError("problems and details of an Outcome must be dicts")
        scores = _checked_scores(found.scores, len(rows), unread)
        bad = np.flatnonzero(np.isnan(scores)).tolist()
        problems = {row: unread.get(row) or found.problems.get(row) or NO_REASON for row in bad}
        if wrong := [problem for problem in problems.values() if not is_unicode(problem)]:
            raise PenpalError(f"a problem must be text, got {wrong[0]!r}")
        details = {name: _detail(found.details, name, kind, len(rows)) for name, kind in check.details.items()}
    return Outcome(scores, problems, details)


def _checked_scores(found: Any, rows: int, unread: Mapping[int, str]) -> NDArray[np.float32]:
    try:
        scores = np.array(found, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise PenpalError(f"scores must be float32: {error}") from error
    if scores.shape != (rows,):
        raise PenpalError(f"scores of shape {scores.shape} for {rows} rows")
    scores[list(unread)] = np.nan
    if len(wrong := np.flatnonzero((scores < 0) | (scores > 1))):
        raise PenpalError(f"the score {scores[wrong[0]]:g} is not from 0 to 1")
    return scores


def _detail(details: Mapping[str, Any], name: str, kind: pa.DataType, rows: int) -> pa.Array:
    if name not in details:
        raise PenpalError(f"the outcome lacks the details {name!r}")
    values = details[name]
    try:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        array = values if isinstance(values, pa.Array) else pa.array(values, kind)
        array = array if array.type == kind else array.cast(kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise PenpalError(f"the details {name!r} are not of type {kind}: {error}") from error
    if len(array) != rows:
        raise PenpalError(f"{len(array)} details {name!r} for {rows} rows")
    return array


def is_unicode(value: object) -> bool:
    """Whether a value is text that Arrow and JSON can hold; half a surrogate pair is not."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def reason_of(problem: str) -> str:
    """Return the reason of a problem ("REASON: DETAIL"), cut at `MAX_REASON_LETTERS`; a summary counts by it."""
    return problem.partition(":")[0][:MAX_REASON_LETTERS] or NO_REASON


def count_reasons(counts: Counter[str], problems: Iterable[str]) -> None:
    """Count problems ("REASON: DETAIL") by reason."""
    for reason in map(reason_of, problems):
        counts[reason if reason in counts or len(counts) < MAX_REASONS else OTHER_REASONS] += 1


@runtime_checkable
class SeesPictures(Protocol):
    """A check that looks at the pictures of rows."""

    @property
    def line_width(self) -> float:
        """Width in pixels of the lines that it sees."""


def line_width_of(checks: Sequence[Check]) -> float:
    """Line width in pixels of the first check that looks at pictures, or the default."""
    return next((check.line_width for check in checks if isinstance(check, SeesPictures)), LINE_WIDTH)
