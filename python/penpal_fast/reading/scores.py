"""A reader's scores, from a row's log-probabilities: match and readability, both in [0, 1].

Each score comes from a doubt, which is 0 or more. The doubt of reading is the loss of the best path, divided by its
letters. The doubt of a text is its loss beyond the best path's, plus a share of the doubt of reading, because ink that
says nothing does not say this text either. A wrong letter costs about the same in any line, and random costs grow with
the length of a line, so the difference of the losses is divided by the square root of the number of letters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.ctc import LogProbabilities, best_path, best_path_loss, text_loss


def reading_doubt(log_probabilities: LogProbabilities) -> float:
    """Return how unsure the likeliest way is, from 0, a letter; one more letter is counted, for rows without any."""
    return best_path_loss(log_probabilities) / (len(best_path(log_probabilities)) + 1)


def text_doubt(log_probabilities: LogProbabilities, codes: Sequence[int], config: ReaderConfig) -> float:
    """Return how much speaks against a text of at least one letter, from 0, infinite where it has too many letters."""
    lack = text_loss(log_probabilities, codes) - best_path_loss(log_probabilities)
    return max(lack, 0.0) / math.sqrt(len(codes)) + config.unread_weight * reading_doubt(log_probabilities)


def match(log_probabilities: LogProbabilities, codes: Sequence[int], config: ReaderConfig) -> float:
    """Return whether the ink says a text, in [0, 1]: 0.5 keeps 95 % of clean generated lines, 0.9 half of them."""
    return _score(text_doubt(log_probabilities, codes, config), config.match_half, config.match_power)


def readability(log_probabilities: LogProbabilities, config: ReaderConfig) -> float:
    """Return whether the ink says anything, in [0, 1]: 0.5 keeps 95 % of clean generated lines, 0.9 half of them."""
    return _score(reading_doubt(log_probabilities), config.readability_half, config.readability_power)


def _score(doubt: float, half: float, power: float) -> float:
    """Map a doubt to 1 where there is none, 0.5 at `half` and 0 at infinity."""
    return 1 / (1 + (doubt / half) ** power)
