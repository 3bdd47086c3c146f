"""The rows that a report shows, drawn from their strokes."""

from __future__ import annotations

import dataclasses
from itertools import chain, groupby
from typing import Any

import pyarrow as pa

from penpal_fast import kernels as pc
from penpal_fast.errors import PenpalError
from penpal_fast.look.captions import shortened
from penpal_fast.look.drawing import Drawing, draw
from penpal_fast.look.effects import Explaining
from penpal_fast.look.explanation import explained
from penpal_fast.look.picture import data_url
from penpal_fast.look.report.comparison import LONGEST_TEXT, Compare, Comparison
from penpal_fast.rendering import render_strokes
from penpal_fast.strokes import Strokes, words_of

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
        comparison: The row beside its text; None if they are not compared.
    """

    number: int
    score: float
    text: str | None
    drawing: Drawing | None
    raster: str | None
    pulls: list[float] | None
    problem: str | None = None
    comparison: Comparison | None = None

    @property
    def paths(self) -> list[tuple[str, float]]:
        """SVG paths and their pulls; neighbouring strokes with the same pull form one path."""
        paths = self.drawing.paths if self.drawing else []
        runs = groupby(zip(paths, self.pulls or [0.0] * len(paths), strict=True), key=lambda stroke: stroke[1])
        return [("".join(path for path, _ in run), pull) for pull, run in runs]


@dataclasses.dataclass(frozen=True)
class PairRow:
    """One row with two scores.

    Attributes:
        number: Number of the row in its file.
        x: The score that grows to the right on the map, in [0, 1].
        y: The score that grows upward.
        text: What the row should say, if known.
        drawing: The strokes as vectors; None if the row cannot be drawn.
        comparison: The row beside its text; None if they are not compared.
        problem: Why the row cannot be drawn; None if it can.
    """

    number: int
    x: float
    y: float
    text: str | None
    drawing: Drawing | None = None
    comparison: Comparison | None = None
    problem: str | None = None


def gallery_rows(
    rows: pa.Table | None, scorer: Explaining | None, line_width: float | None, compare: Compare | None = None
) -> list[GalleryRow]:
    """Draw sampled rows, sorted by score. A row that cannot be drawn is listed with the reason.

    Args:
        rows: Columns row, strokes, text, reading and score.
        scorer: Scores the parts of rows, to explain each row; None for no explanations. A row is explained only if it
            gets its own score again; if not, another model scored it.
        line_width: Width in pixels of the lines in the picture that the check sees; None if it sees no picture.
        compare: Compares rows with their texts; None for no comparisons.
    """
    if rows is None:
        return []
    order = pc.array_sort_indices(rows["score"].combine_chunks())
    return [_drawn(row, scorer, line_width, compare) for row in _listed(rows.take(order))]


def pair_rows(rows: pa.Table | None, compare: Compare | None) -> list[PairRow]:
    """Draw sampled rows in their order. A row that cannot be drawn is listed with the reason.

    Args:
        rows: Columns row, strokes, text, reading, x and y.
        compare: Compares rows with their texts; None for no comparisons.
    """
    return [] if rows is None else [_drawn_pair(row, compare) for row in _listed(rows)]


def _listed(rows: pa.Table) -> list[dict[str, Any]]:
    """Return rows with their strokes as Arrow has them: texts among their fields need not be UTF-8."""
    others = rows.drop_columns("strokes").to_pylist()
    return [{**row, "strokes": strokes} for row, strokes in zip(others, rows["strokes"], strict=True)]


def _drawn(
    row: dict[str, Any], scorer: Explaining | None, line_width: float | None, compare: Compare | None
) -> GalleryRow:
    number, text = row["row"], _caption(row)
    try:
        words = words_of(row["strokes"])
    except PenpalError as error:
        return GalleryRow(number, row["score"], text, drawing=None, raster=None, pulls=None, problem=error.problem)
    explanation = explained(words, scorer) if scorer else None
    known = explanation is not None and abs(explanation.score - row["score"]) <= SAME_SCORE
    comparison = _comparison(words, row, compare)
    return GalleryRow(
        number,
        row["score"],
        text,
        drawing=_drawing(words, comparison),
        raster=None if line_width is None else data_url(render_strokes(words, line_width=line_width)),
        pulls=explanation.pulls().round(2).tolist() if explanation and known else None,
        comparison=comparison,
    )


def _drawn_pair(row: dict[str, Any], compare: Compare | None) -> PairRow:
    number, x, y, text = row["row"], row["x"], row["y"], _caption(row)
    try:
        words = words_of(row["strokes"])
    except PenpalError as error:
        return PairRow(number, x, y, text, problem=error.problem)
    comparison = _comparison(words, row, compare)
    return PairRow(number, x, y, text, _drawing(words, comparison), comparison)


def _caption(row: dict[str, Any]) -> str | None:
    return row["text"] and shortened(row["text"], LONGEST_TEXT)


def _comparison(words: list[Strokes], row: dict[str, Any], compare: Compare | None) -> Comparison | None:
    return compare(words, row["text"], row["reading"]) if compare and row["text"] else None


def _drawing(words: list[Strokes], comparison: Comparison | None) -> Drawing:
    return draw(list(chain.from_iterable(words)), comparison.marks if comparison else ())
