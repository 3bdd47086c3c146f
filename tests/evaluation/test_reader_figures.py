"""The figures of a reader's model card."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import penpal_fast
from helpers.made_lines import scrawl
from penpal_fast.cli import app
from penpal_fast.evaluation import sets
from penpal_fast.evaluation.combined import combined
from penpal_fast.evaluation.error_rate import edit_distance, errors_of
from penpal_fast.evaluation.figures import area_under_curve
from penpal_fast.evaluation.read_sets import ReadSet, read_sets
from penpal_fast.evaluation.reader_card import reader_tables
from penpal_fast.evaluation.reader_measure import measure_reader
from penpal_fast.evaluation.sets import ScoredSet
from penpal_fast.evaluation.text_kinds import has_digits, is_capitals, is_long
from penpal_fast.evaluation.wrong_texts import EDITS
from penpal_fast.handwriting.junk import KINDS, UNSEEN
from penpal_fast.reading.alphabet import LETTERS
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.reader import Reader, ReadOutcome
from penpal_fast.reading.weights import expected_shapes, write_tensors

TEXTS = ["one two three", "four 44 five", "SIX SEVEN", "eight nine ten eleven twelve thirteen fourteen"]


@pytest.mark.parametrize(
    ("found", "wanted", "edits"), [("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0), ("ab", "ba", 2)]
)
def test_edits_are_counted(found: str, wanted: str, edits: int) -> None:
    assert edit_distance([ord(one) for one in found], [ord(one) for one in wanted]) == edits


def test_error_rates_are_edits_by_letters_of_all_rows() -> None:
    perfect = errors_of(TEXTS, TEXTS, LETTERS)
    assert perfect.rate == 0
    assert perfect.exact == 1
    errors = errors_of(["abcd", "xb"], ["abcd", "ab"], LETTERS)
    assert errors.rate == pytest.approx(1 / 6)
    assert errors.exact == 0.5


def test_error_rates_compare_folded_texts_and_leave_out_what_cannot_be_compared() -> None:
    assert errors_of(["it's naive"], ["  it\u2019s  na\u00efve "], LETTERS).rate == 0
    errors = errors_of(["", None, "a", "a"], ["ab", "ab", None, "\u05d0\u05d1"], LETTERS)
    assert (errors.edits, errors.letters) == ([2], [2])
    nothing = errors_of([None], [None], LETTERS)
    assert nothing.rate is None
    assert nothing.exact is None


def test_each_edit_makes_one_mistake() -> None:
    random = np.random.default_rng(4)
    words = ["one", "two", "three"]
    for name, edit in EDITS.items():
        for text in ("one two three", "two", "a"):
            wrong = edit(text, words, random)
            if wrong is None:
                assert text in ("two", "a")
                assert "dropped" in name
                continue
            assert wrong != text
            unit = (lambda one: one.split()) if name.startswith("word") else list
            assert edit_distance(unit(wrong), unit(text)) == 1
    assert EDITS["letter replaced"]("1914", words, random) is None


def test_one_score_of_two_is_the_odds_of_the_first_times_the_second() -> None:
    both = combined(np.float32([0.9, 0.9, 0.5, 0.99, np.nan, 0.5]), np.float32([0.9, 0.1, 0.8, 0.5, 1, np.nan]))
    odds = np.array([9, 9, 1, 99, np.nan, np.nan]) * np.exp(-2 * np.array([0.1, 0.9, 0.2, 0.5, 0, np.nan]))
    np.testing.assert_allclose(both, odds / (1 + odds), atol=1e-6)
    certain = combined(np.float32([0, 1, 1, 0]), np.float32([1, 0, 1, 0]))
    np.testing.assert_allclose(certain, [0, 1, 1, 0], atol=1e-5)


def test_kinds_of_texts() -> None:
    assert [is_long("a" * 44), is_long("a" * 45)] == [False, True]
    assert [has_digits("a1"), has_digits("one")] == [True, False]
    assert [is_capitals(text) for text in ("THE END", "The end", "A", "AB cd", "1914", "")] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


class StrictReader:
    """Stands for a reader that finds every mistake: it matches the texts it was given, and no others."""

    letters = LETTERS

    def outcome(self, _rows, texts):
        match = np.array([0.9 if text in TEXTS else 0.2 for text in texts], np.float32)
        return ReadOutcome(match, match, list(texts), {}, {})


def as_read(texts, match, readability, readings, *, quality=0.5, kinds=None) -> ReadSet:
    rows = [scrawl(seed, 2, 5) for seed in range(len(texts))]
    scores = np.full(len(texts), quality, np.float32)
    scored = ScoredSet(rows, scores, list(texts), kinds or [None] * len(texts))
    filled = (np.broadcast_to(np.float32(one), len(texts)).copy() for one in (match, readability))
    return ReadSet(scored, *filled, list(readings))


def read_by_hand() -> dict[str, ReadSet]:
    kinds = [*KINDS, *UNSEEN]
    return {
        "real": as_read(TEXTS, 0.9, 0.9, ["one two thre", *TEXTS[1:]], quality=0.8),
        "clean": as_read(TEXTS, 0.9, 0.9, TEXTS),
        "corrupted": as_read(
            [*TEXTS[:3], None],
            [0.1, 0.9, 0.4, np.nan],
            0.4,
            ["", *TEXTS[1:]],
            kinds=["mild", "very_mild", "mild", None],
        ),
        "junk": as_read(["a"] * len(kinds), 0.1, 0.6, ["b"] * len(kinds), kinds=kinds),
    }


def test_figures_of_a_reader_are_those_of_its_rows() -> None:
    figures = measure_reader(read_by_hand(), StrictReader())
    sources = figures["sources"]
    assert sources["clean"] == {
        "rows": 4,
        "compared": 4,
        "error_rate": 0,
        "exact": 1,
        "match_kept": 1,
        "readability_kept": 1,
    }
    assert sources["real"]["error_rate"] == pytest.approx(1 / sum(map(len, TEXTS)), abs=1e-4)
    assert sources["real"]["exact"] == 0.75
    assert sources["corrupted"]["rows"] == 4
    assert sources["corrupted"]["compared"] == 3
    assert figures["text_kinds"]["clean"].keys() == {"long", "digits", "capitals"}
    assert figures["text_kinds"]["real"]["digits"]["rows"] == 1

    areas = figures["auc"]
    assert areas["match"]["clean / corrupted"] == pytest.approx(2.5 / 3, abs=1e-4)
    assert areas["match"]["clean / very_mild"] == 0.5
    assert areas["match"]["clean / mild"] == areas["readability"]["clean / corrupted"] == 1
    assert areas["quality"]["clean / corrupted"] == 0.5
    assert areas["combined"]["real / corrupted"] == 1  # Quality tells the one row that says its text.
    assert areas["match"]["real / corrupted"] == pytest.approx(2.5 / 3, abs=1e-4)

    assert figures["kept_where_clean_is"]["match"]["corrupted"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["kept_where_clean_is"]["match"]["mild"] == 0
    assert figures["kept"]["match"]["lenient"]["mild"] == 0.5
    assert figures["kept"]["match"]["balanced"]["mild"] == 0
    assert figures["kept"]["readability"]["lenient"]["corrupted"] == 1

    for edit in EDITS:
        assert figures["wrong_texts"][edit]["auc"] == 1
        assert figures["wrong_texts"][edit]["kept"] == 0
    junk = {**figures["junk_below_balanced"]["trained_on"], **figures["junk_below_balanced"]["unseen"]}
    assert junk.keys() == {*KINDS, *UNSEEN}
    assert all(one == {"match": 1, "readability": 0} for one in junk.values())


def test_the_tables_have_a_row_for_each_figure() -> None:
    text = reader_tables(measure_reader(read_by_hand(), StrictReader()))
    rows = {line.split(" | ")[0].lstrip("| "): line.strip("|").split(" | ")[1:] for line in text.splitlines() if line}
    assert [cell.strip() for cell in rows["clean synthetic"]] == ["4", "4", "0.0 %", "100.0 %", "100.0 %", "100.0 %"]
    assert rows["real lines, 45 letters or more"][0] == "1"
    assert [cell.strip() for cell in rows["clean synthetic from mild corruption"]] == [
        "0.500",
        "1.000",
        "1.000",
        "1.000",
    ]
    assert [cell.strip() for cell in rows["word doubled"]] == ["4", "1.000", "0.0 %"]
    assert [cell.strip() for cell in rows["missing lifts"]] == ["0.0 %", "100.0 %"]
    assert {"match at or above 0.5 (`balanced`)", "match", "readability"} <= rows.keys()


def test_without_texts_only_readability_is_measured() -> None:
    found = {
        name: as_read([None] * len(one.readings), np.nan, one.readability, one.readings, kinds=one.rows.kinds)
        for name, one in read_by_hand().items()
    }
    figures = measure_reader(found, StrictReader())
    assert figures["sources"]["clean"]["error_rate"] is None
    assert figures["auc"]["match"]["clean / corrupted"] is None
    assert figures["auc"]["readability"]["clean / corrupted"] == 1
    assert figures["wrong_texts"] == {}
    assert figures["kept_where_clean_is"]["match"] == {}
    assert "| clean synthetic from corrupted synthetic | 0.500 |  | 1.000 |  |" in reader_tables(figures)


def test_without_texts_of_real_lines_there_are_no_words_for_wrong_texts() -> None:
    found = read_by_hand()
    real = found["real"]
    found["real"] = as_read([None] * len(real.readings), np.nan, real.readability, real.readings)
    figures = measure_reader(found, StrictReader())
    assert figures["sources"]["clean"]["error_rate"] is not None
    assert figures["wrong_texts"] == {}


@pytest.fixture
def reader_folder(tmp_path):
    """A small reader with random weights, which reads nonsense."""
    config = ReaderConfig(stem_channels=(8, 16), dilations=(1, 2))
    random = np.random.default_rng(1)
    shapes = expected_shapes(config)
    tensors = {name: random.normal(0, 1, shape) / np.sqrt(max(np.prod(shape[1:]), 1)) for name, shape in shapes.items()}
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "config.json").write_text(config.to_json())
    write_tensors(folder / "weights.safetensors", tensors)
    return folder


def test_the_command_measures_the_reader_it_is_given(example_file, reader_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sets, "JUNK_ROWS", 2)
    table = pq.read_table(example_file)
    table = table.append_column("source", pa.array([f"{row:03}" for row in range(table.num_rows)]))
    clean = pc.is_null(table["corruption"])
    arguments = []
    for name, rows in {"real": clean, "clean": clean, "corrupted": pc.invert(clean)}.items():
        pq.write_table(table.filter(rows), tmp_path / f"{name}.parquet")
        arguments += [f"--{name}", str(tmp_path / f"{name}.parquet")]
    arguments += ["--reader", str(reader_folder), "--held-out", "-o", str(tmp_path / "card")]
    result = CliRunner().invoke(app, ["evaluate", *arguments])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "card/evaluation.json").read_text())["reader"]
    assert (tmp_path / "card/reader.md").read_text() == reader_tables(figures)

    held = [row for row in range(table.num_rows) if sets.is_held_out(f"{row:03}", 3)]
    chosen = table.take(held)
    is_clean = np.array([kind is None for kind in chosen["corruption"].to_pylist()])
    assert 0 < is_clean.sum() < len(held) < table.num_rows
    match = Reader(reader_folder).match(chosen, chosen["text"])
    both = combined(penpal_fast.score(chosen), match)
    assert figures["sources"]["clean"]["rows"] == is_clean.sum()
    assert figures["sources"]["clean"]["error_rate"] > 0.5
    assert figures["auc"]["match"]["clean / corrupted"] == pytest.approx(
        area_under_curve(match[is_clean], match[~is_clean]), abs=1e-4
    )
    assert figures["auc"]["combined"]["real / corrupted"] == pytest.approx(
        area_under_curve(both[is_clean], both[~is_clean]), abs=1e-4
    )


def test_whole_junk_keeps_the_text_of_its_line_and_cut_junk_has_none(example_file, reader_folder, scorer, monkeypatch):
    monkeypatch.setattr(sets, "JUNK_ROWS", 10)
    lines = sets.read_set([example_file])[:20]
    scored = sets.scored_sets(lines, lines, lines, scorer)
    texts = scored["junk"].texts
    assert None in texts
    assert {text for text in texts if text} <= {line.text for line in lines}
    found = read_sets(scored, Reader(reader_folder))["junk"]
    assert [np.isnan(one) for one in found.match] == [text is None for text in texts]
