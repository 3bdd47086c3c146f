"""Files of JSON whose rows are bare lists, without an object around them: whether an array is one row or many."""

from __future__ import annotations

from typing import Any

import numpy as np

from penpal_fast import kernels as pc
from penpal_fast.errors import PenpalError
from penpal_fast.layouts.choice import Tally
from penpal_fast.layouts.json_texts import converted_values
from penpal_fast.layouts.layout import Layout
from penpal_fast.layouts.nested import row_numbers
from penpal_fast.layouts.offsets import Lifts, Offsets, Stroke5
from penpal_fast.layouts.shape import Shape

REMEDY = "write each row as a list on a line of its own, or as an object with its strokes under their name"


def is_one_row(items: list[list[Any]], layout: str | None) -> bool:
    """Whether an array is one row, and not a row for each item, by the layouts that each reading fits.

    Args:
        items: Its first items.
        layout: Name of the layout, if it is known.

    Raises:
        PenpalError: It may be both.
    """
    many, one = Tally(layout), Tally(layout)
    many.look_at_values(items)
    one.look_at_values([items])
    if not many.best or not one.best:
        return bool(one.best) or not (many.best or _hold_lists(items))
    rows, row = many.best, one.best[0]
    if len(rows) == 1 and isinstance(rows[0], (Offsets, Stroke5, Lifts)):
        return False  # Also strokes whose points have a third number, but one that is 0 or 1 everywhere.
    if rows[0].name in ("strokes", "columns", "relative") and not _are_side_by_side(items, rows[0]):
        return False
    found = " or ".join(one.description for one in rows)
    raise PenpalError(f"its items may be rows, each {found}, or together one row, {row.description}; {REMEDY}")


def _hold_lists(items: list[list[Any]]) -> bool:
    """Whether items may be rows of any layout: they hold more than numbers, or nothing."""
    return not any(items) or any(isinstance(value, (list, dict)) for item in items for value in item)


def _are_side_by_side(items: list[list[Any]], layout: Layout) -> bool:
    """Whether each item begins beyond the one before, as words of one row do; rows lie upon one another."""
    shape = Shape.of(converted_values(layout, items).rows)
    rows, x = row_numbers(shape.levels), pc.fill_null(shape.values[0], np.nan).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    steps = np.diff(np.fmin.reduceat(x, starts)) if len(starts) else np.empty(0)
    return len(steps) > 0 and bool((steps > 0).all() or (steps < 0).all())
