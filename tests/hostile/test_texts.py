"""Texts that are not UTF-8, which Parquet files may have: they cost their own rows only."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column, stored_views
from helpers.commands import run
from helpers.made_lines import scrawl
from helpers.models import random_reader
from helpers.scored_lines import scored_table
from penpal_fast import PenpalError, QualityCheck, Reader, convert_dataset, filter_dataset, score_dataset
from penpal_fast.layouts.soundness import check_sound
from penpal_fast.schema import texts_of

KINDS = {
    "string": (pa.binary, pa.string),
    "large": (pa.large_binary, pa.large_string),
    "views": (lambda: stored_views() and pa.binary_view(), stored_views),
}
TEXTS = [b"one", b"\xff\xfe", None, b"four \xc3"]
QUALITY = ["quality", "quality_error"]
NESTED_MAP = pa.map_(pa.string(), pa.list_(pa.float32()))
SHOWN = ["one", "\ufffd\ufffd", None, "four \ufffd"]


def texts(kind, values):
    held, shown = KINDS[kind]
    return pa.array(values, held()).view(shown())


@pytest.fixture(params=KINDS)
def path(request, tmp_path):
    """Four rows with scores, the third a bad one, whose texts and reasons are not UTF-8."""
    table = scored_table([0.2, 0.9, None, 0.7], text=texts(request.param, TEXTS), author=texts(request.param, TEXTS))
    reasons = texts(request.param, [None, None, b"null \xff: why", None])
    pq.write_table(table.set_column(2, "quality_error", reasons), tmp_path / "lines.parquet")
    return tmp_path / "lines.parquet"


def test_a_sheet(path, tmp_path):
    done = run("sheet", path, "-o", tmp_path / "sheet.png")
    assert done.exit_code == 0, done.output
    assert "3 of 4 rows" in done.output


def test_a_report(path, tmp_path):
    pytest.importorskip("altair", reason="the extra `look` is not installed")
    done = run("report", path, "-o", tmp_path / "report.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for shown in ("four \ufffd", "null \ufffd"):
        assert f">{shown}<" in page


def test_rows_on_the_page(path):
    pytest.importorskip("starlette", reason="the extra `look` is not installed")
    from penpal_fast.look.serve.source_rows import SourceRows

    rows = SourceRows(str(path), "strokes", [QualityCheck()]).page(0, 9)
    assert [row["text"] for row in rows] == SHOWN
    assert [row["score"] is None for row in rows] == [False, False, True, False]


def test_a_filter(path, tmp_path):
    selection = filter_dataset(path, tmp_path / "kept.parquet", threshold=0.5)
    assert +selection.rejected == {"below the threshold": 1, "null \ufffd": 1}
    kept = pq.read_table(tmp_path / "kept.parquet", columns=["text"])["text"].combine_chunks()
    assert kept.cast(pa.binary()).to_pylist() == [TEXTS[1], TEXTS[3]]


def test_the_best_of_each_group(tmp_path):
    """Texts that look the same when they are shown are different still."""
    values = [b"\xff", b"\xfe", b"\xff", b"\xff" * 99, b"\xfe" * 99, b"\xff" * 99]
    table = pa.table({"quality": [0.6, 0.7, 0.8, 0.6, 0.7, 0.8], "text": texts("string", values), "row": range(6)})
    pq.write_table(table, tmp_path / "lines.parquet")
    selection = filter_dataset(tmp_path / "lines.parquet", tmp_path / "kept.parquet", best_of="text")
    assert selection.groups == 4
    assert pq.read_table(tmp_path / "kept.parquet", columns=["row"])["row"].to_pylist() == [1, 2, 4, 5]


def test_matches_and_readings(path, tmp_path):
    reader = Reader(random_reader(tmp_path / "reader"), backend="native")
    score_dataset(path, tmp_path / "out.parquet", text="text", reader=reader)
    found = pq.read_table(tmp_path / "out.parquet", columns=["text_match", "text_match_error"]).to_pylist()
    assert [row["text_match"] is None for row in found] == [False, True, True, False]
    assert found[1]["text_match_error"].startswith("unreadable text: letters that are not in the reader's alphabet")
    done = run("read", path, "--text", "text", "--json", "--reader", tmp_path / "reader")
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["text"] for line in done.output.splitlines()] == SHOWN
    done = run("explain", path, "--row", 1, "--text", "text", "--reader", tmp_path / "reader")
    assert done.exit_code == 0, done.output
    assert "not compared: unreadable text" in done.output


def test_texts_inside_strokes(tmp_path):
    """A field of a stroke is nobody's business, and need not be UTF-8."""
    row = [[{"points": [{"x": float(x), "y": float(y)} for x, y in stroke], "pen": "p"}] for stroke in scrawl(1, 3, 9)]
    plain = pa.array([row] * 3)
    buffers = plain.buffers()
    letters = next(place for place, buffer in enumerate(buffers) if buffer and buffer.to_pybytes()[:9] == b"p" * 9)
    buffers[letters] = pa.py_buffer(b"\xff" * buffers[letters].size)
    table = scored_table([0.2, 0.9, 0.7]).set_column(0, "strokes", rebuilt(plain.type, 3, iter(buffers)))
    pq.write_table(table, tmp_path / "lines.parquet")
    for command, name in (("sheet", "sheet.png"), ("report", "report.html")):
        done = run(command, tmp_path / "lines.parquet", "-o", tmp_path / name)
        assert done.exit_code == 0, done.output


