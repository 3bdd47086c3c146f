"""Lines of JSON parsed by Python: any line, with what is wrong with it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.sources.json_text import parsed_json

MAX_LINE_BYTES = 32 << 20
"""A line with this many or more is a bad row: as Python objects it may take twenty times as much."""

MAX_DEPTH = 500
"""A line with more objects and arrays inside one another is a bad row. Python's own limit depends on who calls."""

POINT = pa.struct([("x", pa.float64()), ("y", pa.float64())])
PENPAL_STROKES = pa.list_(pa.list_(pa.struct([("points", pa.list_(POINT))])))

CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError, LookupError)
"""What PyArrow raises for values that do not fit a type, or have none."""

Text = tuple[int, bytes]
"""The number of a line, from 1, and the line itself, cut short if it is too long."""

Line = dict[str, Any] | str
"""A parsed line, or what is wrong with it."""


def parsed_line(number: int, text: bytes) -> Line:
    """Parse a line."""
    if len(text) == MAX_LINE_BYTES:
        return f"too long: line {number} has {MAX_LINE_BYTES} bytes or more"
    if _depth(text) > MAX_DEPTH:
        return f"not JSON: line {number}: more than {MAX_DEPTH} arrays and objects inside one another"
    try:
        content = parsed_json(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: line {number}: {error}"
    if not isinstance(content, dict):
        return f"not JSON: line {number}: expected an object, found {type(content).__name__}"
    return content


def _depth(text: bytes) -> int:
    """How many arrays and objects are inside one another, at most."""
    characters = np.frombuffer(text, np.uint8)
    if (depth := _bracket_depth(characters)) <= MAX_DEPTH:
        return depth
    # Brackets in strings do not count. Without the escaped ones, every second quotation mark ends a string.
    characters = np.frombuffer(text.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    strings = np.cumsum(characters == ord('"'), dtype=np.int32) % 2 == 1
    return _bracket_depth(np.where(strings, 0, characters))


def _bracket_depth(characters: NDArray[np.uint8]) -> int:
    folded = characters | 0x20  # Makes [ and ] the { and } that they differ from by one bit.
    steps = (folded == ord("{")).astype(np.int8) - (folded == ord("}")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def scalar_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Convert values of a column that is not the strokes."""
    if kind == pa.string():
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(values, kind)


def strokes_array(values: list[Any], kind: pa.DataType, problems: dict[int, str]) -> pa.Array:
    """Convert strokes; rows that cannot be drawn or converted become null, and what is wrong with them is noted."""
    values = list(values)
    for row, _, _, text in Rows(values).problems():
        if values[row] is not None:
            values[row] = None
            problems[row] = text
    if kind == PENPAL_STROKES:
        # A row that nests otherwise need not raise an error: PyArrow takes a point for a stroke without points.
        convert: Callable[[Any], Any] = _penpal_row
    else:
        convert = _with_floats
        with contextlib.suppress(*CONVERSION_ERRORS):
            return pa.array(values, kind)
    return pa.concat_arrays([_one_row(value, kind, convert, row, problems) for row, value in enumerate(values)])


def _one_row(
    value: Any, kind: pa.DataType, convert: Callable[[Any], Any], row: int, problems: dict[int, str]
) -> pa.Array:
    try:
        return pa.array([value if value is None else convert(value)], kind)
    except CONVERSION_ERRORS as error:
        problems[row] = f"wrong type: the strokes are nested unlike those of the file's other rows: {error}"
        return pa.nulls(1, kind)


def _penpal_row(row: list[Any]) -> list[list[dict[str, Any]]]:
    """Nest a row that can be drawn as the penpal schema does; strokes without a word are a word of their own."""
    return [[_penpal_stroke(item)] if _is_stroke(item) else [_penpal_stroke(stroke) for stroke in item] for item in row]


def _is_stroke(item: Any) -> bool:
    return isinstance(item, dict) or any(_is_point(point) for point in item)


def _is_point(item: Any) -> bool:
    if isinstance(item, dict):
        return "points" not in item
    return isinstance(item, list) and len(item) == 2 and not isinstance(item[0], (list, dict))


def _penpal_stroke(stroke: Any) -> dict[str, Any]:
    points = stroke["points"] if isinstance(stroke, dict) else stroke
    pairs = [(point["x"], point["y"]) if isinstance(point, dict) else point for point in points]
    return {"points": [{"x": float(x), "y": float(y)} for x, y in pairs]}


def _with_floats(value: Any) -> Any:
    """Make integers floats: Arrow takes no large ones for float64."""
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    return float(value) if type(value) is int else value
