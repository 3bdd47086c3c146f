"""What parts of clean lines usually do to their scores, so that only the unusual is marked.

A row with fewer letters looks less sure, so almost any word of a clean line raises or lowers its score a little.
"""

from __future__ import annotations

USUAL = {
    "word": {2: (-0.5, 1.8), 3: (-0.9, 2.4), 4: (-0.8, 2.5), 6: (-0.9, 2.2), 9: (-1.3, 1.2)},
    "stroke": {2: (-0.6, 1.7), 4: (-1.4, 2.1), 8: (-1.4, 1.4), 16: (-0.8, 0.4), 32: (-0.6, 0.2)},
}
"""Range of the effects in log-odds that 90 % of the parts of clean lines are in, by how many parts a row has, at least.
Measured by `python benches/part_effects.py` for the bundled model; calibration gives others the same scale."""


def usual_effects(level: str, parts: int) -> tuple[float, float]:
    """Return the range for rows of so many words or strokes."""
    ranges = USUAL[level]
    return ranges[max((least for least in ranges if least <= parts), default=min(ranges))]