def rebuilt(kind, length, buffers):
    """An array of lists, structs and values made of buffers in their order."""
    if pa.types.is_list(kind):
        own = [next(buffers), next(buffers)]
        items = np.frombuffer(own[1], np.int32)[length]
        return pa.Array.from_buffers(kind, length, own, children=[rebuilt(kind.value_type, int(items), buffers)])
    if pa.types.is_struct(kind):
        own = [next(buffers)]
        return pa.Array.from_buffers(
            kind, length, own, children=[rebuilt(field.type, length, buffers) for field in kind]
        )
    return pa.Array.from_buffers(kind, length, [next(buffers) for _ in range(3 if pa.types.is_string(kind) else 2)])


@pytest.mark.parametrize("kind", KINDS)
def test_dictionaries(kind):
    dictionary = texts(kind, [b"one", b"\xff"])
    column = pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), dictionary)
    assert texts_of(column) == ["\ufffd", None, "one"]


def test_a_column_of_strokes_beside_them_has_its_scores(tmp_path):
    table = pa.table({"strokes": column([scrawl(1, 3, 9)] * 2), "text": texts("string", [b"\xff", b"a"])})
    pq.write_table(table, tmp_path / "lines.parquet")
    score_dataset(tmp_path / "lines.parquet", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["quality"].null_count == 0
    assert found["text"].combine_chunks().cast(pa.binary()).to_pylist() == [b"\xff", b"a"]


COLOURS = [b"red", b"\xff\xfe", b"blue", b"\xc3", b"red", b"red"]

LINE = [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]
"""The strokes of each row below."""


def coloured(points, **places):
    """Rows of two strokes each, whose colours are texts."""
    fields = {"colour": texts("string", COLOURS), "points": pa.array(points * 3), **places}
    strokes = pa.StructArray.from_arrays(list(fields.values()), list(fields))
    return pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), strokes)


def write_rows(tmp_path, strokes, **columns):
    pq.write_table(pa.table({"strokes": strokes, **columns}), tmp_path / "lines.parquet")
    return tmp_path / "lines.parquet"


