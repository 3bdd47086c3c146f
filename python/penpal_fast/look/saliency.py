"""Which parts of a row pull its score down: the score of the row without each part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.checks.check import Check
from penpal_fast.checks.quality import Scorer, default_scorer
from penpal_fast.look.drawing import draw
from penpal_fast.strokes import words_of

Strokes = list[NDArray[np.float64]]

Score = Callable[[list[Strokes]], NDArray[np.float32]]
"""Scores rows of strokes."""

MOST_PARTS = 128
"""Parts that are left out in turn; more words or strokes than this are left out in groups of neighbours."""

MOST_STROKES, MOST_POINTS = 400_000, 4_000_000
"""Strokes and points that an explanation draws, of all the rows without a part; a large row has fewer parts."""

WEAK_EFFECT = 0.1
"""The strongest part of a row is drawn in full colour, but for an effect smaller than this."""

NEUTRAL, LOWERING, RAISING = (112, 117, 125), (200, 55, 28), (24, 98, 190)
"""Colours of parts without effect, of those that pull the score down and of those that hold it up."""


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What each part of a row does to its score.

    Attributes:
        score: Score of the whole row, in [0, 1].
        strokes: The row's strokes that have points, float64 [N, 2] each, in order.
        level: What a part is: a "word", or a "stroke" in a row that has one word or no word level.
        parts: int64 [S], the part that each stroke belongs to, from 0.
        effects: float32 [P], the score of the row minus its score without the part, from -1 to 1. Negative: the part
            pulls the score down. NaN for the only part of a row. Leaving out a part at the edge also makes the rest
            larger on the canvas, as if it had never been written.
    """

    score: float
    strokes: Strokes
    level: Literal["word", "stroke"]
    parts: NDArray[np.int64]
    effects: NDArray[np.float32]

    def pulls(self) -> NDArray[np.float32]:
        """Return how strongly each stroke is to be coloured, [S] from -1 (lowers the score) to 1 (raises it)."""
        effects = np.nan_to_num(self.effects)
        return (effects / max(float(np.abs(effects).max()), WEAK_EFFECT))[self.parts]

    def _repr_html_(self) -> str:
        """Show the row with its strokes in colour, on paper whatever the notebook's theme."""
        svg = draw(self.strokes).svg(
            f"Handwriting with a score of {self.score:.2f}", [_colour(pull) for pull in self.pulls()]
        )
        legend = f"<span style='color:{_css(LOWERING)}'>red pulls it down</span>, "
        legend += f"<span style='color:{_css(RAISING)}'>blue holds it up</span>; by {self.level}"
        return (
            "<figure style='margin:0;padding:12px;max-width:640px;background:#fff;color:#222;font:13px sans-serif'>"
            f"{svg}<figcaption>score <b>{self.score:.2f}</b>: {legend}</figcaption></figure>"
        )


def explain(row: Any, *, scorer: Scorer | None = None) -> Explanation:
    """Score a row without each of its words, or without each of its strokes where it has a single word.

    Args:
        row: Words of strokes or strokes, in any form that `render_strokes` takes.
        scorer: Scores the rows; by default one with the model of this package.

    Raises:
        PenpalError: The row cannot be drawn.
    """
    return explained(words_of(row), (scorer or default_scorer()).score)


def explained(words: list[Strokes], score: Score) -> Explanation:
    """Explain the score of a row of words; see `explain`.

    Args:
        words: At least one, each of one or more strokes that have points.
        score: Scores rows of strokes.
    """
    by_word = len(words) > 1
    units: list[Strokes] = words if by_word else [[stroke] for stroke in words[0]]
    groups = np.array_split(np.arange(len(units)), min(len(units), _most_parts(words)))
    parts = [_joined(units[unit] for unit in group) for group in groups]
    rows = [_joined(parts)]
    if len(parts) > 1:
        rows += [_joined(parts[:part] + parts[part + 1 :]) for part in range(len(parts))]
    scores = score(rows)
    return Explanation(
        score=float(scores[0]),
        strokes=rows[0],
        level="word" if by_word else "stroke",
        parts=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        effects=scores[0] - scores[1:] if len(parts) > 1 else np.array([np.nan], np.float32),
    )


def scores_of(check: Check, column: str) -> Score | None:
    """Give the scores of a check that looks at nothing but the column of strokes; None for any other check."""
    if check.reads != (column,):
        return None

    def score(rows: list[Strokes]) -> NDArray[np.float32]:
        return check.look(pa.record_batch([pa.array(Rows(rows).to_penpal())], names=[column])).scores

    return score


def _most_parts(words: list[Strokes]) -> int:
    strokes = sum(len(word) for word in words)
    points = sum(len(stroke) for word in words for stroke in word)
    return max(2, min(MOST_PARTS, MOST_STROKES // strokes, MOST_POINTS // points))


def _joined(groups: Iterable[Strokes]) -> Strokes:
    return [stroke for group in groups for stroke in group]


def _colour(pull: float) -> str:
    end = LOWERING if pull < 0 else RAISING
    return _css(tuple(round(start + (full - start) * abs(pull)) for start, full in zip(NEUTRAL, end, strict=True)))


def _css(colour: tuple[int, ...]) -> str:
    return f"#{bytes(colour).hex()}"
