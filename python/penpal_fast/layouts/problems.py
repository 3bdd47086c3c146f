"""Problems of rows, of which the first counts."""

from __future__ import annotations

from collections.abc import Callable

from penpal_fast.layouts.nested import Lengths


def first_problems(rows: Lengths, problem: Callable[[int], str]) -> dict[int, str]:
    """Return the first problem of each row.

    Args:
        rows: The row of each problem.
        problem: Says what a problem is, given its index among them.
    """
    found: dict[int, str] = {}
    for index, row in enumerate(rows.tolist()):
        if row not in found:
            found[row] = problem(index)
    return found
