"""The rows of a report as they are shown."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.look.drawing import Drawing, draw
from penpal_fast.look.picture import png
from penpal_fast.look.saliency import Score, explained
from penpal_fast.rendering import render_strokes
from penpal_fast.strokes import words_of

LONGEST_TEXT = 200
"""Characters of a text that are shown."""

SAME_SCORE = 0.01
"""Scores that differ by more are of different models; engines agree within 1e-3 on logits."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One row of a gallery.

    Attributes:
        row: Number of the row in its file.
        score: In [0, 1].
        text: What is written, where it is known.
        drawing: The strokes, as vectors.
        raster: What the network saw, as a PNG in a data URL, black on white.
        pulls: For each stroke, from -1 (lowers the score) to 1 (raises it); None where the row is not explained.
    """

    row: int
    score: float
    text: str | None
    drawing: Drawing
    raster: str
    pulls: list[float] | None

    @property
    def paths(self) -> list[tuple[str, float]]:
        """SVG paths with their pulls; neighbouring strokes with the same pull are one path."""
        joined: list[tuple[str, float]] = []
        for path, pull in zip(self.drawing.paths, self.pulls or [0.0] * len(self.drawing.paths), strict=True):
            if joined and joined[-1][1] == pull:
                joined[-1] = (joined[-1][0] + path, pull)
            else:
                joined.append((path, pull))
        return joined


def gallery_lines(rows: pa.Table | None, score: Score | None, line_width: float) -> list[Line]:
    """Draw sampled rows, sorted by score.

    Args:
        rows: Columns row, score, strokes and text.
        score: Scores rows of strokes, to explain each row; None for no explanations. A row is explained only where it
            gets the score that it came with: else another model scored it, whose reasons are not known.
        line_width: Width in pixels of the lines in the pictures that the network saw.
    """
    if rows is None:
        return []
    return [_line(row, score, line_width) for row in rows.sort_by([("score", "ascending")]).to_pylist()]


def _line(row: dict[str, Any], score: Score | None, line_width: float) -> Line:
    try:
        words = words_of(row["strokes"])
        explanation = explained(words, score) if score else None
        raster = png(render_strokes(words, line_width=line_width))
    except PenpalError as error:
        problem = str(error).removeprefix("row 0: ")
        raise PenpalError(f"row {row['row']} has a score and cannot be drawn: {problem}") from error
    known = explanation is not None and abs(explanation.score - row["score"]) <= SAME_SCORE
    return Line(
        row=row["row"],
        score=row["score"],
        text=row["text"] and shortened(row["text"], LONGEST_TEXT),
        drawing=draw([stroke for word in words for stroke in word]),
        raster=f"data:image/png;base64,{base64.b64encode(raster).decode()}",
        pulls=explanation.pulls().round(2).tolist() if explanation and known else None,
    )


def shortened(text: str, most: int) -> str:
    """Return text on one line, of so many characters at most."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"
