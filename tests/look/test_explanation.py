"""Which parts of a row lower its score."""

from __future__ import annotations

import re

import numpy as np
import pytest

import penpal_fast
from helpers.made_lines import scrawl
from helpers.models import random_reader
from helpers.scored_lines import HOSTILE
from penpal_fast import Letter, PenpalError, Reader, Scorer, Span, explain
from penpal_fast.look.drawing import MARK
from penpal_fast.look.explanation import MOST_PARTS, WEAK_EFFECT, Explanation
from penpal_fast.look.row_reading import MOST_TEXT

ROW = scrawl(3, 6, 20)
WORDS = [ROW[:2], ROW[2:3], ROW[3:]]

MARKED_INK = re.compile(f'<path d="([^"]*)" stroke="{MARK}"')


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


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return Reader(random_reader(tmp_path_factory.mktemp("reader")), backend="native")


def test_without_a_text_nothing_is_read():
    explanation = explain(WORDS)
    assert (explanation.text, explanation.reading, explanation.match, explanation.letters) == (None, None, None, ())
    page = explanation._repr_html_()
    assert "match" not in page
    assert MARK not in page


def test_a_text_that_the_ink_says(reader):
    said = reader.read([WORDS])[0]
    explanation = explain(WORDS, text=said, reader=reader)
    assert (explanation.text, explanation.reading) == (said, said)
    assert explanation.match == pytest.approx(reader.match([WORDS], [said])[0])
    assert explanation.letters == tuple(reader.align(WORDS, said))
    assert np.array_equal(explanation.effects, explain(WORDS).effects)
    page = explanation._repr_html_()
    assert f"match <b>{explanation.match:.2f}</b>: every letter fits the ink" in page
    assert MARK not in page


def test_letters_that_do_not_fit_are_marked_in_text_and_ink(reader):
    said = reader.read([WORDS])[0]
    wrong = said[:-1] + ("x" if said[-1] != "x" else "y")
    explanation = explain(WORDS, text=wrong, reader=reader)
    missing = [letter for letter in explanation.letters if not letter.fits]
    assert missing[-1].letter == wrong[-1]
    assert explanation.match < explain(WORDS, text=said, reader=reader).match
    page = explanation._repr_html_()
    _, *marked = re.findall("<mark[^>]*>([^<]*)</mark>", page)
    assert "".join(marked) == "".join(letter.letter for letter in missing)
    assert page.count(f'stroke="{MARK}"') == sum(len(letter.spans) for letter in missing) > 0
    assert said in page


def test_the_ink_is_too_short_for_a_long_text(reader):
    explanation = explain(WORDS, text="ab" * 500, reader=reader)
    assert (explanation.match, explanation.letters) == (0, ())
    page = explanation._repr_html_()
    marked = re.findall("<mark[^>]*>([^<]*)</mark>", page)
    assert marked == ["the ink is too short for the text", "ab" * 500]
    strokes, marks = re.findall(r'<path d="([^"]*)" stroke="#(?!e0442a66)', page), MARKED_INK.findall(page)
    assert marks == strokes
    assert len(marks) == len(ROW)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty text"),
        ("a" * (MOST_TEXT + 1), "too long text: at most 1,000 characters, got 1,001"),
        ("\u4e2d\u6587", "Chinese, Japanese or Korean"),
        ("\u05e9\u05dc\u05d5\u05dd", "from right to left"),
        (HOSTILE, "unreadable text"),
        (b"text", "text must be a string or None, got bytes"),
    ],
)
def test_a_text_that_cannot_be_compared(reader, text, message):
    with pytest.raises(PenpalError, match=message):
        explain(WORDS, text=text, reader=reader)


def test_a_row_that_is_too_long_to_read(reader):
    long = [[(x / 4000, float(x % 2)) for x in range(8000)]]
    with pytest.raises(PenpalError, match="too long to read"):
        explain(long, text="abc", reader=reader)
    assert explain(long).letters == ()


def test_texts_and_readings_are_not_markup():
    row = explain(ROW)
    letters = tuple(
        Letter(letter, position, 0.0, (Span(0, 1.0, 2.5),)) for position, letter in enumerate(HOSTILE) if position % 3
    )
    page = Explanation(
        row.score, row.strokes, row.level, row.parts, row.effects, HOSTILE, HOSTILE, 0.5, letters
    )._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    in_text = sum(position % 3 == 1 for position in range(len(HOSTILE)))
    assert page.count("<mark") == 1 + in_text
