"""The columns of JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from penpal_fast._core import Rows
from penpal_fast.bulk import json_arrow
from penpal_fast.bulk.json_rows import CONVERSION_ERRORS, PENPAL_STROKES, parsed_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penpal_fast.bulk.json_rows import Line, Text

MAX_COLUMNS = 1000
"""A line whose names would make more columns is a bad row: work grows with rows times columns."""

EXACT_INTEGERS = 1 << 53
"""Integers beyond this are not all float64 numbers."""

LARGE_INTEGERS = 1 << 63
"""Integers from this on are not all 64-bit integers."""


class JsonColumns:
    """What is known of the columns of one or more files.

    Attributes:
        strokes: Name of the column with the strokes.
        objects: The number of lines that were JSON objects with any names.
    """

    def __init__(self, strokes: str) -> None:
        """Begin without any."""
        self.strokes = strokes
        self.objects = 0
        self._kinds: dict[str, set[str]] = {}
        self._strokes_type: pa.DataType | None = None
        self._nest_alike = True

    def schema(self) -> pa.Schema:
        """Columns for all the lines so far."""
        types = {name: _column_type(found) for name, found in self._kinds.items()}
        found = self._kinds.get(self.strokes, set())
        if "json" in found or found == {"null"}:
            known = self._strokes_type if self._nest_alike else None
            types[self.strokes] = known or PENPAL_STROKES
        return pa.schema(types)

    def look_at(self, texts: Sequence[Text]) -> None:
        """Take note of lines, parsed by Python only where that may tell something new."""
        if self._strokes_type is not None:
            parsed = json_arrow.parse_lines(texts, self.schema(), self.strokes)
            if parsed is not None and self._known(parsed[0]):
                self.objects += parsed[0].num_rows
                self._note([parsed_line(*texts[row]) for row in parsed[1]])
                return
        if len(texts) <= json_arrow.LEAST_LINES:
            self._note([parsed_line(*text) for text in texts])
            return
        middle = len(texts) // 2
        self.look_at(texts[:middle])
        self.look_at(texts[middle:])

    def _known(self, batch: pa.RecordBatch) -> bool:
        """Take note of rows of known types; False if Python objects could tell more of them."""
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            kinds = self._kinds[name]
            if values.null_count == len(values) or name == self.strokes:
                continue
            if pa.types.is_string(values.type):
                kinds.add("text")
            elif not pa.types.is_boolean(values.type):
                # As a float, the first integer that is not exact is the last one that is.
                extremes = pc.min_max(values).as_py()
                limit = LARGE_INTEGERS - 1 if "large integer" in kinds else EXACT_INTEGERS
                if max(-extremes["min"], extremes["max"]) >= limit:
                    return False
        return True

    def _note(self, lines: list[Line]) -> None:
        objects = []
        for line in lines:
            if isinstance(line, dict) and len(self._kinds.keys() | line.keys()) <= MAX_COLUMNS:
                objects.append(line)
                for name, value in line.items():
                    self._kinds.setdefault(name, set()).add(_kind(value))
        self.objects += sum(bool(line) for line in objects)
        try:
            self._strokes_type = _merged(
                self._strokes_type, [line[self.strokes] for line in objects if self.strokes in line]
            )
        except CONVERSION_ERRORS:
            self._nest_alike = False


def _kind(value: Any) -> str:
    """Tell what a column must hold to keep a value as it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if abs(value) <= EXACT_INTEGERS:
            return "integer"
        return "large integer" if abs(value) < LARGE_INTEGERS else "json"
    if isinstance(value, float):
        return "float"
    return "text" if isinstance(value, str) else "json"


def _column_type(kinds: set[str]) -> pa.DataType:
    """Type of a column that loses nothing; string, for JSON text, where no other does."""
    kinds = kinds - {"null"}
    if kinds == {"bool"}:
        return pa.bool_()
    if kinds and kinds <= {"integer", "large integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "float"}:
        return pa.float64()
    return pa.string()


def _merged(known: pa.DataType | None, rows: list[Any]) -> pa.DataType | None:
    """Type of the rows that can be drawn, merged with what was known. Rows that nest in different ways have none."""
    bad = {row for row, *_ in Rows(rows).problems()}
    good = [value for row, value in enumerate(rows) if row not in bad]
    kind = _storable(pa.infer_type(good)) if good else None
    if known is not None and kind is not None:
        schemas = [pa.schema([("strokes", one)]) for one in (known, kind)]
        kind = pa.unify_schemas(schemas, promote_options="permissive").field("strokes").type
    if kind is not None and _is_of_points_and_strokes(kind):
        raise TypeError("what is a point in some rows is a stroke in others")
    return kind or known


def _is_of_points_and_strokes(kind: pa.DataType) -> bool:
    while pa.types.is_list(kind):
        kind = kind.value_type
    return pa.types.is_struct(kind) and {"x", "points"} <= {field.name for field in kind}


def _storable(kind: pa.DataType, lists: int = 0) -> pa.DataType | None:
    """Return a type with float64 numbers and without what Parquet or Arrow cannot hold.

    That is fields nested deeper than points are, and structs without fields.
    """
    if pa.types.is_list(kind):
        inner = _storable(kind.value_type, lists + 1) if lists < 5 else None
        return inner and pa.list_(inner)
    if pa.types.is_struct(kind):
        fields = [(field.name, _storable(field.type, lists)) for field in kind]
        fields = [(name, inner) for name, inner in fields if inner is not None]
        return pa.struct(fields) if fields else None
    if pa.types.is_null(kind):
        return None
    return pa.float64() if pa.types.is_integer(kind) else kind
