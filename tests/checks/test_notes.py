"""Rows with points far from the rest: a note says where these are, and the score does not rise by them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from penpal_fast import ArrowScorer, Scorer, explain, score
from penpal_fast.checks.quality import HIDDEN_QUALITY

OUTLIERS = {
    "a lone first point": lambda strokes, away: [[tuple(strokes[0][0] + away)], *strokes],
    "a spike": lambda strokes, away: [np.insert(strokes[0], 2, strokes[0][2] + away, axis=0), *strokes[1:]],
    "a far last stroke": lambda strokes, away: [*strokes, strokes[-1][:3] + away],
    "a line to it": lambda strokes, away: [np.insert(strokes[0], 0, strokes[0][0] + away, axis=0), *strokes[1:]],
    "a jump": lambda strokes, away: [*strokes[:4], np.concatenate([strokes[4], strokes[5] + away]), *strokes[6:]],
    "a part far away": lambda strokes, away: [*strokes[:9], *(stroke + away for stroke in strokes[9:])],
}


@pytest.fixture(scope="module")
def lines(example_file):
    """Example lines with at least 12 strokes, and their heights."""
    rows = pq.read_table(example_file)["strokes"].to_pylist()
    strokes = [[np.array([(at["x"], at["y"]) for at in one["points"]]) for word in row for one in word] for row in rows]
    return [(row, float(np.ptp(np.concatenate(row)[:, 1]))) for row in strokes if len(row) >= 12][:40]


def noted(rows):
    """Scores and notes of rows."""
    strokes = column([[np.asarray(stroke).tolist() for stroke in row] for row in rows])
    table = ArrowScorer(threads=2)(pa.table({"strokes": strokes}))
    return np.array(table["quality"].to_pylist()), table["quality_note"].to_pylist()


@pytest.mark.parametrize("name", OUTLIERS)
@pytest.mark.parametrize("direction", [(0, -1), (0, 1), (0.7, 0.7), (-0.6, 0.8), (-0.8, -0.6)])
@pytest.mark.parametrize("heights", [60, 1000, 1e5])
def test_what_is_far_is_noted_and_raises_no_score(lines, name, direction, heights):
    rows = [OUTLIERS[name](row, np.array(direction) * heights * height) for row, height in lines]
    scores, notes = noted(rows)
    assert all(note is not None and note.startswith("far points: ") for note in notes)
    assert (scores <= np.float32(HIDDEN_QUALITY)).all()


def test_lines_are_not_noted(lines):
    _, notes = noted([row for row, _ in lines])
    assert notes == [None] * len(lines)


@pytest.mark.parametrize("backend", ["native", "mlx"])
def test_all_ways_to_score_agree(lines, backend):
    row, height = lines[0]
    far = OUTLIERS["a spike"](row, np.array([0, -200 * height]))
    good = Scorer(backend=backend).score([row, far, None, [[(0.0, 0.0)]]], errors="null")
    assert good[1] <= np.float32(HIDDEN_QUALITY) < good[0]
    assert np.isnan(good[2])
    assert score([far])[0] == pytest.approx(good[1], abs=1e-4)
    explanation = explain(far)
    assert explanation.score == pytest.approx(good[1], abs=1e-4)
    assert explanation.note.startswith("far points: 1 of ")
    assert explanation.note in repr(explanation)
    assert explanation.note in explanation._repr_html_()
    assert explain(row).note is None


def test_a_line_with_a_dot_high_above_it_is_noted_and_scored_as_it_is(lines):
    row, height = lines[0]
    top = np.concatenate(row).min(axis=0)
    scores, notes = noted([row, [*row, top[None] - [0, 3 * height]]])
    assert notes[1].startswith("far points: 1 of ")
    assert "times as high as without" in notes[1]
    assert explain([*row, top[None] - [0, 3 * height]]).score == pytest.approx(scores[1], abs=1e-4)


def test_of_few_points_a_far_one_counts_as_well():
    """Such as a dot beside a dash: nobody can say which of them is the writing."""
    row = [[(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)], [(90.0, 0.0)]]
    scores, notes = noted([row])
    assert notes[0].startswith("far points: 1 of 4 points is far to the right of the rest")
    assert scores[0] == pytest.approx(explain(row).score, abs=1e-6)
