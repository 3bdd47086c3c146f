"""JSON files that hold a whole table in one object, which must not be taken for one row."""

from __future__ import annotations

import itertools
import math
from typing import Any

from penpal_fast.errors import PenpalError

BY_ROWS = "write one object for each row, as pandas does with to_json(..., orient='records', lines=True)"


def check_is_row(content: dict[str, Any], strokes: str) -> None:
    """Make sure that the only object of a file is a row.

    Args:
        content: The object.
        strokes: Name of the strokes in rows.

    Raises:
        PenpalError: It is a table written by columns, or has its rows in a field; the error says what to do.
    """
    if _has_columns(content, strokes):
        raise PenpalError(
            f"it is one object whose fields have one length, as of a table written by columns; {BY_ROWS}, or put the "
            "object into a list if it is a row"
        )
    if strokes not in content and (name := _field_of_rows(content, strokes)) is not None:
        raise PenpalError(f"it is one object, with rows in the field {name!r}; save that list by itself")


def _has_columns(content: dict[str, Any], strokes: str) -> bool:
    """Whether there are several rows of strokes, and as many values in each other field.

    Words of one row, which may have fields too, are no rows: each begins beyond the one before.
    """
    rows, others = content.get(strokes), [value for name, value in content.items() if name != strokes]
    if isinstance(rows, dict):  # As pandas writes columns.
        alike = all(isinstance(value, dict) and value.keys() == rows.keys() for value in others)
        rows = list(rows.values())
    elif isinstance(rows, list):
        alike = all(isinstance(value, list) and len(value) == len(rows) for value in others)
    else:
        return False
    if len(rows) < 2 or not others or not alike or not all(map(_holds_strokes, rows)):
        return False
    starts = list(map(_leftmost, rows))
    return any(start >= following for start, following in itertools.pairwise(starts))


def _holds_strokes(row: Any) -> bool:
    """Whether a list has lists of points, or objects with them; a stroke has points itself."""
    first = row[0] if isinstance(row, list) and row else None
    if isinstance(first, dict):
        return any(isinstance(value, list) for value in first.values())
    return isinstance(first, list) and bool(first) and isinstance(first[0], (list, dict))


def _leftmost(part: Any) -> float:
    """Return the smallest x of all points in a part of a row; infinite if it has none."""
    if isinstance(part, dict):
        x = part.get("x")
        return float(x) if isinstance(x, (int, float)) else min(map(_leftmost, part.values()), default=math.inf)
    if not isinstance(part, list) or not part:
        return math.inf
    return float(part[0]) if isinstance(part[0], (int, float)) else min(map(_leftmost, part))


def _field_of_rows(content: dict[str, Any], strokes: str) -> str | None:
    for name, rows in content.items():
        if isinstance(rows, list) and rows and all(isinstance(row, dict) and strokes in row for row in rows):
            return name
    return None
