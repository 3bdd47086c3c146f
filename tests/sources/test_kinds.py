"""What a file is: told by its bytes, whatever it is called; and what is said of files that are no rows."""

from __future__ import annotations

import gzip
import io
import json
import logging
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc

from helpers.hostile_files import damaged, read_or_refused, refused
from penpal_fast import PenpalError, read_rows, score_dataset
from penpal_fast.sources.gunzip import Gunzip
from penpal_fast.sources.kinds import START_BYTES

A = [[[0.0, 9.0], [4.0, 0.0], [8.0, 9.0]], [[2.0, 5.0], [6.0, 5.0]]]
ROWS = [{"strokes": A, "text": "a"}, {"strokes": A[:1], "text": "b, [c"}]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()
TABLE = pa.Table.from_pylist(ROWS)


def parquet():
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


def arrow(make):
    sink = pa.BufferOutputStream()
    with make(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue().to_pybytes()


def zstandard(content):
    return pa.compress(content, "zstd", asbytes=True)


TABLES = {
    "lines": LINES,
    "array": json.dumps(ROWS).encode(),
    "indented array": json.dumps(ROWS, indent=1).encode(),
    "array of lines": b"[" + b",\n".join(LINES.splitlines()) + b"]\n",
    "indented objects": "\n".join(json.dumps(row, indent=2) for row in ROWS).encode(),
    "lines of old Macs": LINES.replace(b"\n", b"\r"),
    "lines of Windows": LINES.replace(b"\n", b"\r\n"),
    "a mark": b"\xef\xbb\xbf" + LINES,
    "Parquet": parquet(),
    "Arrow file": arrow(ipc.new_file),
    "Arrow stream": arrow(ipc.new_stream),
}
PACKED = {
    **TABLES,
    **{f"{name}, gzip": gzip.compress(content) for name, content in TABLES.items()},
    **{f"{name}, Zstandard": zstandard(content) for name, content in TABLES.items()},
}


@pytest.mark.parametrize("kind", PACKED)
def test_bytes_say_what_a_file_is(tmp_path, kind):
    content = PACKED[kind]
    for name in ("rows.jsonl", "rows.parquet", "rows.json", "rows.ndjson.gz", "rows.csv", "rows", "rows.txt"):
        if name == "rows.csv" and ("array" in kind or "indented" in kind):
            continue  # A first line such as "[" may be the name of a column.
        path = tmp_path / name
        path.write_bytes(content)
        found = read_rows(path)
        assert found.select(["strokes", "text"]).to_pylist() == ROWS, name


def test_a_row_of_one_object_over_many_lines(tmp_path):
    path = tmp_path / "row.jsonl"
    path.write_text(json.dumps({"strokes": [A] * 6000}, indent=1))
    assert path.stat().st_size > 1 << 20
    assert read_rows(path)["strokes"].to_pylist() == [[A] * 6000]


def test_lines_stay_lines_where_the_first_is_broken(tmp_path):
    path = tmp_path / "rows.jsonl"
    for first in (b"{broken", b"[1, 2", b"[1]", b'{"strokes": [', b"[", b"{"):
        path.write_bytes(first + b"\n" + LINES)
        assert read_rows(path)["text"].to_pylist() == [None, "a", "b, [c"], first


def test_drawings_under_other_names(tmp_path):
    path = tmp_path / "drawing.txt"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 9L4 0" stroke="#000" fill="none"/></svg>')
    assert len(read_rows(path)) == 1
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([[3, 1, 0], [1, 4, 1]]))
    (tmp_path / "offsets").write_bytes(buffer.getvalue())
    assert read_rows(tmp_path / "offsets")["id"].to_pylist() == ["x"]


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("rows.jsonl", LINES)
    return buffer.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 4659\n" % 1
