"""A line in every layout that people have, each made from its strokes of points (x, y), y growing downward."""

from __future__ import annotations

import json
from typing import Any

Row = list[list[tuple[float, float]]]


def steps(row: Row, *, down: bool = False) -> list[tuple[float, float, int]]:
    """Offsets (dx, dy, end of stroke); y grows upward unless `down`."""
    found = []
    before = (0.0, 0.0)
    for stroke in row:
        for place, (x, y) in enumerate(stroke):
            dy = y - before[1]
            found.append((x - before[0], dy if down else -dy, int(place == len(stroke) - 1)))
            before = (x, y)
    return found


def points(row: Row) -> list[tuple[float, float, int, int]]:
    """Points (x, y, end of stroke, number of the stroke)."""
    return [
        (x, y, int(place == len(stroke) - 1), number)
        for number, stroke in enumerate(row)
        for place, (x, y) in enumerate(stroke)
    ]


def columns_of(rows: list[tuple[Any, ...]], *names: str) -> dict[str, list[Any]]:
    """Columns by name."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def halves(row: Row) -> list[Row]:
    """Two words."""
    return [row[:1], row[1:]]


def xy(stroke: list[tuple[float, float]]) -> list[list[float]]:
    """The columns of a stroke."""
    return [list(axis) for axis in zip(*stroke, strict=True)]


def relative(stroke: list[tuple[float, float]]) -> dict[str, Any]:
    """A stroke whose points count from its own x and y."""
    (x0, y0), *_ = stroke
    return {"id": "a", "x": x0, "y": y0, "points": [[x - x0, y - y0] for x, y in stroke]}


FORMS: dict[str, Any] = {
    "strokes of pairs": lambda row: [[list(point) for point in stroke] for stroke in row],
    "words of pairs": lambda row: [[[list(point) for point in stroke] for stroke in word] for word in halves(row)],
    "strokes of objects": lambda row: [[{"x": x, "y": y} for x, y in stroke] for stroke in row],
    "penpal": lambda row: [[{"points": [{"x": x, "y": y} for x, y in s]} for s in word] for word in halves(row)],
    "penpal without words": lambda row: [{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in row],
    "y before x": lambda row: [{"points": [{"y": y, "x": x} for x, y in stroke]} for stroke in row],
    "pressure": lambda row: [[[x, y, 0.5] for x, y in stroke] for stroke in row],
    "time and tilt": lambda row: [[[x, y, 0.5 * n, 7, 8] for n, (x, y) in enumerate(stroke)] for stroke in row],
    "objects with more": lambda row: [[{"t": 1, "Y": y, "p": 0.5, "X": x} for x, y in stroke] for stroke in row],
    "words with pressure": lambda row: [[[[x, y, 0.5] for x, y in s] for s in word] for word in halves(row)],
    "toData": lambda row: [
        {"dotSize": 0, "minWidth": 0.5, "penColor": "black", "points": [{"time": 1, "y": y, "x": x} for x, y in stroke]}
        for stroke in row
    ],
    "paths": lambda row: {"width": 9, "height": 5, "paths": [[{"x": x, "y": y, "t": 1} for x, y in s] for s in row]},
    "lines": lambda row: {"lines": [{"points": [{"x": x, "y": y} for x, y in s], "brushColor": "#444"} for s in row]},
    "data": lambda row: {"version": 2, "data": [[[x, y, 0] for x, y in stroke] for stroke in row]},
    "any wrapper": lambda row: {"user": "u", "gesture": [{"trail": [[x, y] for x, y in s], "id": 1} for s in row]},
    "two wrappers": lambda row: {"ink": {"strokes": [{"path": [{"x": x, "y": y} for x, y in s]} for s in row]}},
    "sketch canvas": lambda row: [
        {"strokeWidth": 4, "paths": [{"x": x, "y": y} for x, y in stroke], "drawMode": True} for stroke in row
    ],
    "QuickDraw": lambda row: [xy(stroke) for stroke in row],
    "QuickDraw with times": lambda row: [[*xy(stroke), list(range(len(stroke)))] for stroke in row],
    "columns by name": lambda row: [columns_of(stroke, "x", "y") for stroke in row],
    "columns in any order": lambda row: [{"t": [0.5] * len(s), "Y": xy(s)[1], "X": xy(s)[0]} for s in row],
    "a sequence": lambda row: {"x": [xy(stroke)[0] for stroke in row], "y": [xy(stroke)[1] for stroke in row]},
    "words as columns": lambda row: [[columns_of(stroke, "x", "y") for stroke in word] for word in halves(row)],
    "Excalidraw": lambda row: [{"type": "freedraw", "angle": 0, **relative(stroke)} for stroke in row],
    "a scene": lambda row: {
        "type": "excalidraw",
        "elements": [relative(stroke) for stroke in row],
        "appState": {"zoom": 1},
    },
    "offsets": lambda row: [list(step) for step in steps(row)],
    "offsets, flag first": lambda row: [[end, dx, dy] for dx, dy, end in steps(row)],
    "offsets by name": lambda row: [{"eos": end, "dy": dy, "dx": dx} for dx, dy, end in steps(row)],
    "offsets with booleans": lambda row: [{"dx": dx, "dy": dy, "pen_up": bool(end)} for dx, dy, end in steps(row)],
    "offsets as columns": lambda row: columns_of(steps(row), "dx", "dy", "end_of_stroke"),
    "padded offsets": lambda row: [list(step) for step in steps(row)] + [[0, 0, 0]] * 9,
    "stroke-5": lambda row: [[dx, dy, 1 - e, e, 0] for dx, dy, e in steps(row, down=True)] + [[0, 0, 0, 0, 1]] * 9,
    "lifts": lambda row: [{"x": x, "y": y, "pen_up": end} for x, y, end, _ in points(row)],
    "lifts as columns": lambda row: columns_of([point[:3] for point in points(row)], "x", "y", "penLift"),
    "numbered": lambda row: [{"stroke": number, "y": y, "x": x} for x, y, _, number in points(row)],
    "numbered columns": lambda row: columns_of([(x, y, n) for x, y, _, n in points(row)], "x", "y", "stroke_id"),
    "flat": lambda row: [[number for point in stroke for number in point] for stroke in row],
    "flat, in objects": lambda row: [{"tool": "pen", "points": [one for point in s for one in point]} for s in row],
    "flat words": lambda row: [[[one for point in stroke for one in point] for stroke in w] for w in halves(row)],
    "JSON text": lambda row: json.dumps([[list(point) for point in stroke] for stroke in row]),
    "JSON text of an object": lambda row: json.dumps({"paths": [columns_of(stroke, "x", "y") for stroke in row]}),
}
"""What a cell holds, by the name of its layout."""

NAMED: dict[str, tuple[str, Any]] = {
    "stroke-3": ("stroke-3", lambda row: [list(step) for step in steps(row, down=True)]),
    "y down": ("offsets-y-down", lambda row: [{"dx": x, "dy": y, "eos": end} for x, y, end in steps(row, down=True)]),
    "flag first, y down": (
        "offsets-flag-first-y-down",
        lambda row: [[end, dx, dy] for dx, dy, end in steps(row, down=True)],
    ),
    "lists with lifts": ("lifts", lambda row: [[x, y, end] for x, y, end, _ in points(row)]),
}
"""The same for what must be named: the name, and what a cell holds."""

TABLES: dict[str, Any] = {
    "offsets": lambda row: columns_of(steps(row), "dx", "dy", "eos"),
    "offsets in another order": lambda row: columns_of(
        [(bool(e), y, x) for x, y, e in steps(row)], "pen_up", "delta_y", "delta_x"
    ),
    "end_of_stroke": lambda row: columns_of(steps(row), "DX", "DY", "end_of_stroke"),
    "lifts": lambda row: columns_of([point[:3] for point in points(row)], "x", "y", "eos"),
    "strokes": lambda row: {"x": [xy(stroke)[0] for stroke in row], "y": [xy(stroke)[1] for stroke in row]},
    "numbered": lambda row: columns_of([(x, y, n) for x, y, _, n in points(row)], "x", "y", "stroke_id"),
}
"""What the cells of several columns hold, by their names."""
