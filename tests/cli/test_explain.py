"""`penpal-fast explain`: what it prints, and the page that it writes."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column, strokes
from helpers.commands import run
from helpers.made_lines import scrawl
from helpers.models import random_reader
from helpers.scored_lines import HOSTILE
from penpal_fast import Reader, explain
from penpal_fast.schema import strokes_type

STROKES_TYPE = strokes_type(pa.float64())

STROKES = scrawl(3, 6, 20)
ROWS = [[STROKES[:2], STROKES[2:3], STROKES[3:]], [STROKES], None, [STROKES[:1]], []]
LONG = [[(x / 4000, float(x % 2)) for x in range(8000)]]


def words_column(rows):
    return pa.array([row and [strokes(word) for word in row] for row in rows], STROKES_TYPE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return random_reader(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def reader(folder):
    return Reader(folder, backend="native")


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    texts = ["one two three", None, "a", HOSTILE, "b"]
    pq.write_table(pa.table({"strokes": words_column(ROWS), "text": texts, "number": range(5)}), path)
    return path


def printed(*arguments):
    done = run("explain", *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_words_have_their_effects(lines, folder, reader):
    output = printed(lines, "--row", 0, "--reader", folder)
    explanation = explain(ROWS[0])
    assert f"row 0: quality {explanation.score:.3f}" in output
    assert f"reads {reader.read([ROWS[0]])[0]!r}, readability {reader.readability([ROWS[0]])[0]:.2f}" in output
    for number, effect in enumerate(explanation.effects):
        assert re.search(rf"word {number} +{re.escape(f'{effect:+.2f}')}", output)
    assert "match" not in output
    assert "do not fit" not in output


def test_words_are_named_by_the_text(lines, folder, reader):
    output = printed(lines, "--row", 0, "--text", "text", "--reader", folder)
    for word, effect in zip(("one", "two", "three"), explain(ROWS[0]).effects, strict=True):
        assert re.search(rf"  {word} +{re.escape(f'{effect:+.2f}')}", output)
    assert f"match {reader.match([ROWS[0]], ['one two three'])[0]:.2f}" in output


def test_letters_that_do_not_fit_have_their_place(lines, folder, reader):
    said = reader.read([ROWS[1]])[0]
    wrong = said[:-1] + ("x" if said[-1] != "x" else "y")
    letters = reader.align(ROWS[1], wrong)
    output = printed(lines, "--row", 1, "--says", wrong, "--reader", folder)
    assert f"letters that do not fit: {sum(not letter.fits for letter in letters)} of {len(wrong)}" in output
    span = letters[-1].spans[0]
    place = f"stroke {span.stroke} points {span.start:.0f} to {span.end:.0f}"
    assert f"letter {len(wrong) - 1}, {wrong[-1]!r} in {wrong!r}: fit {letters[-1].fit:.2f}, {place}" in output
    output = printed(lines, "--row", 1, "--says", said, "--reader", folder)
    assert f"letters that do not fit: 0 of {len(said)}" in output


@pytest.mark.parametrize(
    ("row", "options", "reason"),
    [
        (1, ["--text", "text"], "not compared: no text: the text is null"),
        (3, ["--text", "text"], "not compared: unreadable text"),
        (0, ["--says", ""], "not compared: empty text"),
        (0, ["--says", "\u4e2d\u6587"], "not compared: unreadable text: it has Chinese, Japanese or Korean letters"),
        (0, ["--says", "ab" * 5000], "not compared: too long text: at most 1,000 characters, got 10,000"),
    ],
)
def test_without_a_text_that_can_be_compared_the_score_is_explained(lines, folder, tmp_path, row, options, reason):
    output = printed(lines, "--row", row, *options, "--reader", folder, "-o", tmp_path / "page.html")
    assert reason in output
    assert f"quality {explain(ROWS[row]).score:.3f}" in output
    assert "reads '" in output
    assert "do not fit" not in output
    assert "<mark" not in (tmp_path / "page.html").read_text()


def test_ink_that_is_too_short_for_its_text_is_marked_as_a_whole(lines, folder, tmp_path):
    text = "ab" * 400
    output = printed(lines, "--row", 0, "--says", text, "--reader", folder, "-o", tmp_path / "page.html")
    assert "match 0.00; the ink is too short for it" in output
    assert f">{text}</mark>" in (tmp_path / "page.html").read_text()


def test_a_row_that_is_too_long_to_read_is_explained(tmp_path, folder):
    pq.write_table(pa.table({"strokes": column([LONG])}), tmp_path / "long.parquet")
    output = printed(tmp_path / "long.parquet", "--row", 0, "--says", "abc", "--reader", folder)
    assert "not read: too long to read" in output
    assert f"quality {explain(LONG).score:.3f}" in output


def test_a_single_stroke_has_no_effects(lines, folder):
    assert "nothing to leave out" in printed(lines, "--row", 3, "--reader", folder)


def test_json_lines_and_other_columns(tmp_path, folder):
    row = {"ink": [[list(point) for point in stroke] for stroke in STROKES], "says": "ab"}
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in ({"ink": [], "says": None}, row)))
    output = printed(path, "--row", 1, "--column", "ink", "--text", "says", "--reader", folder)
    assert f"quality {explain(STROKES).score:.3f}" in output
    assert "text  'ab'" in output
    path.write_text(json.dumps({**row, "says": None}) + "\n")
    output = printed(path, "--row", 0, "--column", "ink", "--text", "says", "--reader", folder)
    assert "not compared: no text" in output


def test_the_page(lines, folder, tmp_path):
    page = tmp_path / "page.html"
    assert f"wrote {page}" in printed(lines, "--row", 0, "--text", "text", "--reader", folder, "-o", page).replace(
        "\n", ""
    )
    content = page.read_text()
    assert content.count("<svg") == content.count("<main>") == content.count("</main>") == 1
    assert "<mark" in content
    assert f"match <b>{Reader(folder, backend='native').match([ROWS[0]], ['one two three'])[0]:.2f}</b>" in content
    assert [path for path in tmp_path.iterdir() if path.suffix not in (".html", ".parquet")] == []
    assert re.findall(r"(?:src|href)=", content) == []


def test_names_and_texts_are_not_markup(lines, folder, tmp_path):
    source = lines.rename(tmp_path / "<img src=x onerror=alert(1)>.parquet")
    printed(source, "--row", 0, "--says", "<b>&one two", "--reader", folder, "-o", tmp_path / "page.html")
    content = (tmp_path / "page.html").read_text()
    assert "&lt;img src=x" in content
    assert "<img" not in content
    assert "<b>&" not in content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--row", "5"], "there is no row 5; it has 5 rows, counted from 0"),
        (["--row", "2"], "row 2: null: the row is null"),
        (["--row", "4"], "row 4: no points"),
        (["--row", "0", "--column", "ink"], "no column 'ink'"),
        (["--row", "0", "--text", "words"], "no column 'words'; name the one with the texts"),
        (["--row", "0", "--text", "number"], "the column 'number' does not hold texts but int64"),
        (["--row", "0", "--reader", "[none]"], "no model at '[none]'"),
        (["--row", "0", "-o", "no/page.html"], "there is no folder"),
    ],
)
def test_errors(lines, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = run("explain", lines, *arguments)
    assert done.exit_code == 1
    assert message in done.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == [lines]


@pytest.mark.parametrize("arguments", [[], ["--row", "-1"], ["--row", "0", "--says", "a", "--text", "text"]])
def test_wrong_usage(lines, arguments):
    assert run("explain", lines, *arguments).exit_code == 2
