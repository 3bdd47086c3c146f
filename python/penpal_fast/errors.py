"""The exceptions that this package raises for bad input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class PenpalError(ValueError):
    """Input that cannot be used: what is wrong, where, and what to do.

    Attributes:
        row: Index of the bad row, or None if the error is not about one row.
        stroke: Index of the bad stroke in its row, counted over all words, where it is known.
        reason: Short, stable name of the problem, such as "no points" or "null"; None if not about one row.
    """

    def __init__(
        self, message: str, *, row: int | None = None, stroke: int | None = None, reason: str | None = None
    ) -> None:
        """Make an error that names its place."""
        super().__init__(message)
        self.row = row
        self.stroke = stroke
        self.reason = reason

    @property
    def problem(self) -> str:
        """The message without the number of the row, for callers that name the row in their own way."""
        return str(self) if self.row is None else str(self).removeprefix(f"row {self.row}: ")


class UsageError(PenpalError):
    """Arguments that are out of range or contradict each other, whatever the files hold."""


def row_error(row: int, stroke: int | None, reason: str, text: str) -> PenpalError:
    """Make the error for one bad row."""
    return PenpalError(f"row {row}: {text}", row=row, stroke=stroke, reason=reason)


@contextlib.contextmanager
def errors_about(name: str) -> Iterator[None]:
    """Put the name of a file or column in front of the message of an error within the block."""
    try:
        yield
    except PenpalError as error:
        raise PenpalError(f"{name}: {error}", row=error.row, stroke=error.stroke, reason=error.reason) from error
