"""What a check is: it looks at rows, gives each a score from 0 to 1, or says why it has none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.canvas import LINE_WIDTH

Table: TypeAlias = pa.RecordBatch | pa.Table


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

    A check adds the columns `NAME` (its score, float32) and `NAME_error` (why a row has none, string) and those that
    `details` lists. It may be used from several threads, and can be pickled.
    """

    @property
    def name(self) -> str:
        """Name of the column of its scores."""
        ...

    @property
    def description(self) -> str:
        """What its scores mean, in a sentence or two, for reports."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the columns that it looks at."""
        ...

    @property
    def details(self) -> Mapping[str, pa.DataType]:
        """Further columns that it adds, with their types."""
        ...

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Named thresholds for its scores, the lowest first."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """All that its scores depend on beside the rows, as JSON; a job resumes only with the same."""
        ...

    def prepare(self, schema: pa.Schema) -> None:
        """Make sure that rows of this schema can be looked at.

        Raises:
            PenpalError: A column is missing or of the wrong type.
        """
        ...

    def look(self, rows: Table) -> Outcome:
        """Look at rows with the columns that it reads.

        Raises:
            PenpalError: The columns turn out to be of the wrong type. A bad row is no error, but has a reason.
        """
        ...


def outcomes_of(checks: Sequence[Check], rows: Table, unread: Mapping[int, str]) -> list[Outcome]:
    """Return what each check finds in rows.

    Args:
        checks: The checks.
        rows: Rows with the columns that they read.
        unread: What is wrong with rows that could not be read, by index; they are bad for every check.

    Raises:
        PenpalError: A column turns out to be of the wrong type.
    """
    found = [check.look(rows) for check in checks]
    return [Outcome(one.scores, {**one.problems, **unread}, one.details) for one in found]


@runtime_checkable
class Drawn(Protocol):
    """A check that looks at pictures of rows."""

    @property
    def line_width(self) -> float:
        """Width in pixels of the lines that it sees."""
        ...


def line_width_of(checks: Sequence[Check]) -> float:
    """Width in pixels of the lines that the first check sees that looks at pictures."""
    return next((check.line_width for check in checks if isinstance(check, Drawn)), LINE_WIDTH)
