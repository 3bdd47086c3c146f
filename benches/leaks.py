"""Calls that are repeated until a leak would show: python benches/leaks.py [--calls 1000000].

Every way into the Rust core takes its turn, with good and bad input. Afterwards the process must not have grown, except
for what the allocator keeps, and every object that was passed must have its old reference count.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast import PenpalError, Scorer, render_into, render_strokes, strokes_from_offsets
from penpal_fast._core import Rows

WARM_UP = 2_000
MAX_GROWTH = 4 << 20
"""Bytes that the process may grow by; a leak of 4 bytes a call is as much in a million calls."""


class Raising:
    """A sequence that cannot be read."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        raise RuntimeError("cannot be read")


ROW = [{"points": [{"x": 0.0, "y": 0.0}, {"x": 9.5, "y": 4.5}]}, {"points": [{"x": 3.0, "y": 7.0}]}]
PAIRS = [[(0.0, 0.0), (9.5, 4.5)], [(3, 7)]]
ARRAYS = [np.array([[0.0, 0.0], [9.5, 4.5]]), np.array([[3, 7]], dtype=np.int16)]
BAD = [None, [], [[(0.0, float("nan"))]], Raising(), [[("x", "y")]], 7]
ARROW = pa.array([ROW, None, ROW])
TABLE = pa.table({"strokes": ARROW})
OFFSETS = np.array([[0.0, 1.0, 0.0], [2.0, 3.0, 1.0]])
OUT = np.empty((1, 256, 256, 1), dtype=np.float32)
SCORER = Scorer(threads=1, backend="native")
PASSED = [
    ROW,
    PAIRS,
    ARRAYS,
    *ARRAYS,
    *PAIRS,
    *BAD[1:5],  # None and small numbers are everywhere.
    ARROW,
    TABLE,
    OFFSETS,
    OUT,
    SCORER,
    "points",
    "x",
    "y",
    PenpalError,
]


def refused(call: Callable[[], Any]) -> None:
    """Call what must raise."""
    with contextlib.suppress(PenpalError):
        call()
        raise AssertionError("a bad call went through")


CALLS: list[Callable[[], Any]] = [
    lambda: Rows([ROW, PAIRS, ARRAYS, *BAD]).problems(),
    lambda: Rows(ARROW).problems(),
    lambda: Rows(TABLE),
    lambda: Rows([PAIRS]).fitted(0),
    lambda: SCORER.score(BAD, errors="null"),
    lambda: SCORER.score(PAIRS[:0]),
    lambda: refused(lambda: render_strokes(None)),
    lambda: refused(lambda: render_into(ARROW, OUT)),
    lambda: refused(lambda: Rows(pa.array([1, 2]))),
    lambda: refused(lambda: SCORER.score([BAD[2]])),
    lambda: strokes_from_offsets(OFFSETS),
    lambda: render_into([ARRAYS], OUT),
]
SOMETIMES = [lambda: SCORER.score(ARROW, errors="null"), lambda: render_strokes(ROW)]
"""What takes longer, once in a hundred turns."""


def repeat(calls: int) -> None:
    """Make a number of calls."""
    for call in range(calls):
        CALLS[call % len(CALLS)]()
        if call % 100 == 0:
            SOMETIMES[call // 100 % len(SOMETIMES)]()


def resident() -> int:
    """Bytes of the process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def references() -> list[int]:
    """References to each object that is passed."""
    return [sys.getrefcount(item) for item in PASSED]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    calls = parser.parse_args().calls
    repeat(WARM_UP)
    counts, before, started = references(), resident(), time.monotonic()
    repeat(calls)
    seconds, growth = time.monotonic() - started, resident() - before
    changes = [
        f"{type(item).__name__}: {was} -> {now}"
        for item, was, now in zip(PASSED, counts, references(), strict=True)
        if was != now
    ]
    print(f"{calls:,} calls in {seconds:.0f} s; {before >> 10:,} kB before, {growth / 1024:+,.0f} kB after")
    print(f"reference counts that changed: {', '.join(changes) or 'none'}")
    if growth > MAX_GROWTH or changes:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