FOREIGN = {
    "a pointer": (POINTER, "a Git LFS pointer in place of a file of 4,659 bytes; fetch the file with `git lfs pull`"),
    "a page": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page"),
    "a page in capitals": (b"<HTML><HEAD>", "an HTML page"),
    "a packed page": (gzip.compress(b"<html>"), "an HTML page"),
    "an answer of S3": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "refused (AccessDenied)"),
    "other XML": (b'<?xml version="1.0"?><rss></rss>', "XML with the first element <rss>"),
    "an archive": (archive(), "a ZIP archive"),
    "bzip2": (b"BZh91AY&SY" + b"\0" * 20, "packed with bzip2"),
    "a pickle": (pickle.dumps(ROWS), "a Python pickle"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 20, "HDF5"),
    "UTF-16": (LINES.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (LINES.decode().encode("utf-16-le"), "UTF-16"),
    "UTF-32": (LINES.decode().encode("utf-32-be"), "UTF-32"),
}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet", "rows.json"])
@pytest.mark.parametrize(("content", "message"), FOREIGN.values(), ids=FOREIGN)
def test_what_was_found_is_said(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    assert message in refused(path)


@pytest.mark.parametrize("name", ["rows.npy", "rows.npz", "rows.svg"])
def test_a_pickle_is_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps(ROWS))
    assert "it is a Python pickle" in refused(tmp_path / name)


STROKES = [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"strokes": [STROKES, STROKES], "text": ["a", "b"]},
            "a table written by columns; write one object for each row",
        ),
        ({"strokes": {"0": STROKES, "1": STROKES}, "text": {"0": "a", "1": "b"}}, "a table written by columns"),
        ({"data": [{"strokes": STROKES}, {"strokes": STROKES}]}, "with rows in the field 'data'; save that list"),
    ],
)
def test_a_whole_table_in_one_object_is_not_a_row(tmp_path, table, message):
    (tmp_path / "table.json").write_text(json.dumps(table))
    with pytest.raises(PenpalError, match=message):
        score_dataset(tmp_path / "table.json", tmp_path / "out.parquet")


NEXT = [[[20, 0], [24, 9]], [[26, 9]]]


@pytest.mark.parametrize(
    "row",
    [
        {"strokes": STROKES, "text": "a"},
        {"strokes": STROKES, "colors": ["red", "blue"]},
        {"strokes": [STROKES, NEXT], "words": ["a", "k"]},
        {"strokes": [STROKES, STROKES], "size": {"width": 28, "height": 9}},
    ],
)
def test_a_file_of_one_row_is_one(tmp_path, row):
    (tmp_path / "row.json").write_text(json.dumps(row))
    assert score_dataset(tmp_path / "row.json", tmp_path / "out.parquet").rows == 1


def test_csv_without_names_says_so(tmp_path):
    (tmp_path / "lines.csv").write_text(f'"{json.dumps(STROKES)}",a\n' * 2)
    with pytest.raises(
        PenpalError, match="its first line has values, not the names of the columns; put a line with names"
    ):
        score_dataset(tmp_path / "lines.csv", tmp_path / "out.parquet")


def test_why_no_line_is_an_object_is_said(tmp_path):
    for content, reason in (("{}", "an object without fields"), ('{"strokes": [],}', "line 1: trailing comma")):
        (tmp_path / "lines.jsonl").write_text(content + "\n")
        with pytest.raises(PenpalError, match=reason):
            score_dataset(tmp_path / "lines.jsonl", tmp_path / "out.parquet")


@pytest.mark.parametrize("row", [ROWS[0], [ROWS[0]], {"strokes": [[(0, 9), (4, 0)]]}, {"text": None, "strokes": A}])
def test_python_literals_are_named(tmp_path, row):
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{row!r}\n" * 3)
    assert "these are Python literals; write rows with json.dumps" in refused(path)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_python_literals_in_a_column_of_texts_are_named(tmp_path, name):
    path, text = tmp_path / name, str([[(0, 9), (4, 0)]])
    path.write_text(f'strokes,text\n"{text}",a\n' if name == "rows.csv" else json.dumps({"strokes": text}))
    with pytest.raises(PenpalError, match=r"Python literals: write it with json\.dumps"):
        score_dataset(path, tmp_path / "out.parquet")


def test_text_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"text": "é", "strokes": [[[0, 9], [4, 0]]]}\n'.encode("latin-1"))
    assert "it is not UTF-8" in refused(path)


