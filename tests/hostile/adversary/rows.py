"""Hostile rows among good ones: the same scores on any number of threads, in both engines, and as if alone."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import numpy as np

from helpers.forms import BAD
from hostile.adversary.material import GOOD, any_row, good_scores, scorer
from penpal_fast import PenpalError, Scorer, render_into, render_strokes

THREADS = (2, 3, 5, 8, 16)

LINE_WIDTHS = (0.01, 0.5, 1.0, 1.5, 2.0, 7.25, 40.0, 256.0)

TOLERANCE = 1e-4
"""MLX adds the products in another order."""


def trial(chance: random.Random, _folder: Path) -> None:
    """Score and draw some rows in every way."""
    rows = [_row(chance) for _ in range(chance.choice((3, 9, 30)))]
    alone = np.array([scorer().score([row], errors="null")[0] for row in rows])
    problems = scorer().outcome(rows).problems
    assert (np.isnan(alone) == [row in problems for row in range(len(rows))]).all()
    assert all(0 <= score <= 1 for score in alone[~np.isnan(alone)])
    # By identity: what compares itself is among the rows, such as arrays.
    expected = {id(good): score for good, score in zip(GOOD, good_scores(), strict=True)}
    for row, given in enumerate(rows):
        if id(given) in expected:
            assert alone[row] == expected[id(given)]
    for threads in chance.sample(THREADS, 2):
        again = _native(threads).score(rows, errors="null")
        assert np.array_equal(again, alone, equal_nan=True), (threads, again, alone)
    other = _mlx().score(rows, errors="null")
    assert np.allclose(other, alone, rtol=0, atol=TOLERANCE, equal_nan=True), (other, alone)
    _draw(chance, rows, problems)


def _row(chance: random.Random) -> object:
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(GOOD)
    if kind < 0.5:
        return chance.choice(list(BAD.values()))[0]
    row = any_row(chance)
    if kind < 0.6:
        return [[stroke] for stroke in row]
    return row * 40 if kind < 0.65 else row


def _draw(chance: random.Random, rows: list[object], problems: dict[int, str]) -> None:
    width = chance.choice(LINE_WIDTHS)
    good = [row for number, row in enumerate(rows) if number not in problems]
    if not good:
        return
    pictures = np.full((len(good), 256, 256, 1), np.nan, np.float32)
    render_into(good, pictures, line_width=width, threads=chance.choice(THREADS))
    for row, picture in zip(good, pictures, strict=True):
        assert np.array_equal(render_strokes(row, line_width=width), picture)
        assert 0 <= picture.min() <= picture.max() <= 1
    bad = next(iter(problems), None)
    if bad is not None:
        try:
            render_strokes(rows[bad], line_width=width)
        except PenpalError:
            return
        raise AssertionError(f"row {bad} can be drawn, but has no score: {problems[bad]}")


@functools.cache
def _native(threads: int) -> Scorer:
    return Scorer(backend="native", threads=threads)


@functools.cache
def _mlx() -> Scorer:
    return Scorer(backend="mlx", threads=1)
