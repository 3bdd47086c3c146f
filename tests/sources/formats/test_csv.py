"""CSV with strokes as JSON in a column."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.commands import run
from helpers.hostile_files import damaged, read_or_refused, refused
from penpal_fast import PenpalError, read_rows

A = [[[0.0, 9.0], [4.0, 0.0], [8.0, 9.0]], [[2.0, 5.0], [6.0, 5.0]]]
ROWS = [["007", 'two\nlines, "quoted" and ; \u00e9', A], ["8", "", A[:1]]]


def written(rows, delimiter=",", **options):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, **options)
    writer.writerow(["id", "text", "strokes"])
    writer.writerows([[*others, json.dumps(strokes)] for *others, strokes in rows])
    return text.getvalue().encode()


@pytest.mark.parametrize("start", [b"", "\ufeff".encode()])
@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".csv", ";"), (".tsv", "\t")])
def test_rows(tmp_path, suffix, delimiter, start):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(start + written(ROWS, delimiter))
    assert read_rows(path).to_pylist() == [
        {"id": "007", "text": ROWS[0][1], "strokes": A},
        {"id": "8", "text": None, "strokes": A[:1]},
    ]


def test_long_fields_and_gzip(tmp_path):
    path = tmp_path / "rows.csv.gz"
    long = [[[float(x), 1.0] for x in range(50_000)]]
    path.write_bytes(gzip.compress(written([["1", "long", long]] * 3)))
    assert read_rows(path)["strokes"].to_pylist() == [long] * 3


def test_many_columns(tmp_path):
    """Their names are longer than the longest cell that Python's csv reads."""
    path = tmp_path / "wide.csv"
    names = [f"a;column of the name {number:0150}" for number in range(900)]
    path.write_text(",".join(["strokes", *names]) + f'\n"{json.dumps(A)}"' + ",1" * len(names) + "\n")
    found = read_rows(path)
    assert found.schema.names == ["strokes", *names]
    assert found["strokes"].to_pylist() == [A]
    path.write_text(f"strokes,{names[0]},{names[0]}\n")
    with pytest.raises(PenpalError, match="more than one column 'a;column"):
        read_rows(path)


@pytest.mark.parametrize(
    ("delimiter", "cell", "name"), [("\t", 'width"', 'width"'), (";", '6" h', '6" h'), (",", '"a;b;c;d"', "a;b;c;d")]
)
def test_quotes_in_names(tmp_path, delimiter, cell, name):
    """They are part of a name unless it begins with one."""
    path = tmp_path / "rows.csv"
    lines = ['5" w', "strokes", cell], ["1", f'"{json.dumps(A)}"', "2"]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    found = read_rows(path)
    assert found.schema.names == ['5" w', "strokes", name]
    assert found["strokes"].to_pylist() == [A]


def test_a_cell_that_is_no_json_is_a_bad_row(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(written(ROWS) + b"9,kept,not strokes\n")
    assert read_rows(path)["text"].to_pylist()[2] == "kept"
    result = run("convert", path, "-o", tmp_path / "out.parquet")
    assert "1 of 3 rows cannot be drawn" in result.output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (written(ROWS) + b"1,2\n", "Expected 3 columns, got 2"),
        (b"strokes,strokes\n1,2\n", "more than one column 'strokes'"),
        (written(ROWS).decode().encode("utf-16"), "UTF-16"),
        (written(ROWS).decode().encode("latin-1"), "UTF8"),
        (b"", "there are no rows in it"),
        (b"id,strokes\n", "there are no rows in it"),
    ],
)
def test_files_that_are_refused(tmp_path, content, message):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    assert message in refused(path)


def test_another_column(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(written(ROWS).replace(b"strokes", b"drawing"))
    result = run("convert", path, "--column", "drawing", "-o", tmp_path / "out.parquet")
    assert result.exit_code == 0, result.output
    result = run("convert", path, "-o", tmp_path / "out.parquet")
    assert "no column 'strokes'" in result.output


@given(damaged(written(ROWS)))
def test_damaged_files(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("damaged") / "rows.csv"
    path.write_bytes(content)
    read_or_refused(path)


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=5))
def test_texts_come_out_as_they_went_in(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("texts") / "rows.csv"
    texts = [[one.replace("\0", "").replace("\r", "\n") for one in row] for row in texts]
    path.write_bytes(written([[*row, A] for row in texts], lineterminator="\n"))
    table = read_rows(path)
    assert [[row["id"] or "", row["text"] or ""] for row in table.to_pylist()] == texts
