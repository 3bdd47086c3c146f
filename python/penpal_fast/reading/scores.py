"""A reader's scores, match and readability, both in [0, 1], from the losses of what a row seems to say and of its text.

Each score comes from a doubt, which is 0 or more. The doubt of reading is the loss of what the row seems to say,
divided by its letters. The doubt of a text is the larger of two, so that a wrong letter is found in ink of any hand:

- how much the text differs from what the ink says: what its loss is more than that of the reading, divided by
  1 + letters / `half_letters`, since a long line has more letters that may be misread; and the largest deficit of a
  letter, since one letter that clearly is another makes a wrong text, while many that are a little unsure do not;
- how unsure the ink is, by the lesser of both losses per letter, because ink that says nothing surely does not say this
  text either. It grows with the logarithm: ink that is twice as unsure is not twice as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.ctc import LogProbabilities, best_path, misfit, reading_loss, text_loss

STEEPNESS = 1.5
"""How steeply scores fall: with it, most corrupted lines are below 0.1."""

UNSURE = 0.5
"""Loss per letter from which the doubt of unsure ink grows ever more slowly."""

Losses = NDArray[np.float32] | NDArray[np.float64]


def reading_doubts(reading_losses: Losses, letters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the loss of each reading per letter, 0 or more.

    Args:
        reading_losses: The loss of what each row seems to say.
        letters: Its number of letters; one more is counted, for rows without any.
    """
    return _losses(reading_losses) / (letters + 1)


def text_doubts(
    text_losses: Losses, letters: NDArray[np.int64], reading_losses: Losses, misfits: Losses, config: ReaderConfig
) -> NDArray[np.float64]:
    """Return how much speaks against the text of each row, from 0, infinite where it has too many letters.

    Args:
        text_losses: The loss of each row's text.
        letters: Its number of letters.
        reading_losses: The loss of what each row seems to say.
        misfits: The largest deficit of a letter of each row's text.
        config: Has the weights of the parts.
    """
    text, reading = _losses(text_losses), _losses(reading_losses)
    lack = np.maximum(text - reading, 0) / (1 + letters / config.half_letters)
    differs = lack + config.misfit_weight * misfits.astype(np.float64)
    # A text may be likelier than the reading, whose likeliest way is one of many.
    unread = np.minimum(text, reading) / np.maximum(letters, 1)
    return np.maximum(differs, config.unread_weight * np.log1p(unread / UNSURE))


def reading_doubt(log_probabilities: LogProbabilities) -> float:
    """Return the doubt of reading of one row."""
    letters = len(best_path(log_probabilities))
    return float(reading_doubts(np.array([reading_loss(log_probabilities)]), np.array([letters]))[0])


def text_doubt(log_probabilities: LogProbabilities, codes: Sequence[int], config: ReaderConfig) -> float:
    """Return the doubt of a text, of at least one letter, of one row."""
    text, reading = text_loss(log_probabilities, codes), reading_loss(log_probabilities)
    worst = misfit(log_probabilities, codes)
    losses = np.array([text]), np.array([len(codes)]), np.array([reading]), np.array([worst])
    return float(text_doubts(*losses, config)[0])


def match(doubts: NDArray[np.float64], config: ReaderConfig) -> NDArray[np.float32]:
    """Map doubts of texts to [0, 1]: 0.5 keeps 95 % of clean generated lines."""
    return _score(doubts, config.match_half)


def readability(doubts: NDArray[np.float64], config: ReaderConfig) -> NDArray[np.float32]:
    """Map doubts of reading to [0, 1]: 0.5 keeps 95 % of clean generated lines."""
    return _score(doubts, config.readability_half)


def _losses(values: Losses) -> NDArray[np.float64]:
    """Return losses in float64, at least 0: rounding makes those of sure readings a little less."""
    return np.maximum(values.astype(np.float64), 0)


def _score(doubts: NDArray[np.float64], half: float) -> NDArray[np.float32]:
    """Map a doubt to 1 where there is none, to 0.5 at `half`, and to 0 far beyond; NaN stays."""
    return np.exp2(-((doubts / half) ** STEEPNESS)).astype(np.float32)
