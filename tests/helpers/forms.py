"""One row in every nested Python form that is accepted."""

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
