"""Files of any format become one Parquet file, which scores as they do."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.commands import run
from helpers.hostile_files import strokes_of
from penpal_fast import PenpalError, convert_dataset, score_dataset
from penpal_fast.schema import strokes_type

OFFSETS = np.array([[3, 1, 0], [1, 4, 0], [1, -4, 1], [-1.5, 2, 0], [1, 0, 1]])
A = [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]


@pytest.fixture
def offsets(tmp_path):
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.stack([OFFSETS, OFFSETS * (2, 1, 1)]))
    return tmp_path


def test_rows_say_where_they_come_from(offsets):
    result = run("convert", offsets, "-o", offsets.parent / "out.parquet")
    assert result.exit_code == 0, result.output
    assert "wrote 4 rows" in result.output
    table = pq.read_table(offsets.parent / "out.parquet")
    assert table.schema.names == ["strokes", "text", "id", "source_file", "source_row"]
    assert table.schema.field("strokes").type == strokes_type(pa.float64())
    assert table["source_file"].to_pylist() == [str(offsets / name) for name in ("a.npy", "a.npy", "b.npy", "b.npy")]
    assert table["source_row"].to_pylist() == [0, 1, 0, 1]
    assert strokes_of(table)[2][1] == [(3.5, -3), (4.5, -3)]


def test_scores_are_those_of_the_source(offsets, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    convert_dataset(offsets, out / "rows.parquet")
    score_dataset(offsets, out / "direct.parquet")
    score_dataset(out / "rows.parquet", out / "converted.parquet")
    direct, converted = (pq.read_table(out / f"{name}.parquet")["quality"] for name in ("direct", "converted"))
    assert direct.null_count == 0
    assert direct.equals(converted)


def test_another_column_and_a_second_time(tmp_path):
    source, once, twice = tmp_path / "in.jsonl", tmp_path / "once.parquet", tmp_path / "twice.parquet"
    source.write_text(json.dumps({"drawing": A, "writer": 7}))
    convert_dataset(source, once, column="drawing")
    convert_dataset(once, twice)
    table = pq.read_table(twice)
    assert strokes_of(table) == [[list(map(tuple, stroke)) for stroke in A]]
    assert table.drop(["strokes"]).to_pylist() == [{"writer": 7, "source_file": str(source), "source_row": 0}]


def test_rows_that_cannot_be_drawn_are_named(tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text("\n".join(json.dumps({"strokes": one}) for one in (A, [[["x", 1]]], A)))
    result = run("convert", source, "-o", out, "--strict")
    assert result.exit_code == 3
    assert "1 of 3 rows cannot be drawn; the first" in result.stderr
    assert "row 1: wrong type" in result.stderr
    assert pq.read_table(out)["strokes"].is_valid().to_pylist() == [True, False, True]


def test_columns_of_the_same_name_stay(tmp_path):
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    strokes = column([A, A])
    pq.write_table(pa.Table.from_arrays([pa.array([1, 2]), strokes, pa.array([3, 4])], ["d", "strokes", "d"]), source)
    convert_dataset(source, out)
    with pq.ParquetFile(out) as file:
        table = file.read()
    assert table.schema.names == ["strokes", "d", "d", "source_file", "source_row"]
    assert [table.column(place).to_pylist() for place in (1, 2)] == [[1, 2], [3, 4]]


@pytest.mark.parametrize("bad", [[], [[[["x", 1]]]]])
def test_the_strokes_may_be_in_a_column_strokes_json(tmp_path, bad):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text("\n".join(json.dumps({"strokes_json": one, "id": 1}) for one in (A, *bad)))
    assert convert_dataset(source, out, column="strokes_json").bad == len(bad)
    table = pq.read_table(out)
    assert table["strokes"].is_valid().to_pylist() == [True, *(False for _ in bad)]
    kept = [table[name].to_pylist() for name in table.schema.names if name.startswith("strokes_json")]
    assert [json.loads(text) for texts in kept for text in texts if text] == bad


@pytest.mark.parametrize("mine", [["mine", None, "mine"], [7, 7, 7], [None, None, "mine"]])
def test_strokes_that_cannot_be_drawn_do_not_take_a_users_column(tmp_path, mine):
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    offsets = [[[1.0, 1, 0], [2, 1, 1]], [[1.0, 1, 0], [2, 1, 1]], [[1.0, 1, 0], [2, 1, 7]]]
    pq.write_table(pa.table({"strokes": offsets, "strokes_json": mine}), source)
    with pytest.raises(PenpalError, match=r"row 2: its strokes cannot be drawn.*'strokes_json', is taken"):
        convert_dataset(source, out, layout="offsets")
    assert not out.exists()
    pq.write_table(pq.read_table(source).slice(0, 2), source)
    convert_dataset(source, out, layout="offsets")
    assert pq.read_table(out)["strokes_json"].to_pylist() == mine[:2]


def test_nothing_is_written_if_no_row_can_be_drawn(tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text(json.dumps({"strokes": [[]]}))
    with pytest.raises(PenpalError, match=r"no row can be drawn.*row 0: no points"):
        convert_dataset(source, out)
    assert not out.exists()


def test_the_output_is_no_input(tmp_path):
    convert_dataset(_lines(tmp_path), tmp_path / "in.parquet")
    with pytest.raises(PenpalError, match="would replace an input"):
        convert_dataset(tmp_path / "in.parquet", tmp_path / "in.parquet")


def _lines(folder):
    (folder / "in.jsonl").write_text(json.dumps({"strokes": A}))
    return folder / "in.jsonl"
