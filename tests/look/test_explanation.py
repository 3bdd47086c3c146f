"""Which parts of a row lower its score."""

from __future__ import annotations

import numpy as np
import pytest

import penpal_fast
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, Scorer, explain
from penpal_fast.look.explanation import MOST_PARTS, WEAK_EFFECT, Explanation

ROW = scrawl(3, 6, 20)
WORDS = [ROW[:2], ROW[2:3], ROW[3:]]


def test_an_effect_is_the_score_minus_the_score_without_the_word():
    explanation = explain(WORDS)
    without = penpal_fast.score([ROW[2:], ROW[:2] + ROW[3:], ROW[:3]])
    assert explanation.level == "word"
    assert explanation.score == pytest.approx(penpal_fast.score([ROW])[0], abs=1e-6)
    assert np.allclose(explanation.effects, explanation.score - without, atol=1e-6)
    assert explanation.parts.tolist() == [0, 0, 1, 2, 2, 2]
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(explanation.strokes, ROW, strict=True))


@pytest.mark.parametrize("row", [ROW, [ROW]], ids=["strokes", "one word"])
def test_one_word_is_explained_by_its_strokes(row):
    explanation = explain(row)
    without = penpal_fast.score([ROW[:stroke] + ROW[stroke + 1 :] for stroke in range(len(ROW))])
    assert explanation.level == "stroke"
    assert explanation.parts.tolist() == list(range(len(ROW)))
    assert np.allclose(explanation.effects, explanation.score - without, atol=1e-6)


def test_a_single_stroke_has_no_effect():
    explanation = explain(ROW[:1])
    assert np.isnan(explanation.effects).tolist() == [True]
    assert explanation.pulls().tolist() == [0]


def test_many_strokes_are_left_out_in_groups():
    row = [[(float(number), float(number % 7))] for number in range(5 * MOST_PARTS)]
    explanation = explain(row)
    assert len(explanation.effects) == MOST_PARTS
    assert np.bincount(explanation.parts).tolist() == [5] * MOST_PARTS
    assert np.all(np.diff(explanation.parts) >= 0)


def test_the_scorer_can_be_chosen(tmp_path):
    penpal_fast.QualityClassifier().save_pretrained(tmp_path)
    scorer = Scorer(tmp_path)
    assert explain(WORDS, scorer=scorer).score == pytest.approx(scorer.score([ROW])[0], abs=1e-6)


@pytest.mark.parametrize(("effects", "pulls"), [([-0.8, 0.4, 0], [-1, 0.5, 0]), ([WEAK_EFFECT / 4] * 3, [0.25] * 3)])
def test_the_strongest_part_has_the_full_colour_unless_it_is_weak(effects, pulls):
    explanation = Explanation(0.5, explain(ROW).strokes, "word", np.array([0, 0, 1, 1, 2, 2]), np.float32(effects))
    assert np.allclose(explanation.pulls(), np.repeat(pulls, 2))
    page = explanation._repr_html_()
    assert page.count("<path") == 6
    assert page.count('stroke="#c8371c"') == 2 * pulls.count(-1)


def test_a_row_that_cannot_be_drawn():
    with pytest.raises(PenpalError, match="no points"):
        explain([])


def test_large_rows_are_split_into_fewer_parts():
    strokes = [[(x, 0.0), (x, 1.0)] for x in range(20_000)]
    assert len(explain(strokes).effects) == 20
    points = [[(x, stroke) for x in range(200_000)] for stroke in range(5)]
    assert len(explain(points).effects) == 4
