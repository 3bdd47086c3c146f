"""Which parts of a row lower its score."""

from __future__ import annotations

import re

import mlx.core as mx
import numpy as np
import pytest

import penpal_fast
from helpers.made_lines import scrawl
from helpers.models import random_reader
from helpers.scored_lines import HOSTILE
from penpal_fast import Letter, PenpalError, QualityCheck, Reader, Scorer, Span, explain, reference
from penpal_fast.look.drawing import MARK
from penpal_fast.look.effects import Rescoring, explaining
from penpal_fast.look.explanation import FULL_EFFECT, MAX_PARTS, Explanation, explained
from penpal_fast.look.row_reading import MAX_TEXT

ROW = scrawl(3, 6, 20)
WORDS = [ROW[:2], ROW[2:3], ROW[3:]]

MARKED_INK = re.compile(f'<path d="([^"]*)" stroke="{MARK}"')


def log_odds(scores):
    return np.log(scores / (1 - np.float64(scores)))


def in_place(strokes):
    """Log-odds of strokes on the canvas of the whole row, by the network in MLX."""
    rows = [[stroke if chosen else [] for stroke, chosen in zip(ROW, some, strict=True)] for some in strokes]
    pictures = [reference_on_canvas_of(ROW, row) for row in rows]
    return np.array(penpal_fast.QualityClassifier.from_pretrained()(mx.array(np.stack(pictures))))


def reference_on_canvas_of(whole, drawn):
    """Draw some strokes of a row where the pure-Python renderer draws them in the picture of the whole."""
    kept = [points for points, stroke in zip(reference.fit(whole), drawn, strict=True) if len(stroke)]
    return np.float32(reference.draw(kept))[..., None]


def test_the_effect_of_a_word_is_what_it_adds_in_place_and_what_it_is_alone():
    explanation = explain(WORDS)
    assert explanation.level == "word"
    assert explanation.score == pytest.approx(penpal_fast.score([ROW])[0], abs=1e-6)
    without = in_place([[0, 0, 1, 1, 1, 1], [1, 1, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    alone = log_odds(np.float64(penpal_fast.score(WORDS)))
    assert np.allclose(explanation.effects, (log_odds(explanation.score) - without + alone) / 2, atol=2e-3)
    assert explanation.parts.tolist() == [0, 0, 1, 2, 2, 2]
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(explanation.strokes, ROW, strict=True))


@pytest.mark.parametrize("row", [ROW, [ROW]], ids=["strokes", "one word"])
def test_one_word_is_explained_by_its_strokes(row):
    explanation = explain(row)
    without = in_place(~np.eye(len(ROW), dtype=bool))
    assert explanation.level == "stroke"
    assert explanation.parts.tolist() == list(range(len(ROW)))
    assert np.allclose(explanation.effects, log_odds(explanation.score) - without, atol=2e-3)


def test_other_scores_are_those_of_what_is_left():
    def score(rows):
        return np.float32([0.1 * len(row) for row in rows])

    explanation = explained([ROW[:2], ROW[2:3], ROW[3:]], Rescoring(score))
    assert explanation.score == pytest.approx(0.6)
    without, alone = log_odds(np.float64([0.4, 0.5, 0.3])), log_odds(np.float64([0.2, 0.1, 0.3]))
    assert np.allclose(explanation.effects, (log_odds(0.6) - without + alone) / 2, atol=1e-5)
    assert explanation.usual == (0, 0)


def test_only_what_reads_the_strokes_alone_is_explained():
    check = QualityCheck(column="ink")
    assert explaining(check, "ink") is check
    assert explaining(check, "strokes") is None


def test_a_single_stroke_has_no_effect():
    explanation = explain(ROW[:1])
    assert np.isnan(explanation.effects).tolist() == [True]
    assert explanation.pulls().tolist() == [0]


def test_many_strokes_are_left_out_in_groups():
    row = [[(float(number), float(number % 7))] for number in range(5 * MAX_PARTS)]
    explanation = explain(row)
    assert len(explanation.effects) == MAX_PARTS
    assert np.bincount(explanation.parts).tolist() == [5] * MAX_PARTS
    assert np.all(np.diff(explanation.parts) >= 0)


def test_the_scorer_can_be_chosen(tmp_path):
    penpal_fast.QualityClassifier().save_pretrained(tmp_path)
    scorer = Scorer(tmp_path)
    assert explain(WORDS, scorer=scorer).score == pytest.approx(scorer.score([ROW])[0], abs=1e-6)


@pytest.mark.parametrize(
    ("effects", "pulls"),
    [
        ([-1 - FULL_EFFECT, 0.5 + FULL_EFFECT / 2, 0], [-1, 0.5, 0]),
        ([-1, 0.5, 0.2], [0, 0, 0]),
        ([-99, 99, -1 - FULL_EFFECT / 4], [-1, 1, -0.25]),
    ],
)
def test_only_what_is_beyond_the_usual_is_coloured(effects, pulls):
    parts = np.array([0, 0, 1, 1, 2, 2])
    explanation = Explanation(0.5, explain(ROW).strokes, "word", parts, np.float32(effects), (-1.0, 0.5))
    assert np.allclose(explanation.pulls(), np.repeat(pulls, 2))
    page = explanation._repr_html_()
    assert page.count("<path") == 6
    assert page.count('stroke="#c8371c"') == 2 * pulls.count(-1)


def test_a_short_line_says_what_was_found():
    parts, effects = np.array([0, 0, 1, 1, 2, 2]), np.float32([-3, 1, 0])
    explanation = Explanation(0.25, explain(ROW).strokes, "word", parts, effects, (-0.5, 0.5))
    assert repr(explanation) == "<Explanation: score 0.25, 3 words, lowered by word 0 by -3.00 log-odds>"
    assert repr(explain(ROW[:1])).endswith(", 1 stroke>")


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
        ("a" * (MAX_TEXT + 1), "too long text: at most 1,000 characters, got 1,001"),
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
        row.score, row.strokes, row.level, row.parts, row.effects, row.usual, HOSTILE, HOSTILE, 0.5, letters
    )._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    in_text = sum(position % 3 == 1 for position in range(len(HOSTILE)))
    assert page.count("<mark") == 1 + in_text
