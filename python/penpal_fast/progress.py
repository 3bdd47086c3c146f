"""How far work is, for those who wait for it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is to do."""


def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


class Reports:
    """Calls a progress, for the time of a job, and lets through the job what it raises.

    A job takes errors of the system for errors of its files, and Python ends a generator that StopIteration leaves.
    """

    def __init__(self, progress: Progress | None) -> None:
        """Take what to call; None for nothing."""
        self._progress = progress or no_progress
        self._raised: Exception | None = None

    def __call__(self, done: int, total: int) -> None:
        """Say how much is done."""
        try:
            self._progress(done, total)
        except Exception as error:
            self._raised = error
            raise _CarriedError from error

    def __enter__(self) -> Reports:
        """Begin the job."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Raise what the progress raised, as if nothing lay between."""
        raised, self._raised = self._raised, None
        if raised is None or not isinstance(error, Exception):
            return
        context = raised.__context__
        try:
            raise raised
        finally:
            raised.__context__ = context


class _CarriedError(Exception):
    """Stands for what a progress raised, on its way through a job."""
