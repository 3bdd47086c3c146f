"""A reader's scores, from a row's log-probabilities: match and readability, both in [0, 1].

Each score comes from a doubt, which is 0 or more. The doubt of reading is the loss of the best path, divided by its
letters. The doubt of a text is its loss beyond the best path's, plus a share of the doubt of reading, because ink that
says nothing does not say this text either. A wrong letter costs about the same in any line, and random costs grow with
the length of a line, so the difference of the losses is divided by the square root of the number of letters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.ctc import LogProbabilities, best_path, best_path_loss, text_loss

Losses = NDArray[np.float32] | NDArray[np.float64]


def reading_doubts(best_losses: Losses, letters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how unsure the likeliest way of each row is, from 0, a letter.

    Args:
        best_losses: The loss of each row's likeliest way.
        letters: Its number of letters; one more is counted, for rows without any.
    """
    return best_losses.astype(np.float64) / (letters + 1)


def text_doubts(
    text_losses: Losses,
    letters: NDArray[np.int64],
    best_losses: Losses,
    best_letters: NDArray[np.int64],
    config: ReaderConfig,
) -> NDArray[np.float64]:
    """Return how much speaks against the text of each row, from 0, infinite where it has too many letters.

    Args:
        text_losses: The loss of each row's text.
        letters: Its number of letters.
        best_losses: The loss of each row's likeliest way.
        best_letters: Its number of letters.
        config: Has the weight of the doubt of reading.
    """
    lack = np.maximum(text_losses.astype(np.float64) - best_losses, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return lack / np.sqrt(letters) + config.unread_weight * reading_doubts(best_losses, best_letters)


def reading_doubt(log_probabilities: LogProbabilities) -> float:
    """Return the doubt of reading of one row."""
    letters = len(best_path(log_probabilities))
    return float(reading_doubts(np.array([best_path_loss(log_probabilities)]), np.array([letters]))[0])


def text_doubt(log_probabilities: LogProbabilities, codes: Sequence[int], config: ReaderConfig) -> float:
    """Return the doubt of a text, of at least one letter, of one row."""
    losses = text_loss(log_probabilities, codes), best_path_loss(log_probabilities)
    letters = len(codes), len(best_path(log_probabilities))
    text, text_letters, best, best_letters = (
        np.array([value]) for pair in zip(losses, letters, strict=True) for value in pair
    )
    return float(text_doubts(text, text_letters, best, best_letters, config)[0])


def match(doubts: NDArray[np.float64], config: ReaderConfig) -> NDArray[np.float32]:
    """Map doubts of texts to [0, 1]: 0.5 keeps 95 % of clean generated lines, 0.9 half of them."""
    return _score(doubts, config.match_half, config.match_power)


def readability(doubts: NDArray[np.float64], config: ReaderConfig) -> NDArray[np.float32]:
    """Map doubts of reading to [0, 1]: 0.5 keeps 95 % of clean generated lines, 0.9 half of them."""
    return _score(doubts, config.readability_half, config.readability_power)


def _score(doubts: NDArray[np.float64], half: float, power: float) -> NDArray[np.float32]:
    """Map a doubt to 1 where there is none, 0.5 at `half` and 0 at infinity; NaN stays."""
    with np.errstate(over="ignore"):
        return (1 / (1 + (doubts / half) ** power)).astype(np.float32)
