"""One row in every nested Python form that is accepted, and rows that are not."""

from __future__ import annotations

import numpy as np

STROKES = [[(0.0, 0.0), (10.0, 4.0)], [(3.0, 7.0)], [(11.0, 2.0), (12.0, 9.0)]]

FORMS = {
    "pairs": STROKES,
    "lists": [[list(point) for point in stroke] for stroke in STROKES],
    "tuples": tuple(tuple(stroke) for stroke in STROKES),
    "integers": [[(int(x), int(y)) for x, y in stroke] for stroke in STROKES],
    "arrays": [np.array(stroke) for stroke in STROKES],
    "float32 arrays": [np.array(stroke, dtype=np.float32) for stroke in STROKES],
    "int16 arrays": [np.array(stroke, dtype=np.int16) for stroke in STROKES],
    "transposed arrays": [np.array(stroke).T.copy().T for stroke in STROKES],
    "dicts of pairs": [{"points": stroke} for stroke in STROKES],
    "dicts of arrays": [{"points": np.array(stroke)} for stroke in STROKES],
    "dicts of dicts": [{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in STROKES],
    "point dicts": [[{"x": x, "y": y} for x, y in stroke] for stroke in STROKES],
    "words of dicts": [[{"points": STROKES[0]}, {"points": STROKES[1]}], [{"points": STROKES[2]}]],
    "words of pairs": [STROKES[:2], STROKES[2:]],
    "words of arrays": [[np.array(STROKES[0])], [np.array(stroke) for stroke in STROKES[1:]]],
    "words and strokes mixed": [STROKES[0], [STROKES[1]], {"points": STROKES[2]}],
    "with empty words and strokes": [[], STROKES[0], [[]], [[], STROKES[1]], STROKES[2], np.empty((0, 2))],
    "points as arrays": [[np.array(point) for point in stroke] for stroke in STROKES],
    "object array of words": np.array([STROKES[:2], STROKES[2:]], dtype=object),
    "object arrays of dicts": np.array(
        [{"points": np.array(stroke, dtype=object)} for stroke in STROKES], dtype=object
    ),
    "NumPy scalars": [[(np.float32(x), np.int64(y)) for x, y in stroke] for stroke in STROKES],
}


class Broken:
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise RuntimeError("cannot be read")


def endless():
    row = []
    row.append(row)
    return row


BAD = {
    "None": (None, "null: the row is null"),
    "text": ("ink", "wrong type: a row must be a sequence of words or strokes, got str"),
    "bytes": (b"ink", "got bytes"),
    "number": (3.5, "got float"),
    "dict": ({"points": []}, "got dict"),
    "set": ({1, 2}, "got set"),
    "empty": ([], "no points"),
    "bare stroke": ([(0, 0), (1, 1)], "looks like a list of points"),
    "offsets": (np.zeros((5, 3)), "looks like a list of points"),
    "array of triples": ([np.zeros((5, 3))], r"stroke 0: a stroke array must be \[N, 2\]"),
    "array of complex": ([np.zeros((5, 2), dtype=complex)], r"a stroke array must be \[N, 2\]"),
    "array of nulls": ([np.array([[None, None]])], "null: stroke 0, point 0 is null"),
    "masked array": ([np.ma.masked_less(np.zeros((3, 2)), 1)], "stroke 0: some points are masked"),
    "booleans": ([[(True, False)]], "stroke 0: point 0 must be a pair of numbers"),
    "null first point": ([[None, (0, 0)]], "null: stroke 0, point 0 is null"),
    "NaN after an empty stroke": ([[], [(float("nan"), 0)]], "stroke 1, point 0: x is NaN"),
    "NaN after an empty stroke of a word": ([[[], [(float("nan"), 0)]]], "stroke 1, point 0: x is NaN"),
    "triples": ([[(0, 0), (1, 2, 3)]], "stroke 0: point 1 must be a pair"),
    "text point": ([[(0, 0), "ab"]], "stroke 0: point 1 must be a pair"),
    "text coordinates": ([[(0, 0), ("1", "2")]], "stroke 0: point 1 must be a pair"),
    "text as the first coordinates": ([[("1", "2"), (0, 0)]], "point 0 must be a pair of numbers, got a pair of str"),
    "text as the first coordinates of a word": ([[[(0, 0)], [("1", "2")]]], "stroke 1: point 0 must be a pair"),
    "pen states": ([[(1, 2, 0)]], "stroke 0: point 0 must be a pair of numbers, got 3 of them"),
    "no y": ([{"points": [{"x": 1}]}], "stroke 0: point 0 must be a pair of numbers or a dict"),
    "no points key": ([{"ink": []}], "needs the key 'points'"),
    "points is a number": ([{"points": 3}], "points must be a sequence"),
    "null stroke": ([[(0, 0)], None], "null: stroke 1 is null"),
    "null points": ([{"points": None}], "null: stroke 0 is null"),
    "null point": ([[(0, 0), None]], "null: stroke 0, point 1 is null"),
    "null coordinate": ([[(0, None)]], "null: stroke 0, point 0 is null"),
    "NaN": ([[(0, 0)], [(0, float("nan"))]], "non-finite coordinate: stroke 1, point 0: y is NaN"),
    "complex numbers": ([[(np.complex64(1), 2)]], "not a number that a float64 can hold"),
    "huge integer first": ([[(10**400, 0)]], "not a number that a float64 can hold"),
    "huge integer": ([[(0, 10**400)]], "not a number that a float64 can hold"),
    "too deep": ([[[[[(0, 0)]]]]], "nesting is words -> strokes -> points"),
    "contains itself": (endless(), "wrong type"),
    "raises": (Broken(), "RuntimeError: cannot be read"),
    "raises inside": ([Broken()], "RuntimeError: cannot be read"),
}
"""Rows that cannot be drawn, each with what is said of it."""
