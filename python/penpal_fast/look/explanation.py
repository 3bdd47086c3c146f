"""Which parts of a row lower its score: the row is scored again without each part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.checks.check import Check
from penpal_fast.checks.quality import Scorer, default_scorer
from penpal_fast.look.drawing import draw
from penpal_fast.strokes import Strokes, words_of

Score = Callable[[list[Strokes]], NDArray[np.float32]]
"""Scores rows, each a list of strokes: float32 [N] in [0, 1]."""

MOST_PARTS = 128
"""Parts that are left out in turn. A row with more words or strokes is split into groups of neighbours."""

MOST_STROKES, MOST_POINTS = 400_000, 4_000_000
"""Strokes and points that one explanation draws, over all its rows; a larger row is split into fewer parts."""

WEAK_EFFECT = 0.1
"""The strongest part of a row gets the full colour if its effect is at least this large."""

NEUTRAL, LOWERING, RAISING = (112, 117, 125), (200, 55, 28), (24, 98, 190)
"""Colours of parts without effect, and of parts that lower and raise the score."""


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What each part of a row does to its score.

    Attributes:
        score: Score of the whole row, in [0, 1].
        strokes: The row's strokes that have points, float64 [N, 2] each, in order.
        level: What a part is: "word", or "stroke" if the row has one word or no word level.
        parts: int64 [S], the part of each stroke, from 0.
        effects: float32 [P], the score of the row minus its score without the part, from -1 to 1. A negative effect
            means that the part lowers the score. NaN if the row has only one part. Without a part at the edge, the
            rest is also drawn larger.
    """

    score: float
    strokes: Strokes
    level: Literal["word", "stroke"]
    parts: NDArray[np.int64]
    effects: NDArray[np.float32]

    def pulls(self) -> NDArray[np.float32]:
        """Return how strongly to colour each stroke: float32 [S] from -1 (lowers the score) to 1 (raises it)."""
        effects = np.nan_to_num(self.effects)
        return (effects / max(float(np.abs(effects).max()), WEAK_EFFECT))[self.parts]

    def _repr_html_(self) -> str:
        """Show the row with coloured strokes, on white in any theme of the notebook."""
        svg = draw(self.strokes).svg(
            f"Handwriting with a score of {self.score:.2f}", [_colour(pull) for pull in self.pulls()]
        )
        legend = f"<span style='color:{_css(LOWERING)}'>red lowers it</span>, "
        legend += f"<span style='color:{_css(RAISING)}'>blue raises it</span>; by {self.level}"
        return (
            "<figure style='margin:0;padding:12px;max-width:640px;background:#fff;color:#222;font:13px sans-serif'>"
            f"{svg}<figcaption>score <b>{self.score:.2f}</b>: {legend}</figcaption></figure>"
        )


def explain(row: Any, *, scorer: Scorer | None = None) -> Explanation:
    """Score a row without each of its words; if it has only one, without each of its strokes.

    Args:
        row: Words of strokes or strokes, in any layout that `render_strokes` takes.
        scorer: Scores the rows; by default one with the bundled model.

    Raises:
        PenpalError: The row cannot be drawn.
    """
    return explained(words_of(row), (scorer or default_scorer()).score)


def explained(words: list[Strokes], score: Score) -> Explanation:
    """Explain the score of a row of words; see `explain`.

    Args:
        words: At least one word; each has at least one stroke, and each stroke at least one point.
        score: Scores rows, each a list of strokes.
    """
    by_word = len(words) > 1
    units: list[Strokes] = words if by_word else [[stroke] for stroke in words[0]]
    groups = np.array_split(np.arange(len(units)), min(len(units), _most_parts(words)))
    parts = [_joined(units[unit] for unit in group) for group in groups]
    without = [_joined(parts[:part] + parts[part + 1 :]) for part in range(len(parts))] if len(parts) > 1 else []
    scores = score([_joined(parts), *without])
    return Explanation(
        score=float(scores[0]),
        strokes=_joined(parts),
        level="word" if by_word else "stroke",
        parts=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        effects=scores[0] - scores[1:] if without else np.array([np.nan], np.float32),
    )


def scores_of(check: Check, column: str) -> Score | None:
    """Return how a check scores rows of strokes, or None if it reads more than the strokes column."""
    if check.reads != (column,):
        return None

    def score(rows: list[Strokes]) -> NDArray[np.float32]:
        return check.look(pa.record_batch([pa.array(Rows(rows).to_penpal())], names=[column])).scores

    return score


def _most_parts(words: list[Strokes]) -> int:
    strokes = _joined(words)
    return max(2, min(MOST_PARTS, MOST_STROKES // len(strokes), MOST_POINTS // sum(map(len, strokes))))


def _joined(groups: Iterable[Strokes]) -> Strokes:
    return list(chain.from_iterable(groups))


def _colour(pull: float) -> str:
    end = LOWERING if pull < 0 else RAISING
    return _css(tuple(round(start + (full - start) * abs(pull)) for start, full in zip(NEUTRAL, end, strict=True)))


def _css(colour: tuple[int, ...]) -> str:
    return f"#{bytes(colour).hex()}"