def test_strokes_that_are_moved_are_moved_whatever_their_colours(tmp_path, scorer):
    """The layout was not told from rows with such texts, so that the points of all rows were left where they are."""
    places = {name: pa.array(values * 3) for name, values in {"x": [0.0, 2.0], "y": [9.0, 5.0]}.items()}
    moved = [[[0.0, 0.0], [4.0, -9.0], [8.0, 0.0]], [[0.0, 0.0], [4.0, 0.0]]]
    path = write_rows(tmp_path, coloured(moved, **places))
    summary = score_dataset(path, tmp_path / "scored.parquet", scorer=scorer)
    assert len(summary.layouts) == 1
    scores = pq.read_table(tmp_path / "scored.parquet")["quality"].to_pylist()
    assert scores == scorer.score([LINE] * 3).tolist()


@pytest.mark.parametrize("bad", [[5], [0, 2, 5]], ids=["one row", "all rows"])
def test_bad_rows_with_such_texts_are_named(tmp_path, scorer, bad):
    points = [[{"x": float(x), "y": float(y)} for x, y in stroke] for stroke in LINE * 3]
    for stroke in bad:
        points[stroke][1]["x"] = None
    strokes = pa.StructArray.from_arrays([texts("string", COLOURS), pa.array(points)], ["colour", "points"])
    path = write_rows(tmp_path, pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), strokes))
    if len(bad) == 1:
        assert score_dataset(path, tmp_path / "scored.parquet", scorer=scorer).bad == 1
        converted = convert_dataset(path, tmp_path / "converted.parquet")
        assert (converted.rows, converted.bad) == (3, 1)
        kept = json.loads(pq.read_table(tmp_path / "converted.parquet")["strokes_json"][2].as_py())
        assert [stroke["colour"] for stroke in kept] == ["red", "red"]
    else:
        with pytest.raises(PenpalError, match=r"lines\.parquet: none of its 3 rows .*row 0: null"):
            score_dataset(path, tmp_path / "scored.parquet", scorer=scorer)
        with pytest.raises(PenpalError, match=r"lines\.parquet, row 0: null"):
            convert_dataset(path, tmp_path / "converted.parquet")


@pytest.mark.parametrize("kind", KINDS)
def test_strokes_as_json_texts_cost_their_own_rows(tmp_path, scorer, kind):
    line = json.dumps(LINE).encode()
    path = write_rows(tmp_path, texts(kind, [line, b'[[[0, 9], ["\xff", 0]]]', line, b"\xff\xfe", None]))
    summary = score_dataset(path, tmp_path / "scored.parquet", scorer=scorer)
    scores, errors = (pq.read_table(tmp_path / "scored.parquet")[name].to_pylist() for name in QUALITY[:2])
    assert [score is None for score in scores] == [False, True, False, True, True]
    assert [error and error.partition(":")[0] for error in errors] == [None, "not JSON", None, "not JSON", "null"]
    assert summary.bad == 3


def test_maps_in_json_lines(tmp_path, scorer):
    keys = texts("string", [b"a", b"\xff", b"c"])
    maps = pa.MapArray.from_arrays(pa.array([0, 2, 2, 3], pa.int32()), keys, pa.array([1, None, 3]))
    nulls = pa.array([{"deep": [("k", [1.5])]}, None, {"deep": None}], pa.struct([("deep", NESTED_MAP)]))
    path = write_rows(tmp_path, column([LINE] * 3), maps=maps, nested=nulls)
    score_dataset(path, tmp_path / "scored.jsonl", scorer=scorer)
    rows = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["maps"] for row in rows] == [[["a", 1], ["\ufffd", None]], [], [["c", 3]]]
    assert [row["nested"] for row in rows] == [{"deep": [["k", [1.5]]]}, None, {"deep": None}]


def test_other_faults_of_such_columns_are_still_found():
    array = coloured([[[0.0, 0.0], [4.0, 0.0]]] * 2)
    check_sound(array)
    offsets = np.array([0, 2, 99, 6], np.int32)
    broken = pa.Array.from_buffers(array.type, 3, [None, pa.py_buffer(offsets)], 0, 0, [array.values])
    with pytest.raises(pa.ArrowInvalid, match="offset"):
        check_sound(broken)
