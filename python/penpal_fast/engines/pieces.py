"""Work on many rows in pieces, since Python sees an interrupt between calls into Rust only."""

from __future__ import annotations

import time
from collections.abc import Iterator

FIRST_ROWS, MAX_ROWS = 4, 4096
"""Rows of one call, at first and at most."""

GROWTH = 4
"""Threads wait for each other at the end of a call, so there should be few small ones."""

SHORT_SECONDS, LONG_SECONDS = 0.25, 1.0
"""A call that takes less time is followed by one with `GROWTH` times as many rows, and a longer one by half as many: a
row may have a million points."""


def pieces(rows: int) -> Iterator[tuple[int, int]]:
    """Yield the first row of each piece and its number of rows; work on a piece before you ask for the next."""
    start, count = 0, FIRST_ROWS
    while start < rows:
        began = time.perf_counter()
        taken = min(count, rows - start)
        yield start, taken
        start += taken
        seconds = time.perf_counter() - began
        if seconds < SHORT_SECONDS:
            count = min(GROWTH * count, MAX_ROWS)
        elif seconds > LONG_SECONDS:
            count = max(count // 2, 1)
