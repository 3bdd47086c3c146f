"""CTC against every way of saying a text, one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from penpal_fast.reading.ctc import align, best_path, best_path_loss, text_loss

OUTPUTS = 4
FRAMES = 5


def collapsed(way: tuple[int, ...]) -> tuple[int, ...]:
    """The letters that a way says."""
    return tuple(code for code, _ in itertools.groupby(way) if code)


def drawn(seed: int, frames: int = FRAMES) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 2, (frames, OUTPUTS))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def ways(log_probabilities: np.ndarray) -> dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]]:
    """All ways by what they say, each with its score."""
    said: dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]] = {}
    for way in itertools.product(range(OUTPUTS), repeat=len(log_probabilities)):
        score = float(sum(log_probabilities[frame, code] for frame, code in enumerate(way)))
        said.setdefault(collapsed(way), []).append((score, way))
    return said


@pytest.mark.parametrize("seed", range(3))
def test_loss_is_the_sum_over_all_ways(seed: int) -> None:
    log_probabilities = drawn(seed)
    for text, found in ways(log_probabilities).items():
        expected = -math.log(sum(math.exp(score) for score, _ in found))
        assert text_loss(log_probabilities, text) == pytest.approx(expected, abs=1e-9)


def test_probabilities_of_all_texts_sum_to_one() -> None:
    log_probabilities = drawn(7)
    texts = ways(log_probabilities)
    assert sum(math.exp(-text_loss(log_probabilities, text)) for text in texts) == pytest.approx(1)


def test_a_text_that_needs_more_frames_is_impossible() -> None:
    assert text_loss(drawn(0, frames=2), (1, 1)) == math.inf
    assert text_loss(drawn(0, frames=3), (1, 1)) < math.inf
    assert align(drawn(0, frames=2), (1, 1)) == []


@pytest.mark.parametrize("seed", range(3))
def test_best_path_is_the_likeliest_way(seed: int) -> None:
    log_probabilities = drawn(seed)
    score, way = max(one for found in ways(log_probabilities).values() for one in found)
    assert best_path(log_probabilities) == list(collapsed(way))
    assert best_path_loss(log_probabilities) == pytest.approx(-score)


@pytest.mark.parametrize("seed", range(5))
def test_alignment_is_that_of_the_likeliest_way(seed: int) -> None:
    log_probabilities = drawn(seed)
    for text, found in ways(log_probabilities).items():
        score, way = max(found)
        letters = align(log_probabilities, text)
        assert len(letters) == len(text)
        if not text:
            continue
        assert (letters[0].start, letters[-1].end) == (0, FRAMES)
        assert all(before.end == after.start for before, after in itertools.pairwise(letters))
        for letter, code in zip(letters, text, strict=True):
            assert code in way[letter.start : letter.end]
        lost = -score - best_path_loss(log_probabilities)
        assert sum(letter.deficit for letter in letters) == pytest.approx(lost, abs=1e-9)


def test_the_letter_that_does_not_fit_has_the_deficit() -> None:
    logits = np.full((6, OUTPUTS), -8.0)
    logits[np.arange(6), [1, 0, 2, 0, 3, 0]] = 0
    log_probabilities = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    deficits = [letter.deficit for letter in align(log_probabilities, (1, 3, 3))]
    assert deficits[1] == pytest.approx(8)
    assert deficits[0] == deficits[2] == 0
