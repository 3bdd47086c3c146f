"""Two scores in a report: their map, and rows that look right but say something else."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from markupsafe import escape

from helpers.commands import run
from helpers.made_lines import scrawl
from helpers.models import random_reader
from helpers.scored_lines import HOSTILE, matched_table, scored_table
from helpers.told_reader import ToldReader
from penpal_fast import ArrowScorer, PenpalError, QualityCheck, Reader
from penpal_fast.checks.columns import ScoreColumn, checked_schema
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.look.report.comparison import LONGEST_TEXT, compared
from penpal_fast.look.report.joint import CELL, FEW_CELLS, MAP_STEPS, JointDistribution, density
from penpal_fast.look.report.pair import MAX_WRONG, SPREAD, keeps_clean, paired, start_of
from penpal_fast.look.report.writing import write_report
from penpal_fast.look.row_reading import MAX_TEXT
from penpal_fast.strokes import words_of

NAN = float("nan")
SCORE = st.floats(0, 1, width=32) | st.just(NAN)
BOTH = arrays.arrays(np.float32, st.tuples(st.just(2), st.integers(0, 60)), elements=SCORE)


@given(BOTH, st.integers(0, MAP_STEPS), st.integers(0, MAP_STEPS))
def test_the_counts_of_both_are_those_of_the_rows(scores, x_step, y_step):
    x, y = scores
    joint = JointDistribution()
    joint.add(x[:20], y[:20])
    joint.add(x[20:], y[20:])
    expected = np.count_nonzero((x >= np.float32(x_step / MAP_STEPS)) & (y >= np.float32(y_step / MAP_STEPS)))
    assert joint.counts()[x_step:, y_step:].sum() == expected
    assert joint.counts().sum() + joint.lacking == len(x)
    cells = dict(np.reshape(joint.cells(), (-1, 2)).tolist())
    assert cells == {cell: rows for cell, rows in enumerate(joint.counts().ravel().tolist()) if rows}


def opacity(counts):
    return np.asarray(density(counts).getchannel("A")).astype(int)


def test_the_density_is_where_the_rows_are():
    counts = np.zeros((MAP_STEPS + 1, MAP_STEPS + 1), np.int64)
    counts[80, 10], counts[MAP_STEPS, MAP_STEPS] = 1, 1000
    shades = opacity(counts)
    inside = CELL // 2
    low = shades[(MAP_STEPS - 1 - 10) * CELL + inside, 80 * CELL + inside]
    assert 0 < low < shades[inside, -inside - 1] == 255
    assert shades[:, : 78 * CELL].max() == 0


def test_a_full_map_has_the_colour_of_each_cell_alone():
    random = np.random.default_rng(1)
    counts = random.integers(0, 50, (MAP_STEPS + 1, MAP_STEPS + 1))
    counts[MAP_STEPS], counts[:, MAP_STEPS] = 0, 0
    assert np.count_nonzero(counts) > FEW_CELLS
    shades = opacity(counts)[::-1].T.reshape(MAP_STEPS, CELL, MAP_STEPS, CELL)
    ranks = counts[:MAP_STEPS, :MAP_STEPS]
    assert np.array_equal(shades.min(axis=(1, 3)), shades.max(axis=(1, 3)))
    assert np.array_equal(shades[:, 0, :, 0] == 0, ranks == 0)
    order = np.argsort(ranks, axis=None)
    assert (np.diff(shades[:, 0, :, 0].ravel()[order]) >= 0).all()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["quality"], None),
        (["text_match"], None),
        (["quality", "points"], ("quality", "points")),
        (["points", "quality", "other"], ("points", "quality")),
        (["quality", "points", "text_match"], ("quality", "text_match")),
        (["text_match", "quality"], ("quality", "text_match")),
    ],
)
def test_which_two_scores_are_compared(names, expected):
    chosen = paired([ScoreColumn(name, "", {}) for name in names])
    assert (chosen and tuple(column.name for column in chosen)) == expected


def test_a_map_begins_where_clean_lines_are_kept():
    assert start_of(ScoreColumn("quality", "", THRESHOLDS)) == 0.3
    assert start_of(ScoreColumn("text_match", "", THRESHOLDS)) == 0.5
    assert start_of(ScoreColumn("quality", "", {"low": 0.7})) == 0.7
    assert [keeps_clean(ScoreColumn(name, "", THRESHOLDS)) for name in ("quality", "text_match", "points")] == [
        True,
        True,
        False,
    ]
    assert start_of(ScoreColumn("points", "", {"low": 0.4, "high": 0.7})) == 0.4
    assert start_of(ScoreColumn("points", "", {})) == 0.5


def page_of(tmp_path, *tables, reading="a line", checks=None, **settings):
    paths = []
    for index, table in enumerate(tables):
        paths.append(tmp_path / f"scored {index}.parquet")
        pq.write_table(table, paths[-1])
    checks = [QualityCheck(), TextCheck(reader=ToldReader(reading))] if checks is None else checks
    write_report(paths, tmp_path / "report.html", checks=checks, **settings)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def pairs_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))["pairs"]


def wrong_cards(page):
    """The cards of the rows that look right and say something else."""
    section = re.search(r'<section aria-labelledby="wrong-0">.*?</section>', page, re.DOTALL).group()
    return re.findall(r"<figure.*?</figure>", section, re.DOTALL)


def numbers(cards):
    return [int(re.search(r"row ([\d,]+)</span>", card).group(1).replace(",", "")) for card in cards]


def test_a_page_maps_both_scores(tmp_path):
    one = matched_table([0.1, 0.9, 0.9, NAN, 0.9], [0.9, 0.1, 0.9, 0.9, None], ["a line"] * 4 + [None])
    other = matched_table([0.5], [0.25], ["a line"])
    (pair,) = pairs_of(page_of(tmp_path, one, other))
    assert pair["x"] == {"score": "quality", "start": 0.3}
    assert pair["y"] == {"score": "text_match", "start": 0.5}
    side = MAP_STEPS + 1
    step = {0.1: 10, 0.9: 90}
    expected = [[step[x] * side + step[y], 1] for x, y in [(0.1, 0.9), (0.9, 0.1), (0.9, 0.9)]]
    assert np.reshape(pair["files"][0]["cells"], (-1, 2)).tolist() == expected
    assert pair["files"][1]["cells"] == [50 * side + 25, 1]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 rows lack one of the scores, and are not on the map." in page


def test_rows_that_look_right_and_say_something_else_are_shown(tmp_path):
    quality = [0.9, 0.3, 0.8, 0.1, 0.9, NAN]
    match = [0.2, 0.1, 0.9, 0.1, 0.01, 0.1]
    page = page_of(tmp_path, matched_table(quality, match, ["a fine"] * 6))
    cards = wrong_cards(page)
    assert numbers(cards) == [4, 0, 1]
    for card in cards:
        assert '<span class="quiet">text</span><span>a <mark>f</mark>ine</span>' in card
        assert '<span class="quiet">reads</span><span>a line</span>' in card
    assert "quality <b>0.900</b>" in cards[0]
    assert "text_match <b>0.010</b>" in cards[0]


def test_the_ink_of_letters_that_do_not_fit_is_marked(tmp_path):
    table = matched_table([0.9, 0.8], [0.1, 0.2], ["xab", "a line"])
    odd, even = wrong_cards(page_of(tmp_path, table, reading="ab"))
    assert numbers([odd, even]) == [0, 1]
    marks = re.findall(r'<path class="misfit" d="(.*?)"/>', odd)
    strokes = re.findall(r'<path d="(.*?)"/>', odd)
    assert len(marks) == 1
    assert marks[0].count("M") == 1
    # The letter x is the first third of two strokes: the mark begins where the first one does, and is shorter.
    assert strokes[0].split("l")[0] == marks[0].split("l")[0]
    assert len(marks[0]) < len(strokes[0])


def test_a_reading_of_the_file_is_shown_before_one_of_the_reader(tmp_path):
    table = matched_table([0.9, 0.8], [0.1, 0.1], ["a fine", "a fine"], reading=["from the file", None])
    first, second = wrong_cards(page_of(tmp_path, table))
    assert "<span>from the file</span>" in first
    assert "<span>a line</span>" in second


def test_the_texts_are_those_that_the_match_was_made_with(tmp_path):
    table = matched_table([0.9], [0.1], ["a fine"], text="transcript").append_column("text", [["not this"]])
    page = page_of(tmp_path, table)
    (card,) = wrong_cards(page)
    assert "a <mark>f</mark>ine" in card
    assert "not this" not in page
    with pytest.raises(PenpalError, match="its text_match compares the column 'transcript', not 'text'"):
        page_of(tmp_path, table, text="text")
    with pytest.raises(PenpalError, match=r"scored 0\.parquet: no column 'speech'; .*\n.*'transcript', '"):
        page_of(tmp_path, table, text="speech")


def test_a_text_column_that_is_there_twice_is_said_to_be(tmp_path):
    table = matched_table([0.9], [0.1], ["a fine"])
    twice = pa.table([*table.columns, table["text"]], [*table.schema.names, "text"])
    with pytest.raises(PenpalError, match="more than one column 'text'"):
        page_of(tmp_path, twice.replace_schema_metadata(table.schema.metadata), text="text")


def test_rows_without_both_scores_have_no_map(tmp_path):
    page = page_of(tmp_path, matched_table([0.9, None], [None, None], [None, None]))
    assert "No row has both scores." in page
    assert 'class="plot"' not in page
    assert "No row has a score." in page  # Of the text match.


def test_sections_of_several_checks_have_different_names(tmp_path):
    page = page_of(tmp_path, matched_table([0.9, 0.8], [0.1, 0.9], ["one", "two"]))
    names = re.findall(r'<section aria-labelledby="([^"]*)"', page)
    ids = dict(re.findall(r'<h2[^>]* id="([^"]*)"[^>]*>(.*?)</h2>', page))
    named = [" ".join(ids[one] for one in name.split()) for name in names]
    assert len(named) == len(set(named)) > 8


def test_other_texts_are_not_shown_beside_a_match(tmp_path):
    """The column that was compared is gone, and `text` has something else."""
    table = matched_table([0.9, 0.8], [0.1, 0.9], ["one", "two"], text="prompt")
    kept = table.drop_columns(["prompt"]).append_column("text", pa.array(["three", "four"]))
    page = page_of(tmp_path, kept)
    assert len(pairs_of(page)) == 1
    assert "three" not in page
    assert "Looks right" not in page


def test_a_table_without_texts_has_a_map_and_no_comparison(tmp_path):
    page = page_of(tmp_path, matched_table([0.9], [0.1], ["a fine"]).drop_columns("text"))
    assert len(pairs_of(page)) == 1
    assert "Looks right" not in page
    assert "do not fit the ink" not in page


def test_any_two_scores_have_a_map(tmp_path):
    class Toy(QualityCheck):
        name = "toy"

    table = scored_table([0.2, 0.4, 0.6])
    table = table.append_column("toy", pa.array([0.9, 0.5, None], pa.float32())).append_column(
        "toy_error", [[None] * 3]
    )
    for note in ("quality_note", "toy_note"):
        table = table.append_column(note, pa.nulls(3, pa.string()))
    schema = checked_schema(table.schema, [QualityCheck(), Toy()])
    page = page_of(tmp_path, table.select(schema.names).cast(schema), checks=[QualityCheck()])
    (pair,) = pairs_of(page)
    assert (pair["x"]["score"], pair["y"]["score"]) == ("quality", "toy")
    assert "only by toy" in page
    assert "Looks right" not in page
    assert "do not fit the ink" not in page


def test_one_score_has_no_map(tmp_path):
    page = page_of(tmp_path, scored_table([0.2, 0.8], text=["a fine"] * 2))
    assert pairs_of(page) == []
    assert "data-pair" not in page
    assert "quadrants" not in page
    assert 'class="misfit"' not in page


def test_the_lowest_text_matches_are_compared_with_their_texts(tmp_path):
    table = matched_table([0.9], [0.1], ["a fine"]).drop_columns(["quality", "quality_error"])
    page = page_of(tmp_path, table)
    assert pairs_of(page) == []
    lowest = re.search(r"<h3>Lowest scores</h3>.*?</figure>", page, re.DOTALL).group()
    assert "a <mark>f</mark>ine" in lowest
    assert 'class="misfit"' in lowest


def test_hostile_texts_and_readings_stay_text(tmp_path):
    table = matched_table([0.9, 0.1], [0.1, 0.9], [HOSTILE, HOSTILE], reading=[HOSTILE, "x"])
    page = page_of(tmp_path, table, reading=HOSTILE.upper())
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<SCRIPT>ALERT" not in page
    assert "<img src=x" not in page


def test_a_row_that_cannot_be_drawn_is_listed(tmp_path):
    table = matched_table([0.9, 0.8], [0.1, 0.1], ["a fine"] * 2)
    strokes = pa.array([None, *table["strokes"].to_pylist()[1:]], table["strokes"].type)
    bad, good = wrong_cards(page_of(tmp_path, table.set_column(0, "strokes", strokes)))
    assert '<p class="reason quiet">null: ' in bad
    assert "<svg" in good


def test_the_rows_of_a_large_file_are_few(tmp_path):
    random = np.random.default_rng(5)
    quality, match = random.uniform(0.3, 1, 3000), random.uniform(0, 0.45, 3000)
    page = page_of(tmp_path, matched_table(quality, match.tolist(), ["a fine"] * 3000))
    cards = wrong_cards(page)
    apart = np.argsort(match - quality, kind="stable")
    assert numbers(cards) == apart[:MAX_WRONG].tolist()
    spread = re.search(r'<div class="looked-at".*?</section>', page, re.DOTALL).group()
    spots = re.findall(r'data-x="([\d.]+)" data-y="([\d.]+)"', spread)
    fields = {(int(float(x) * SPREAD), int(float(y) * SPREAD)) for x, y in spots}
    assert len(fields) == len(spots) == page.count('class="spot"') == 5 * 3


def test_rows_are_scored_as_they_are_read_if_their_texts_are_named(tmp_path):
    table = scored_table([0.5] * 4).select(["strokes"])
    table = table.append_column("said", [["a line", "a fine", "a line", "other"]])
    page = page_of(tmp_path, table, text="said")
    (pair,) = pairs_of(page)
    cells = np.reshape(pair["files"][0]["cells"], (-1, 2))
    rows_of_match = {step: int(cells[cells[:, 0] % (MAP_STEPS + 1) == step, 1].sum()) for step in (0, MAP_STEPS)}
    assert rows_of_match == {0: 2, MAP_STEPS: 2}
    assert pairs_of(page_of(tmp_path, ArrowScorer()(table), text="said")) == [pair]


def test_a_text_column_that_holds_no_texts_is_an_error_of_the_file(tmp_path):
    with pytest.raises(PenpalError, match=r"scored 0\.parquet: no column 'said'"):
        page_of(tmp_path, scored_table([0.5]), text="said")


def test_the_command_names_the_texts(tmp_path):
    pq.write_table(scored_table([0.2, 0.8]), tmp_path / "scored.parquet")
    done = run("report", tmp_path / "scored.parquet", "-o", tmp_path / "report.html", "--text", "said")
    assert done.exit_code == 1
    assert "no column 'said'" in done.output.replace("\n", " ")


def test_a_text_with_too_little_ink_is_marked_as_a_whole():
    class Short(ToldReader):
        def align(self, _row, _text):
            return []

    words = words_of(scrawl(1, 2, 6))
    found = compared(Short("a"), words, "a line")
    assert found.text == [("a line", True)]
    assert [mark.tolist() for mark in found.marks] == [stroke.tolist() for word in words for stroke in word]


def test_a_text_that_cannot_be_compared_is_not_marked():
    class Refusing(ToldReader):
        def outcome(self, rows, texts=None):
            return dataclasses.replace(super().outcome(rows, texts), text_problems={0: "empty text"})

    found = compared(Refusing("a"), words_of(scrawl(1, 2, 6)), " ")
    assert (found.text, found.marks, found.match, found.problem) == ([(" ", False)], [], None, "empty text")


def test_a_text_that_is_too_long_is_not_compared(tmp_path):
    class Impatient(ToldReader):
        def outcome(self, rows, texts=None):
            assert texts is None or max(map(len, texts)) <= MAX_TEXT
            return super().outcome(rows, texts)

        def align(self, row, text):
            assert len(text) <= MAX_TEXT
            return super().align(row, text)

    table = matched_table([0.9, 0.8], [0.0, 0.0], ["x" * (MAX_TEXT + 1), "x" * MAX_TEXT])
    checks = [QualityCheck(), TextCheck(reader=Impatient("a line"))]
    long, whole = wrong_cards(page_of(tmp_path, table, checks=checks))
    assert "<mark>" not in long
    assert "not compared: too long text: at most 1,000 characters, got 1,001" in long
    assert "<span>a line</span>" in long
    assert "<mark>" in whole
    assert "not compared" not in whole


OTHER_READER = "Another reader than the one that marks letters made the text_match of some rows"


@pytest.mark.parametrize("match", [0.0, 0.2])
def test_a_match_of_another_reader_is_noted(tmp_path, match):
    table = matched_table([0.9, 0.8], [match, 1.0], ["a fine", "a line"])
    page = page_of(tmp_path, table)
    # Once at the map's rows, and once at the lowest matches.
    assert page.count(OTHER_READER) == (2 if match else 0)
    assert "<mark>f</mark>" in page


def test_the_reader_of_a_report_can_be_chosen(tmp_path):
    """A match from one reader is that of another only if the report marks by the bundled one."""
    folder = random_reader(tmp_path / "reader")
    rows = scored_table([0.9, 0.8])["strokes"]
    scored, page = tmp_path / "scored.parquet", tmp_path / "report.html"
    reader = Reader(folder, backend="native")
    readings = reader.read(rows)
    pq.write_table(matched_table([0.9, 0.8], reader.match(rows, readings).tolist(), readings), scored)
    done = run("report", scored, "-o", page, "--reader", folder)
    assert done.exit_code == 0, done.output
    content = page.read_text(encoding="utf-8")
    assert OTHER_READER not in content
    assert all(f"<span>{escape(reading)}</span>" in content for reading in readings)
    done = run("report", scored, "-o", page)
    assert done.exit_code == 0, done.output
    assert OTHER_READER in page.read_text(encoding="utf-8")
    done = run("report", scored, "-o", page, "--reader", tmp_path / "none")
    assert done.exit_code == 1
    assert "no model at" in done.output.replace("\n", " ")


def test_a_long_text_is_cut():
    found = compared(ToldReader("y" * 1000), words_of(scrawl(1, 2, 6)), "x" * 1000)
    assert found.text == [("x" * (LONGEST_TEXT - 1) + "…", True)]
    assert found.reading == "y" * (LONGEST_TEXT - 1) + "…"
