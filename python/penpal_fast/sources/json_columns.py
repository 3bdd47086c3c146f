"""The columns of JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from penpal_fast._core import Rows
from penpal_fast.sources import json_arrow
from penpal_fast.sources.json_rows import CONVERSION_ERRORS, PENPAL_STROKES, Line, Text, parsed_line

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
        crowded: The number of lines that were left out, as their names would have made too many columns.
        with_strokes: The number of lines that had strokes, good or bad.
    """

    def __init__(self, strokes: str) -> None:
        """Begin without any."""
        self.strokes = strokes
        self.objects = self.crowded = self.with_strokes = 0
        self._parser = json_arrow.ArrowParser()
        self._kinds: dict[str, set[str]] = {}
        self._strokes_type: pa.DataType | None = None
        self._nest_alike = True
        self._dicts_have_points: set[bool] = set()

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
        if self._strokes_type is None:
            # Some of the lines are likely to tell what the others are like.
            self._note([parsed_line(*text) for text in texts[: json_arrow.PIECE_LINES]])
            texts = texts[json_arrow.PIECE_LINES :]
            if self._strokes_type is None:
                self._note([parsed_line(*text) for text in texts])
                return
        if not texts:
            return
        batches, left = self._parser.parse(texts, self.schema(), self.strokes)
        if not all(map(self._is_known, batches)):
            self._parser.took(0, len(texts))
            batches, left = [], list(range(len(texts)))
        for batch in batches:
            self._note_known(batch)
        self._note([parsed_line(*texts[row]) for row in left])

    def _is_known(self, batch: pa.RecordBatch) -> bool:
        """Whether Python objects could tell no more of rows of known types."""
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            numbers = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
            if numbers and values.null_count < len(values):
                # As a float, the first integer that is not exact is the last one that is.
                extremes = pc.min_max(values).as_py()
                limit = LARGE_INTEGERS - 1 if "large integer" in self._kinds[name] else EXACT_INTEGERS
                if max(-extremes["min"], extremes["max"]) >= limit:
                    return False
        return True

    def _note_known(self, batch: pa.RecordBatch) -> None:
        self.objects += batch.num_rows
        self.with_strokes += batch.num_rows - batch.column(self.strokes).null_count
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_string(values.type) and values.null_count < len(values):
                self._kinds[name].add("text")

    def _note(self, lines: list[Line]) -> None:
        objects = []
        for line in lines:
            if isinstance(line, str):
                continue
            if len(self._kinds.keys() | line.keys()) > MAX_COLUMNS:
                self.crowded += 1
                continue
            objects.append(line)
            for name, value in line.items():
                self._kinds.setdefault(name, set()).add(_kind(value))
        self.objects += sum(bool(line) for line in objects)
        rows = [line[self.strokes] for line in objects if self.strokes in line]
        self.with_strokes += len(rows)
        try:
            self._note_strokes(rows)
        except CONVERSION_ERRORS:
            self._nest_alike = False

    def _note_strokes(self, rows: list[Any]) -> None:
        """Merge the types of the rows that can be drawn, each by itself: of several, PyArrow would take the first's."""
        bad = {row for row, *_ in Rows(rows).problems()}
        for row in (value for row, value in enumerate(rows) if row not in bad):
            self._strokes_type = _merged(self._strokes_type, row)
            # PyArrow would make a point and a stroke one struct, with coordinates or with points.
            self._dicts_have_points |= {"points" in item for item in _outermost_dicts(row)}
            if len(self._dicts_have_points) > 1:
                raise TypeError("what is a point in some rows is a stroke in others")


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


def _merged(known: pa.DataType | None, row: Any) -> pa.DataType | None:
    """Type of rows and of one more. Rows that nest in different ways have none."""
    kind = _storable(pa.infer_type([row]))
    if known is None or kind is None or kind == known:
        return kind or known
    schemas = [pa.schema([("strokes", one)]) for one in (known, kind)]
    return pa.unify_schemas(schemas, promote_options="permissive").field("strokes").type


def _outermost_dicts(items: Any) -> Iterator[dict[str, Any]]:
    for item in items:
        if isinstance(item, dict):
            yield item
        elif isinstance(item, list):
            yield from _outermost_dicts(item)


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
