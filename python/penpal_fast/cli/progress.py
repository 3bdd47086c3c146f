"""How far a command is: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from penpal_fast.cli.console import err, say
from penpal_fast.progress import Progress, no_progress

SECONDS = 60.0
"""Time from a line to the next. Logs of schedulers show by these lines that a job is alive."""


@contextlib.contextmanager
def progress_bar(what: str, *, shown: bool = True, passes: bool = False) -> Iterator[Progress]:
    """Show a bar with rows/s and the time left; without a terminal, at most a line a minute.

    Args:
        what: What the command does.
        shown: Whether anything is shown.
        passes: Whether rows are read several times, so that what is done is no number of rows and has no rate.
    """
    if not shown:
        yield no_progress
        return
    if not _is_terminal():
        yield Lines(what, unit="" if passes else "rows").report
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=err(), transient=True) as progress:
        task = progress.add_task(what, total=None, rate="")

        def report(done: int, total: int) -> None:
            rate = "" if passes else f"{progress.tasks[0].speed or 0:,.0f} rows/s"
            progress.update(task, completed=done, total=total, rate=rate)

        yield report


@contextlib.contextmanager
def stage_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each stage; without a terminal, at most a line a minute."""
    if not _is_terminal():
        stages: dict[str, Lines] = {}

        def report_line(what: str, done: int, total: int) -> None:
            stages.setdefault(what, Lines(what)).report(done, total)

        yield report_line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=err()) as bars:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield report


def _is_terminal() -> bool:
    """Whether stderr is a terminal. It may be closed."""
    return sys.stderr is not None and sys.stderr.isatty()


class Lines:
    """Prints to stderr how much is done, at most once in `SECONDS`, and nothing of short work."""

    def __init__(self, what: str, unit: str = "") -> None:
        """Begin the work. `unit` is what is counted; without it the lines have shares alone."""
        self._what = what
        self._unit = unit
        self._said, self._done = time.monotonic(), -1

    def report(self, done: int, total: int) -> None:
        """Print a line if it is time. A total of 0 is unknown."""
        now = time.monotonic()
        if self._done < 0:  # A resumed job begins with what was done before.
            self._said, self._done = now, done
        if now - self._said < SECONDS or done == self._done:
            return
        # Nobody may read the lines, or their disk may be full; the job goes on.
        with contextlib.suppress(OSError, ValueError):
            say(f"{self._what}: {self._figures(done, total, now - self._said)}", aside=True)
        self._said, self._done = now, done

    def _figures(self, done: int, total: int, seconds: float) -> str:
        share = f"{done / total:.0%}" if total else ""
        if not self._unit:
            return share or f"{done:,}"
        rate = (done - self._done) / seconds
        rate_text = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        of_all = f" of {total:,} {self._unit} ({share})" if total else f" {self._unit}"
        return f"{done:,}{of_all}, {rate_text} {self._unit}/s"
