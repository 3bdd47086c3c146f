"""Jobs that stop in the middle."""

from __future__ import annotations

from collections.abc import Callable


class Stop(BaseException):
    """Ends a job in the middle."""


def stop_after(rows: int) -> Callable[[int, int], None]:
    """Make a `progress` that ends the job once this number of rows is finished."""

    def progress(done: int, _total: int) -> None:
        if done >= rows:
            raise Stop

    return progress
