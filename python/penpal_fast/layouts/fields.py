"""Names that fields of strokes and points have in data of other programs."""

from __future__ import annotations

import re

import pyarrow as pa

from penpal_fast.layouts.nested import is_list, is_number

MAX_LEVELS = 16
"""Strokes have at most four levels of lists; this bounds what is looked into."""

X = ("x", "xs", "posx", "xpos", "coordx", "xcoord", "px", "offsetx", "clientx", "pagex", "screenx")
Y = tuple(name.replace("x", "y") for name in X)
DX, DY = ("dx", "deltax"), ("dy", "deltay")
LIFT = (
    "eos",
    "pen",
    "penup",
    "penlift",
    "lift",
    "end",
    "endofstroke",
    "strokeend",
    "isend",
    "last",
    "up",
    "penstate",
    "p",
)
"""Flags that are 1 where the pen lifts after a point."""

DOWN = ("pendown", "down", "isdown", "ispendown", "isdrawing", "drawing", "touching", "contact")
"""Flags that are 0 where the pen lifts after a point, and 1 elsewhere."""

ANGLE, ROTATION = ("angle",), ("rotation",)
"""How far strokes are turned, in radians: about their centre (Excalidraw), or about their own x and y (tldraw)."""

DELETED = ("isdeleted", "deleted")
"""Whether a stroke was deleted, but is kept so that others learn of it (Excalidraw)."""

NUMBER = ("stroke", "strokeid", "strokeindex", "strokenumber", "strokenum", "strokeno")
"""Numbers of the strokes that points are in."""

INSIDE = (
    "points",
    "strokes",
    "paths",
    "path",
    "drawing",
    "words",
    "lines",
    "segments",
    "elements",
    "data",
    "ink",
    "traces",
    "coordinates",
    "coords",
    "positions",
    "stroke",
    "props",
)
"""Fields that hold the strokes, beside others about them; the first that an object has counts."""


def plain_name(name: str) -> str:
    """Return a name without what is only spelling: capitals, underscores, hyphens, spaces."""
    return re.sub(r"[\s_\-]", "", name).lower()


def field_of(kind: pa.StructType, names: tuple[str, ...]) -> int | None:
    """Return the index of the field that has one of some names, the earlier the better; None if there is none."""
    indices = {plain_name(field.name): index for index, field in reversed(list(enumerate(kind)))}
    return next((indices[name] for name in names if name in indices), None)


def inside_of(kind: pa.StructType) -> int | None:
    """Return the index of the field that holds the strokes: one of `INSIDE`, or the only one that may hold points."""
    nested = {index: plain_name(field.name) for index, field in enumerate(kind) if _is_nested(field.type)}
    named = [index for name in INSIDE for index, found in nested.items() if found == name]
    if named:
        return named[0]
    alone = (
        list(nested) if len(nested) == 1 else [index for index in nested if _may_hold_points(kind.field(index).type)]
    )
    return alone[0] if len(alone) == 1 else None


def _may_hold_points(kind: pa.DataType, lists: int = 0, depth: int = 0) -> bool:
    """Whether there are coordinates somewhere in a type, or lists of lists of numbers."""
    if depth > MAX_LEVELS:
        return False
    if is_list(kind):
        return _may_hold_points(kind.value_type, lists + 1, depth + 1)
    if not pa.types.is_struct(kind):
        return lists > 1 and is_number(kind)
    if any(None not in (field_of(kind, one), field_of(kind, other)) for one, other in ((X, Y), (DX, DY))):
        return True
    return any(_may_hold_points(kind.field(index).type, lists, depth + 1) for index in range(kind.num_fields))


def _is_nested(kind: pa.DataType) -> bool:
    return is_list(kind) or bool(pa.types.is_struct(kind))