def test_text_is_shown(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("id;strokes\n1;2\n")
    assert "the first is 'id;strokes\\n'" in refused(path)


@pytest.mark.parametrize("rest", [b"\0" * 512, b"trailing bytes", b"\n", b"\x1f"])
def test_bytes_after_gzip_cost_nothing(tmp_path, caplog, rest):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(LINES[:40]) + b"\0\0" + gzip.compress(LINES[40:]) + rest)
    with caplog.at_level(logging.WARNING):
        assert read_rows(path).to_pylist() == ROWS
    assert (str(path) in caplog.text) == bool(rest.strip(b"\0"))


def test_members_of_gzip_that_end_near_the_end_of_the_start(tmp_path, caplog):
    """The start of a file, which says what it is, may end with the first byte of a member."""
    path = tmp_path / "rows.jsonl.gz"
    usual = len(named_gzip(LINES[:40], 1))
    for length in (START_BYTES - 2, START_BYTES - 1, START_BYTES):
        first = named_gzip(LINES[:40], 1 + length - usual)
        assert len(first) == length
        path.write_bytes(first + gzip.compress(LINES[40:]))
        with caplog.at_level(logging.WARNING):
            assert read_rows(path).to_pylist() == ROWS
    assert caplog.text == ""


def named_gzip(content, length):
    """A member of gzip that names its file, with a name of this length."""
    packed = io.BytesIO()
    with gzip.GzipFile("n" * length, "wb", fileobj=packed) as file:
        file.write(content)
    return packed.getvalue()


def test_gzip_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    content = gzip.compress(LINES * 9)
    for length in (5, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        assert "cannot read it" in refused(path)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 99))
def test_gzip_is_unpacked_as_python_does(contents, size):
    packed = io.BytesIO(b"".join(map(gzip.compress, contents)))
    unpacked = Gunzip(packed, "x")
    assert b"".join(iter(lambda: unpacked.read(size), b"")) == b"".join(contents)


@given(damaged(gzip.compress(LINES * 9)))
def test_damaged_gzip(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("damaged") / "rows.jsonl"
    path.write_bytes(content)
    read_or_refused(path)


@given(st.sampled_from(list(TABLES.values())).flatmap(damaged))
def test_damaged_files_under_one_name(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("damaged") / "rows.jsonl"
    path.write_bytes(content)
    read_or_refused(path)


@pytest.mark.parametrize("empty", [b"", b"\n\n", b"[]", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_an_empty_shard_has_no_rows(tmp_path, empty):
    folder = tmp_path / "shards"
    folder.mkdir()
    for name, content in {"part-0": empty, "part-1": LINES, "part-2": empty}.items():
        (folder / f"{name}.jsonl").write_bytes(content)
    assert read_rows(folder).to_pylist() == ROWS
    (folder / "part-3.parquet").write_bytes(parquet())
    (folder / "part-1.jsonl").unlink()
    assert read_rows(folder).to_pylist() == ROWS


def test_shards_that_are_all_empty_are_refused(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.jsonl").write_bytes(b"")
    assert "a.jsonl: there are no rows in it, nor are there in the 1 other files" in refused(tmp_path)


def test_a_dangling_link_in_a_folder_is_an_error(tmp_path):
    (tmp_path / "part-0.parquet").write_bytes(parquet())
    (tmp_path / "part-1.parquet").symlink_to("nowhere")
    assert "part-1.parquet: there is no such file; it is a link to nowhere" in refused(tmp_path)


def test_links_to_folders_are_counted(tmp_path, caplog):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/part-0.parquet").write_bytes(parquet())
    (tmp_path / "data/more").symlink_to(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING):
        read_rows(tmp_path / "data")
    assert "1 links to folders are not followed" in caplog.text


@pytest.mark.parametrize("value", ['{"c": 1e400}', '{"c": [NaN, -Infinity, "Infinity"]}', "[[1e999]]"])
def test_text_that_is_made_is_valid_json(tmp_path, value):
    def refuse(constant):
        raise AssertionError(f"it has {constant}")

    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"strokes": {A}, "x": {value}}}\n{{"strokes": {A}, "x": "text"}}\n')
    found = json.loads(read_rows(path)["x"][0].as_py(), parse_constant=refuse)
    assert str(found) == str(json.loads(value)).replace("nan", "None")
