"""A column taken apart as far as its type says: levels of lists, and what they hold."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.layouts.fields import (
    ANGLE,
    DELETED,
    DOWN,
    DX,
    DY,
    LIFT,
    MAX_LEVELS,
    NUMBER,
    ROTATION,
    X,
    Y,
    field_of,
    inside_of,
)
from penpal_fast.layouts.nested import Level, depth_of, is_list, is_number, peel, plain

Kind = Literal["numbers", "points", "columns", "steps", "step columns", "text", "nested anchors", "other"]


@dataclasses.dataclass(frozen=True)
class Anchors:
    """The anchors of strokes: an x and y of their own, from which their points may count.

    Attributes:
        level: Number of levels of lists above the strokes.
        x: Of each stroke.
        y: Of each stroke.
        turn: How far each is turned, in radians, clockwise as y grows downward; None where nothing says so.
        about_centre: Whether it is turned about the centre of its points, not about its own x and y.
        deleted: Whether each is deleted; None where nothing says so.
    """

    level: int
    x: pa.Array
    y: pa.Array
    turn: pa.Array | None = None
    about_centre: bool = False
    deleted: pa.Array | None = None

    @classmethod
    def of(cls, level: int, array: pa.StructArray, x: pa.Array, y: pa.Array) -> Anchors:
        """Find what is said beside the points of strokes, given their structs."""
        angle, rotation = (_number_in(array, names) for names in (ANGLE, ROTATION))
        deleted = _field_in(array, DELETED)
        if deleted is not None and not pa.types.is_boolean(deleted.type):
            deleted = None
        return cls(level, x, y, rotation if angle is None else angle, angle is not None, deleted)


@dataclasses.dataclass(frozen=True)
class Shape:
    """A column taken apart.

    Attributes:
        levels: The lists, from the rows inward.
        kind: What the innermost lists hold: numbers; points (structs of x and y); columns (x and y are lists); steps
            and step columns (the same of dx and dy); text; nested anchors (strokes and what they are in have an x
            and y, so that nobody knows from where points count).
        values: Of numbers and text, one array; else x, y and, where there is one, the pen's flag.
        anchors: Those of strokes that have an x and y beside their points.
        rows: Number of rows.
        number: The number of the stroke that each point is in, if the points have it; nested as they are.
        is_down: Whether the pen's flag is 1 while the pen is down, not where it lifts.
    """

    levels: tuple[Level, ...]
    kind: Kind
    values: tuple[pa.Array, ...]
    anchors: Anchors | None
    rows: int
    number: pa.Array | None = None
    is_down: bool = False

    @classmethod
    def of(cls, array: pa.Array) -> Shape:
        """Take an array apart."""
        rows, levels, anchors = len(array), [], None
        for _ in range(MAX_LEVELS):
            array = plain(array)
            if is_list(array.type):
                level, array = peel(array)
                levels.append(level)
                continue
            if not pa.types.is_struct(array.type):
                break
            kind, values, is_down = _coordinates(array)
            inside = inside_of(array.type)
            if kind == "points" and inside is not None and anchors is not None and anchors.level:
                return cls(tuple(levels), "nested anchors", values, anchors, rows)
            if kind == "points" and inside is not None:
                anchors = Anchors.of(len(levels), array, *values[:2])
            elif kind != "other":
                number = _stroke_numbers(array, values[0].type)
                return cls(tuple(levels), kind, values, anchors, rows, number, is_down=is_down)
            if inside is None:
                break
            array = array.flatten()[inside]
        if is_number(array.type) and levels:
            return cls(tuple(levels), "numbers", (array,), anchors, rows)
        is_text = _is_text(array.type)
        return cls(tuple(levels), "text" if is_text and not levels else "other", (array,), anchors, rows)

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which rows have anything in their lists."""
        return self.levels[0].lengths > 0 if self.levels else self.valid

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which rows are not null."""
        return self.levels[0].valid if self.levels else np.asarray(self.values[0].is_valid())

    @property
    def has_values(self) -> bool:
        """Whether anything in the rows is neither null nor empty."""
        return any(map(_has_values, self.values))

    @property
    def may_tell(self) -> bool:
        """Whether rows hold what may tell how strokes are nested: values in lists, or in structs of points."""
        return self.has_values and (bool(self.levels) or self.kind not in ("text", "other"))


def _has_values(array: pa.Array) -> bool:
    while is_list(array.type):
        _, array = peel(array)
    return bool(array.null_count < len(array))


def _stroke_numbers(array: pa.StructArray, coordinates: pa.DataType) -> pa.Array | None:
    """Find the number of the stroke that points are in, nested as their coordinates are."""
    if (values := _field_in(array, NUMBER)) is None:
        return None
    return values if depth_of(values.type) is not None and depth_of(values.type) == depth_of(coordinates) else None


def _field_in(array: pa.StructArray, names: tuple[str, ...]) -> pa.Array | None:
    """Return the field of structs that has one of some names."""
    index = field_of(array.type, names)
    return None if index is None else plain(array.flatten()[index])


def _number_in(array: pa.StructArray, names: tuple[str, ...]) -> pa.Array | None:
    values = _field_in(array, names)
    return values if values is not None and is_number(values.type) else None


def _is_text(kind: pa.DataType) -> bool:
    """Whether a type holds texts, or bytes, as which some programs write them."""
    checks = ("is_string", "is_large_string", "is_string_view", "is_binary", "is_large_binary")
    return any(getattr(pa.types, name)(kind) for name in checks)


def _coordinates(array: pa.StructArray) -> tuple[Kind, tuple[pa.Array, ...], bool]:
    """Find x and y, or dx and dy, in structs, the pen's flag beside them, and whether it is 1 while the pen is down."""
    kinds: tuple[tuple[tuple[str, ...], tuple[str, ...], Kind, Kind], ...] = (
        (DX, DY, "steps", "step columns"),
        (X, Y, "points", "columns"),
    )
    is_down = field_of(array.type, LIFT) is None and field_of(array.type, DOWN) is not None
    for first, second, single, listed in kinds:
        indices = [field_of(array.type, names) for names in (first, second, DOWN if is_down else LIFT)]
        if indices[0] is None or indices[1] is None:
            continue
        found = tuple(plain(array.flatten()[index]) for index in indices if index is not None)
        if all(is_number(values.type) for values in found[:2]):
            kept = tuple(values for values in found if is_number(values.type))
            return single, kept, is_down and len(kept) > 2
        if all(is_list(values.type) for values in found[:2]):
            kept = tuple(values for values in found if is_list(values.type))
            return listed, kept, is_down and len(kept) > 2
    return "other", (), False
