"""What a part of a row does to its score: log-odds of the row, of what is left without the part, and of the part."""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.checks.check import Check
from penpal_fast.checks.quality import score_of
from penpal_fast.strokes import Strokes

Level = Literal["word", "stroke"]

SMALLEST = 1e-6
"""Scores nearer to 0 or 1 have no finite log-odds in float32."""


@runtime_checkable
class Explaining(Protocol):
    """Scores the parts of a row. `Scorer` and `QualityCheck` do so where the rest stays in place."""

    def log_odds_without(self, strokes: Strokes, parts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the log-odds of a row, and of what is left without each of its parts, float32 [1 + P].

        Args:
            strokes: The row's strokes, each with points, float64 [N, 2].
            parts: The part of each stroke, from 0 to P - 1, int64 [S].
        """

    def log_odds(self, rows: list[Strokes]) -> NDArray[np.float32]:
        """Return the log-odds of rows, float32 [N]."""

    def judged(self, strokes: Strokes, log_odds: float) -> tuple[float, str | None]:
        """Return the score of a row with these log-odds, and a note on it if there is one."""

    def usual_effects(self, level: Level, parts: int) -> tuple[float, float]:
        """Return the range of the effects that the parts of clean lines usually have, in log-odds.

        Args:
            level: What a part is.
            parts: How many parts the row has.
        """


def word_effects(
    scorer: Explaining, strokes: Strokes, parts: NDArray[np.int64], added: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what each word, or group of words, does to the score of its row, given what it adds to the rest, float32
    [P]; see `Explanation.effects`.

    What a word adds to the rest says little of the word: any ink changes the picture. What it looks like alone says
    more, and is the same for words that are the same. The mean of both is what it adds as the last and as the first.
    """
    alone = scorer.log_odds([list(compress(strokes, parts == part)) for part in range(int(parts.max()) + 1)])
    return ((added + alone) / 2).astype(np.float32)


class Rescoring:
    """Scores what is left of a row as a row of its own, for scores that do not come from a picture."""

    def __init__(self, score: Callable[[list[Strokes]], NDArray[np.float32]]) -> None:
        """Take what scores rows, each a list of strokes: float32 [N] in [0, 1]."""
        self._score = score

    def log_odds_without(self, strokes: Strokes, parts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return log-odds; see `Explaining`."""
        without = [list(compress(strokes, parts != part)) for part in range(int(parts.max()) + 1)]
        return self.log_odds([strokes, *without])

    def log_odds(self, rows: list[Strokes]) -> NDArray[np.float32]:
        """Return log-odds; see `Explaining`."""
        scores = np.clip(self._score(rows).astype(np.float64), SMALLEST, 1 - SMALLEST)
        return np.log(scores / (1 - scores)).astype(np.float32)

    def judged(self, strokes: Strokes, log_odds: float) -> tuple[float, str | None]:  # noqa: ARG002
        """Return the score."""
        return score_of(log_odds), None

    def usual_effects(self, level: Level, parts: int) -> tuple[float, float]:  # noqa: ARG002
        """Nothing is known of other scores."""
        return 0.0, 0.0


def explaining(check: Check, column: str) -> Explaining | None:
    """Return how a check scores the parts of a row, or None if it reads more than the strokes column."""
    if check.reads != (column,):
        return None
    if isinstance(check, Explaining):
        return check

    def score(rows: list[Strokes]) -> NDArray[np.float32]:
        return check.look(pa.record_batch([pa.array(Rows(rows).to_penpal())], names=[column])).scores

    return Rescoring(score)
