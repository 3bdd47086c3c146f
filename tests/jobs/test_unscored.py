"""Rows without a score: they stay in the output, the first is named, and a file of nothing else is an error."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.commands import run
from penpal_fast import PenpalError, convert_dataset, filter_dataset, score_dataset

A = [[[0.0, 9.0], [4.0, 0.0], [8.0, 9.0]], [[2.0, 5.0], [6.0, 5.0]]]
NESTED = [{"points": [{"x": 0, "y": 9}, {"x": 4, "y": 0}]}]
BAD = [
    "hello",
    7,
    {"ink": "none"},
    [["a", "b"]],
    [[[0, 9], [4, None]]],
    [[]],
    [[[0, 9, 1, 2, 3, 4, 5]]],
    [[[10**400, 1]]],
    {"c": [1e999]},
]


def written(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.parametrize("good", [[A], [NESTED], [A, NESTED]], ids=["lists", "structs", "both"])
@pytest.mark.parametrize("bad", BAD, ids=str)
def test_strokes_that_cannot_be_drawn_stay(tmp_path, scorer, good, bad):
    inputs = written(tmp_path / "in.jsonl", [{"strokes": strokes, "id": 1} for strokes in [*good, bad, None]])
    summary = score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer)
    assert (summary.scored, summary.bad) == (len(good), 2)
    row = pq.read_table(tmp_path / "out.parquet").to_pylist()[len(good)]
    kept = row["strokes"] if row["strokes"] is not None else json.loads(row["strokes_json"])
    assert kept == bad
    assert row["quality_error"]


@pytest.mark.parametrize("written_by", [score_dataset, convert_dataset])
def test_strokes_that_cannot_be_drawn_find_another_column(tmp_path, written_by):
    rows = [{"strokes": A, "strokes_json": None}, {"strokes": "hello", "strokes_json": "mine"}]
    written_by(written(tmp_path / "in.jsonl", rows), tmp_path / "out.parquet")
    row = pq.read_table(tmp_path / "out.parquet").to_pylist()[1]
    assert (row["strokes"], row["strokes_json"], row["strokes_json_2"]) == (None, "mine", '"hello"')


def test_converted_rows_that_cannot_be_drawn_are_kept_as_json(tmp_path):
    rows = [A, "hello", [[[0, 9], [4, None]]], None]
    inputs = written(tmp_path / "in.jsonl", [{"strokes": strokes, "id": 1} for strokes in rows])
    assert convert_dataset(inputs, tmp_path / "out.parquet").bad == 3
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["strokes"].is_valid().to_pylist() == [True, False, False, False]
    kept = table["strokes_json"].to_pylist()
    assert [kept[0], *(text and json.loads(text) for text in kept[1:])] == [None, *rows[1:]]
    convert_dataset(written(inputs, [{"strokes": A}]), tmp_path / "out.parquet")
    assert "strokes_json" not in pq.read_schema(tmp_path / "out.parquet").names


def test_good_rows_need_no_column_of_texts(tmp_path, scorer):
    inputs = written(tmp_path / "in.jsonl", [{"strokes": A}, {"strokes": None}, {"strokes": [[[0, None]]]}])
    score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer)
    table = pq.read_table(tmp_path / "out.parquet")
    assert "strokes_json" not in table.schema.names
    assert table["strokes"].to_pylist() == [A, None, [[[0.0, None]]]]


def test_a_column_of_that_name_stays(tmp_path, scorer):
    inputs = written(tmp_path / "in.jsonl", [{"strokes": A, "strokes_json": "mine"}, {"strokes": "hello"}])
    score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer)
    assert pq.read_table(tmp_path / "out.parquet")["strokes_json"].to_pylist() == ["mine", None]


def test_a_file_of_which_no_row_can_be_scored(tmp_path, scorer):
    bad = written(tmp_path / "in.jsonl", [{"strokes": {"ink": [1, 2]}}] * 3)
    for output in ("out.parquet", "out"):
        with pytest.raises(PenpalError) as found:
            score_dataset(bad, tmp_path / output, scorer=scorer)
        assert str(found.value).startswith(f"{bad}: none of its 3 rows can be scored; row 0: wrong type")
        assert '"ink"' in str(found.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_parquet_of_which_no_row_can_be_scored(tmp_path, scorer):
    rows = pa.array([[[[np.nan, 1.0]]]] * 2, pa.list_(pa.list_(pa.list_(pa.float64()))))
    pq.write_table(pa.table({"strokes": rows}), tmp_path / "in.parquet")
    with pytest.raises(PenpalError, match=r"none of its 2 rows can be scored; row 0: non-finite coordinate: .*null"):
        score_dataset(tmp_path / "in.parquet", tmp_path / "out.parquet", scorer=scorer)


def test_one_file_of_several(tmp_path, scorer, caplog):
    folder = tmp_path / "in"
    folder.mkdir()
    written(folder / "a.jsonl", [{"strokes": A}])
    written(folder / "b.jsonl", [{"strokes": []}] * 2)
    assert score_dataset(folder, tmp_path / "out.parquet", scorer=scorer).bad == 2
    assert "b.jsonl: none of its 2 rows can be scored; row 0: no points" in caplog.text
    written(folder / "b.jsonl", [{"strokes": [["a"]]}] * 2)
    with pytest.raises(PenpalError, match=r"b.jsonl: none of its 2 rows can be scored"):
        score_dataset(folder, tmp_path / "other.parquet", scorer=scorer)


def test_the_first_bad_row_is_named(tmp_path, scorer):
    inputs = written(tmp_path / "in.jsonl", [{"strokes": A}, {"strokes": A}, {"strokes": "hello"}, {"strokes": []}])
    summary = score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer)
    first = summary.first_problem
    assert first.startswith(f"{inputs}, row 2: wrong type: ")
    assert summary.as_dict()["first_problem"] == first
    again = score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer, resume=True)
    assert again.first_problem == first
    done = run("score", inputs, "-o", tmp_path / "out.parquet")
    assert f"the first: {first}" in done.output.replace("\n", "")


def test_rows_of_nothing_are_scored_as_no_rows(tmp_path, scorer):
    pq.write_table(pa.table({"strokes": pa.array([], pa.list_(pa.list_(pa.list_(pa.float64()))))}), tmp_path / "in.pq")
    assert score_dataset(tmp_path / "in.pq", tmp_path / "out.parquet", scorer=scorer).rows == 0


def test_a_large_row_is_not_shown(tmp_path, scorer):
    row = [[[None, 0.0]] * 20_000]
    table = pa.table({"strokes": pa.array([row], pa.list_(pa.list_(pa.list_(pa.float64()))))})
    pq.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(PenpalError, match=r"its only row cannot be scored; row 0: null[^;]*$"):
        score_dataset(tmp_path / "in.parquet", tmp_path / "out.parquet", scorer=scorer, layout="strokes")


FILTERS = {
    "once": {},
    "best": {"best_of": "id"},
    "top": {"top": 1},
    "texts": {"text": "id"},
    "rejected": {"keep_rejected": "rejected.jsonl"},
}


@pytest.mark.parametrize("rules", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("output", ["out.parquet", "out.jsonl"])
def test_a_filter_of_a_file_of_which_no_row_can_be_scored(tmp_path, scorer, monkeypatch, output, rules):
    monkeypatch.chdir(tmp_path)
    bad = written(tmp_path / "in.jsonl", [{"strokes": {"ink": [1, 2]}, "id": "a"}] * 3)
    with pytest.raises(PenpalError) as found:
        filter_dataset(bad, output, scorer=scorer, **rules)
    assert str(found.value).startswith(f"{bad}: none of its 3 rows can be scored; row 0: wrong type")
    assert '"ink"' in str(found.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_filter_names_one_file_of_several_and_the_first_bad_row(tmp_path, scorer):
    folder = tmp_path / "in"
    folder.mkdir()
    written(folder / "a.jsonl", [{"strokes": A}] * 2)
    bad = written(folder / "b.jsonl", [{"strokes": A}, {"strokes": [["a"]]}, {"strokes": None}])
    selection = filter_dataset(folder, tmp_path / "out.parquet", scorer=scorer, threshold=0)
    assert (selection.kept, selection.bad) == (3, 2)
    assert selection.first_problem.startswith(f"{bad}, row 1: wrong type: ")
    assert selection.as_dict()["first_problem"] == selection.first_problem
    again = filter_dataset(folder, tmp_path / "out.parquet", scorer=scorer, threshold=0, resume=True)
    assert again == selection
    done = run("filter", folder, "-o", tmp_path / "out.parquet", "--threshold", "0")
    assert f"the first row without a score: {selection.first_problem}" in done.output.replace("\n", "")
    written(bad, [{"strokes": [["a"]]}] * 2)
    with pytest.raises(PenpalError, match=r"b.jsonl: none of its 2 rows can be scored"):
        filter_dataset(folder, tmp_path / "other.parquet", scorer=scorer)


def test_a_file_of_scored_rows_may_have_none(tmp_path, scorer):
    """Such as a part of a scored folder: its rows were counted when they were scored."""
    scored = pa.table({"quality": pa.array([None, None], pa.float32()), "quality_error": ["no points: 1", "null"]})
    pq.write_table(scored, tmp_path / "in.parquet")
    selection = filter_dataset(tmp_path / "in.parquet", tmp_path / "out.parquet", scorer=scorer)
    assert (selection.kept, selection.first_problem) == (0, f"{tmp_path / 'in.parquet'}, row 0: no points: 1")
