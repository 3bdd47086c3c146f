"""Match and readability: certain ink scores high, and a wrong letter costs what it costs."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from penpal_fast.reading import scores
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.scores import reading_doubt, text_doubt

CONFIG = ReaderConfig(letters="abc", match_half=1.5, readability_half=0.25)


def said(codes: list[int], certainty: float) -> np.ndarray:
    """Log-probabilities in which each frame's best output has so many logits more than the others."""
    logits = np.zeros((len(codes), 4))
    logits[np.arange(len(codes)), codes] = certainty
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def match(log_probabilities: np.ndarray, codes: list[int], config: ReaderConfig) -> float:
    return float(scores.match(np.array([text_doubt(log_probabilities, codes, config)]), config)[0])


def readability(log_probabilities: np.ndarray, config: ReaderConfig) -> float:
    return float(scores.readability(np.array([reading_doubt(log_probabilities)]), config)[0])


def test_certain_ink_scores_1() -> None:
    certain = said([1, 0, 2, 0, 3], 20)
    assert match(certain, [1, 2, 3], CONFIG) > 0.999
    assert readability(certain, CONFIG) > 0.999


def test_scores_fall_with_doubt_and_are_half_where_the_config_says() -> None:
    doubtful = [said([1, 0, 2, 0, 3], certainty) for certainty in (8, 4, 2, 1, 0)]
    matches = [match(one, [1, 2, 3], CONFIG) for one in doubtful]
    readabilities = [readability(one, CONFIG) for one in doubtful]
    assert matches == sorted(matches, reverse=True)
    assert readabilities == sorted(readabilities, reverse=True)
    at_half = dataclasses.replace(
        CONFIG,
        match_half=text_doubt(doubtful[2], [1, 2, 3], CONFIG),
        readability_half=reading_doubt(doubtful[2]),
    )
    assert match(doubtful[2], [1, 2, 3], at_half) == pytest.approx(0.5)
    assert readability(doubtful[2], at_half) == pytest.approx(0.5)


@pytest.mark.parametrize("wrong", [[1, 2], [1, 1, 3], [1, 2, 3, 3], [2]])
def test_a_wrong_text_matches_less_and_reads_as_well(wrong: list[int]) -> None:
    sure = said([1, 0, 2, 0, 3, 0, 0], 6)
    assert match(sure, wrong, CONFIG) < 0.1 < 0.9 < match(sure, [1, 2, 3], CONFIG)


def test_a_text_of_too_many_letters_matches_not_at_all() -> None:
    assert math.isinf(text_doubt(said([1, 0], 5), [1, 2, 3], CONFIG))
    assert match(said([1, 0], 5), [1, 2, 3], CONFIG) == 0


def test_ink_without_letters_can_be_scored() -> None:
    assert 0 <= readability(said([0, 0], 3), CONFIG) <= 1
    assert 0 <= match(said([0, 0], 3), [1], CONFIG) < 0.1
