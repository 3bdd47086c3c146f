"""The rows with the highest ranks, in memory that does not grow with the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

HALF = 16
"""Ranks are found by the upper half of their 32 bits first, then by the lower one."""

LOWER = np.uint32((1 << HALF) - 1)

Ranks: TypeAlias = NDArray[np.float32]
Bits: TypeAlias = NDArray[np.uint32]


def wanted_rows(top: float, scored: int) -> int:
    """Return how many rows a number or share of rows is."""
    return min(top, scored) if isinstance(top, int) else max(round(top * scored), min(scored, 1))


class TopRows:
    """Tells the rows with the highest ranks from the others; of equal ranks, the first rows are taken."""

    def __init__(self, ranks: Callable[[], Iterable[Ranks]], count: Callable[[], int]) -> None:
        """Find the lowest rank that is taken.

        Args:
            ranks: Gives the ranks of all rows in order, from 0 to 1, NaN for a row that may not be taken. It is called
                twice.
            count: Says how many rows are taken; called after the ranks were seen once.
        """
        upper = _counted(ranks(), lambda bits: bits >> np.uint32(HALF))
        wanted = count()
        place, above = _place(upper, wanted)
        lower = _counted(ranks(), lambda bits: bits[bits >> HALF == place] & LOWER)
        inner, within = _place(lower, wanted - above)
        self._cut = np.uint32((place << HALF) | inner)
        self._equal = wanted - above - within

    def chosen(self, ranks: Ranks) -> NDArray[np.bool_]:
        """Whether each of the next rows is taken; must be called for all rows in order."""
        bits = np.maximum(ranks, 0).view(np.uint32)
        is_ranked = ~np.isnan(ranks)
        equal = is_ranked & (bits == self._cut)
        taken = equal & (np.cumsum(equal) <= self._equal)
        self._equal -= int(taken.sum())
        return taken | (is_ranked & (bits > self._cut))


def _counted(ranks: Iterable[Ranks], part: Callable[[Bits], Bits]) -> NDArray[np.int64]:
    counts = np.zeros(1 << HALF, np.int64)
    for some in ranks:
        # The bits of floats from 0 on are in the order of the floats; -0.0 becomes 0.
        bits = (some[~np.isnan(some)] + np.float32(0)).view(np.uint32)
        counts += np.bincount(part(bits), minlength=1 << HALF)
    return counts


def _place(counts: NDArray[np.int64], wanted: int) -> tuple[int, int]:
    """Return the place that has the last of the wanted values, counted from the top, and how many are above it."""
    from_top = np.cumsum(counts[::-1])
    index = min(int(np.searchsorted(from_top, wanted)), len(counts) - 1)
    above = int(from_top[index] - counts[::-1][index])
    return len(counts) - 1 - index, above
