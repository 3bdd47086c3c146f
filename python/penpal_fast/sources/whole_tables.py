"""JSON files that hold a whole table in one object, which must not be taken for one row."""

from __future__ import annotations

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
    """Whether there are as many texts or numbers as strokes, and as many values in all other fields."""
    columns = [list(value.values()) if isinstance(value, dict) else value for value in content.values()]
    if strokes not in content or len(columns) < 2 or not all(isinstance(column, list) for column in columns):
        return False
    others = [column for name, column in zip(content, columns, strict=True) if name != strokes]
    plain = any(not isinstance(value, (list, dict)) for column in others for value in column[:1])
    return plain and len(columns[0]) > 1 and len(set(map(len, columns))) == 1


def _field_of_rows(content: dict[str, Any], strokes: str) -> str | None:
    for name, rows in content.items():
        if isinstance(rows, list) and rows and all(isinstance(row, dict) and strokes in row for row in rows):
            return name
    return None
