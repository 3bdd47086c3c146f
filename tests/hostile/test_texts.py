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
from penpal_fast import QualityCheck, Reader, filter_dataset, score_dataset
from penpal_fast.schema import texts_of

KINDS = {
    "string": (pa.binary, pa.string),
    "large": (pa.large_binary, pa.large_string),
    "views": (lambda: stored_views() and pa.binary_view(), stored_views),
}
TEXTS = [b"one", b"\xff\xfe", None, b"four \xc3"]
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
    from penpal_fast.look.serve.row_file import RowFile

    rows = RowFile(path, "lines.parquet", "strokes", [QualityCheck()]).page(0, 9)
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
