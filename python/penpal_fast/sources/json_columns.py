"""The columns of JSON lines: which names they have, and the Arrow type that keeps the values of each.

A column with one kind of scalar keeps that type; integers mixed with floats become floats. Any other column becomes
text: strings stay, other values become JSON. Where no value is a string, a mark of the field says so, and outputs that
are JSON lines have the values again. Strokes keep their nesting and their further fields if all rows nest alike;
otherwise they get the nesting of the penpal data set. Numbers inside strokes become float64.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from penpal_fast._core import Rows
from penpal_fast.checks.columns import error_column
from penpal_fast.layouts.choice import Tally, is_direct_layout
from penpal_fast.schema import JSON_VALUES, strokes_type
from penpal_fast.sources.batch import unread_column

MAX_COLUMNS = 1000
"""A line whose names would exceed this is a bad row, because work grows with rows times columns."""

MAX_LEVELS = 16
"""What is nested deeper inside strokes is left out."""

MAX_FIELDS = 100
"""If the objects at one place inside strokes have more names than this, the strokes get the nesting of the penpal data
set, without any further fields."""

HUGE_BITS = 1024
"""Integers of as many bits may be beyond float64."""

KINDS_INSIDE = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "text", list: "list"}
"""Kinds of values inside strokes, by type. A dict is an "object", or a "stroke" if it has points."""


class JsonColumns:
    """What is known of the columns of one or more files.

    Attributes:
        strokes: Name of the column with the strokes.
        layout: Name of their layout, if it is known.
        objects: Number of lines that were JSON objects with any names.
        crowded: Number of lines that were left out because their names would have made too many columns.
        with_strokes: Number of lines that had strokes, good or bad.
        texts: Columns whose strings are texts, though no value here is a string, as they are in other files.
    """

    def __init__(self, strokes: str, layout: str | None = None) -> None:
        """Start with no columns.

        Args:
            strokes: Name of the column with the strokes.
            layout: Name of their layout, if it is known.
        """
        self.strokes = strokes
        self.layout = layout
        self._tally = Tally(layout)
        self._good = 0
        self._others = _Place()
        self.objects = self.crowded = self.with_strokes = 0
        self.texts: set[str] = set()
        self._kinds: dict[str, set[str]] = {}
        self._nesting = _Place()

    def look_at(self, lines: Iterable[dict[str, Any]]) -> None:
        """Record the names and kinds of the values on some lines."""
        rows = []
        for content in lines:
            if len(self._kinds) + len(content.keys() - self._kinds.keys()) > MAX_COLUMNS:
                self.crowded += 1
                continue
            self.objects += bool(content)
            for name, value in content.items():
                self._kinds.setdefault(name, set()).add(_column_kind(value))
            if self.strokes in content:
                rows.append(content[self.strokes])
        self.with_strokes += len(rows)
        bad = {row for row, *_ in Rows(rows).problems()}
        good = [value for row, value in enumerate(rows) if row not in bad]
        self._good += sum(map(bool, good))
        self._nesting.look_at(good)
        self._others.look_at([rows[row] for row in sorted(bad)])
        if not self._tally.is_decided:
            self._tally.look_at_values([value for value in rows if isinstance(value, (list, dict))])

    @property
    def are_direct(self) -> bool:
        """Whether the strokes are direct, but for bad rows; if not, their layout must be converted."""
        best = self._tally.best
        if not best:  # Where no row fits, whoever looks for the layout says why.
            return bool(self._good) or not (self._tally.near_miss or self.layout is not None)
        return bool(self._good) and any(map(is_direct_layout, best))

    def schema(self) -> pa.Schema:
        """Columns for all the lines so far."""
        types = {name: self._type(name, kinds - {"null"}) for name, kinds in self._kinds.items()}
        found = self._kinds.get(self.strokes, set())
        if "json" in found or found == {"null"}:
            kept = self.strokes_type()
            types[self.strokes] = kept or (strokes_type(pa.float64()) if self.are_direct else pa.string())
            if self.are_direct and self._has_unfit():
                types[self.unread] = pa.string()
        return pa.schema([self._field(name, kind) for name, kind in types.items()])

    def _field(self, name: str, kind: pa.DataType) -> pa.Field:
        """A column. Where no value is a string, all strings are JSON, and the field says so."""
        kinds = self._kinds.get(name, set()) - {"null"}
        is_json = pa.types.is_string(kind) and kinds and "text" not in kinds and name not in self.texts
        return pa.field(name, kind, metadata=JSON_VALUES if is_json else None)

    def _type(self, name: str, kinds: set[str]) -> pa.DataType:
        """Type of a column. Scores are numbers even in a file of bad rows, whose scores are all null."""
        is_score = not kinds and error_column(name) in self._kinds
        return pa.float64() if is_score else _column_type(kinds)

    def strokes_type(self) -> pa.DataType | None:
        """Type of the strokes, of the direct ones if there are any; None if no type keeps all, or there are none."""
        nesting = self._nesting if self.are_direct else _joined(self._nesting, self._others)
        if not self.are_direct and nesting.has_huge_numbers:
            return None
        try:
            return nesting.arrow() if nesting.places() <= MAX_COLUMNS else None
        except _MixedKindsError:
            return None

    @property
    def unread(self) -> str:
        """Name of the column for the JSON of strokes that their own column cannot hold; numbered if it is taken."""
        name = unread_column(self.strokes)
        names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        return next(one for one in names if one not in self._kinds)

    def _has_unfit(self) -> bool:
        """Whether some strokes do not fit the type of the others; then their text is kept."""
        joined = _joined(self._nesting, self._others)
        if joined.has_huge_numbers:
            return True
        if not self._others.has_values():
            return False
        try:
            return self.strokes_type() is None or joined.arrow() != self.strokes_type()
        except _MixedKindsError:
            return True


def _column_kind(value: Any) -> str:
    """The kind of column that can hold a value unchanged."""
    if value is None:
        return "null"
    if isinstance(value, int) and not isinstance(value, bool):
        # Not all integers beyond 2**53 are float64 numbers.
        return "integer" if abs(value) <= 1 << 53 else "large integer" if value.bit_length() < 64 else "json"
    return {bool: "boolean", float: "float", str: "text"}.get(type(value), "json")


def _column_type(kinds: set[str]) -> pa.DataType:
    """Type of a column that loses nothing; string, for JSON text, if no other does."""
    if kinds == {"boolean"}:
        return pa.bool_()
    if kinds and kinds <= {"integer", "large integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "float"}:
        return pa.float64()
    return pa.string()


class _MixedKindsError(Exception):
    """No type holds what is at a place: values of different kinds, or too many fields."""


class _Place:
    """What was seen at one place inside strokes, and at the places below it: one for each field, one for list items.

    Attributes:
        has_huge_numbers: Whether an integer may be beyond float64, here or below.
    """

    def __init__(self) -> None:
        self.has_huge_numbers = False
        self._kinds: set[str] = set()
        self._fields: dict[str, _Place] = {}
        self._items: _Place | None = None
        self._is_crowded = False

    def look_at(self, values: list[Any], level: int = 0) -> None:
        """Record the kinds of values at this place."""
        types = set(map(type, values))
        self._kinds |= {KINDS_INSIDE[kind] for kind in types - {dict}}
        objects = [value for value in values if type(value) is dict] if dict in types else []
        # What is a point in some rows may be a stroke in others.
        self._kinds |= {"stroke" if has_points else "object" for has_points in {"points" in value for value in objects}}
        if int in types:
            numbers = values if types == {int} else [value for value in values if type(value) is int]
            self.has_huge_numbers |= max(max(numbers), -min(numbers)).bit_length() >= HUGE_BITS
        if level == MAX_LEVELS:
            return
        if list in types:
            items = itertools.chain.from_iterable(value for value in values if type(value) is list)
            self._items = self._items or _Place()
            self._items.look_at(list(items), level + 1)
            self.has_huge_numbers |= self._items.has_huge_numbers
        names = dict.fromkeys(itertools.chain.from_iterable(objects))
        if len(self._fields.keys() | names.keys()) > MAX_FIELDS:
            self._is_crowded = True
            return
        for name in names:
            place = self._fields.setdefault(name, _Place())
            place.look_at([value[name] for value in objects if name in value], level + 1)
            self.has_huge_numbers |= place.has_huge_numbers

    def add(self, other: _Place) -> None:
        """Add what was seen at the same place in other rows."""
        self._kinds |= other._kinds
        self._is_crowded |= other._is_crowded
        self.has_huge_numbers |= other.has_huge_numbers
        if other._items:
            self._items = self._items or _Place()
            self._items.add(other._items)
        for name, place in other._fields.items():
            self._fields.setdefault(name, _Place()).add(place)
        self._is_crowded |= len(self._fields) > MAX_FIELDS

    def has_values(self) -> bool:
        """Whether there was anything but null."""
        return bool(self._kinds - {"null"})

    def places(self) -> int:
        """Count this place and the places below it."""
        below = [*self._fields.values(), *([self._items] if self._items else [])]
        return 1 + sum(place.places() for place in below)

    def arrow(self) -> pa.DataType | None:
        """Type of the values; None if they are null, or empty, so that there is nothing to keep.

        Raises:
            _MixedKindsError: They are of different kinds, or have too many fields.
        """
        kinds = self._kinds - {"null"}
        if len(kinds) > 1 or self._is_crowded:
            raise _MixedKindsError
        if kinds == {"list"}:
            item = self._items and self._items.arrow()
            return None if item is None else pa.list_(item)
        if kinds <= {"object", "stroke"}:
            fields = {name: place.arrow() for name, place in self._fields.items()}
            kept = {name: kind for name, kind in fields.items() if kind is not None}
            return pa.struct(kept) if kept else None
        return {"boolean": pa.bool_(), "number": pa.float64(), "text": pa.string()}[kinds.pop()]


def _joined(*places: _Place) -> _Place:
    """Return what was seen at a place in all rows."""
    joined = _Place()
    for place in places:
        joined.add(place)
    return joined
