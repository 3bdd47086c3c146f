"""Connectionist temporal classification (Graves et al., 2006): from a row's log-probabilities to texts and back.

The network says for each frame how likely each letter, or none, ends there. A text is said by every way of writing its
letters in order, each for one frame or more, with blanks between them where one likes and between equal ones always.
Log-probabilities are [frames, outputs], output 0 being the blank; letters are given by their outputs, from 1.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.reading.alphabet import BLANK

LogProbabilities = NDArray[np.float32] | NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Aligned:
    """Where one letter of a text is.

    Attributes:
        start: First of its frames; the blanks between two letters are shared out at their middle.
        end: One past the last.
        deficit: What the text's likeliest way has less than the likeliest way of all, in these frames, as a logarithm;
            0 where the ink seems to say this letter and nothing else.
    """

    start: int
    end: int
    deficit: float


def best_path(log_probabilities: LogProbabilities) -> list[int]:
    """Return the letters of the likeliest way: the best output of each frame, repeats and blanks dropped."""
    best = log_probabilities.argmax(axis=1)
    return [int(code) for code, _ in itertools.groupby(best) if code != BLANK]


def best_path_loss(log_probabilities: LogProbabilities) -> float:
    """Return minus the logarithm of the likeliest way's probability."""
    return -float(log_probabilities.max(axis=1).sum(dtype=np.float64))


def reading_loss(log_probabilities: LogProbabilities) -> float:
    """Return minus the logarithm of the probability of what the likeliest way says, by all ways of saying it."""
    codes = best_path(log_probabilities)
    return text_loss(log_probabilities, codes) if codes else best_path_loss(log_probabilities)


def text_loss(log_probabilities: LogProbabilities, codes: Sequence[int]) -> float:
    """Return minus the logarithm of a text's probability, infinite where there are too few frames to say it."""
    states, may_skip = _states(codes)
    scores = _first_scores(log_probabilities, states)
    for frame in log_probabilities[1:]:
        stayed, moved, skipped = _ways(scores, may_skip)
        scores = np.logaddexp(np.logaddexp(stayed, moved), skipped) + frame[states]
    return -float(np.logaddexp.reduce(scores[-2:]))


def align(log_probabilities: LogProbabilities, codes: Sequence[int]) -> list[Aligned]:
    """Return for each letter of a text its frames in the text's likeliest way; empty where there are too few frames."""
    if not _fits(len(log_probabilities), codes):
        return []
    states, may_skip = _states(codes)
    scores = _first_scores(log_probabilities, states)
    came_from = np.zeros((len(log_probabilities), len(states)), dtype=np.int64)
    for index, frame in enumerate(log_probabilities[1:], start=1):
        ways = np.stack(_ways(scores, may_skip))
        came_from[index] = ways.argmax(axis=0)
        scores = ways.max(axis=0) + frame[states]
    state = len(states) - 1 - int(len(states) > 1 and scores[-2] > scores[-1])
    way = np.empty(len(log_probabilities), dtype=np.int64)
    for index in range(len(log_probabilities) - 1, -1, -1):
        way[index] = state
        state -= came_from[index, state]
    return _letters(log_probabilities, states, way)


def misfit(log_probabilities: LogProbabilities, codes: Sequence[int]) -> float:
    """Return the largest deficit of a letter of a text, infinite where there are too few frames to say it; 0 for the
    text that the likeliest way says."""
    if list(codes) == best_path(log_probabilities):
        return 0.0
    return max((letter.deficit for letter in align(log_probabilities, codes)), default=math.inf)


def _letters(log_probabilities: LogProbabilities, states: NDArray[np.int64], way: NDArray[np.int64]) -> list[Aligned]:
    """Share a way's frames out to its letters, which are the odd states."""
    chosen = log_probabilities[np.arange(len(way)), states[way]]
    deficits = np.concatenate([[0.0], np.cumsum(log_probabilities.max(axis=1) - chosen, dtype=np.float64)])
    written = [np.flatnonzero(way == state) for state in range(1, len(states), 2)]
    between = [(int(before[-1]) + 1 + int(after[0])) // 2 for before, after in itertools.pairwise(written)]
    bounds = [0, *between, len(way)]
    return [
        Aligned(start, end, max(float(deficits[end] - deficits[start]), 0.0))
        for start, end in itertools.pairwise(bounds)
        if written
    ]


def _fits(frames: int, codes: Sequence[int]) -> bool:
    """Whether a text can be said in so many frames: one for each letter, and a blank between two that are equal."""
    return len(codes) + sum(one == other for one, other in itertools.pairwise(codes)) <= frames


def _states(codes: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the outputs that a text goes through, a blank before, between and after its letters, and for each whether
    it may follow the one two before it."""
    states = np.full(2 * len(codes) + 1, BLANK, dtype=np.int64)
    states[1::2] = codes
    may_skip = np.zeros(len(states), dtype=np.bool_)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    return states, may_skip


def _first_scores(log_probabilities: LogProbabilities, states: NDArray[np.int64]) -> NDArray[np.float64]:
    scores = np.full(len(states), -np.inf)
    scores[:2] = log_probabilities[0, states[:2]]
    return scores


def _ways(
    scores: NDArray[np.float64], may_skip: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return for each state the score of coming from itself, from the one before and from the one before that."""
    moved = np.concatenate([[-np.inf], scores[:-1]])
    skipped = np.where(may_skip, np.concatenate([[-np.inf, -np.inf], scores[:-2]])[: len(scores)], -np.inf)
    return scores, moved, skipped
