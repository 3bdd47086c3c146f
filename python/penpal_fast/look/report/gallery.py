"""The rows that a report shows, drawn from their strokes."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from typing import Any

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.look.captions import shortened
from penpal_fast.look.drawing import Drawing, draw
from penpal_fast.look.explanation import Score, explained
from penpal_fast.look.picture import data_url
from penpal_fast.rendering import render_strokes
from penpal_fast.strokes import words_of

LONGEST_TEXT = 200
"""Characters of a text that are shown."""

SAME_SCORE = 0.01
"""Scores that differ by more come from different models; engines agree within 1e-3 on logits."""


@dataclasses.dataclass(frozen=True)
class GalleryRow:
    """One row of a gallery.

    Attributes:
        number: Number of the row in its file.
        score: In [0, 1].
        text: What the row says, if known.
        drawing: The strokes as vectors; None if the row cannot be drawn.
        raster: What the check sees, as a PNG picture in a data URL, black on white; None if the check sees no picture
            or the row cannot be drawn.
        pulls: For each stroke, from -1 (lowers the score) to 1 (raises it); None if the row is not explained.
        problem: Why the row cannot be drawn; None if it can.
    """

    number: int
    score: float
    text: str | None
    drawing: Drawing | None
    raster: str | None
    pulls: list[float] | None
    problem: str | None = None

    @property
    def paths(self) -> list[tuple[str, float]]:
        """SVG paths and their pulls; neighbouring strokes with the same pull form one path."""
        paths = self.drawing.paths if self.drawing else []
        runs = groupby(zip(paths, self.pulls or [0.0] * len(paths), strict=True), key=lambda stroke: stroke[1])
        return [("".join(path for path, _ in run), pull) for pull, run in runs]


def gallery_rows(rows: pa.Table | None, score: Score | None, line_width: float | None) -> list[GalleryRow]:
    """Draw sampled rows, sorted by score. A row that cannot be drawn is listed with the reason.

    Args:
        rows: Columns row, score, strokes and text.
        score: Scores rows of strokes, to explain each row; None for no explanations. A row is explained only if it
            gets its own score again; if not, another model scored it.
        line_width: Width in pixels of the lines in the picture that the check sees; None if it sees no picture.
    """
    if rows is None:
        return []
    return [_drawn(row, score, line_width) for row in rows.sort_by([("score", "ascending")]).to_pylist()]


def _drawn(row: dict[str, Any], score: Score | None, line_width: float | None) -> GalleryRow:
    number, text = row["row"], row["text"] and shortened(row["text"], LONGEST_TEXT)
    try:
        words = words_of(row["strokes"])
    except PenpalError as error:
        return GalleryRow(number, row["score"], text, drawing=None, raster=None, pulls=None, problem=error.problem)
    explanation = explained(words, score) if score else None
    known = explanation is not None and abs(explanation.score - row["score"]) <= SAME_SCORE
    return GalleryRow(
        number,
        row["score"],
        text,
        drawing=draw([stroke for word in words for stroke in word]),
        raster=None if line_width is None else data_url(render_strokes(words, line_width=line_width)),
        pulls=explanation.pulls().round(2).tolist() if explanation and known else None,
    )
