"""`.json`: an array of rows, one row, or lines; and lines in Zstandard."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.alarm import worked
from helpers.hostile_files import damaged, read_or_refused, refused
from penpal_fast import read_rows
from penpal_fast.sources import json_items

A = [[[0.0, 9.0], [4.0, 0.0], [8.0, 9.0]], [[2.0, 5.0], [6.0, 5.0]]]
ROWS = [{"strokes": A, "text": "A"}, {"strokes": A[:1], "text": 'a "[,\\" \u00e9'}, {"strokes": A, "text": None}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("start", ["", "\ufeff", " \n"])
def test_an_array_of_rows(tmp_path, indent, start):
    path = tmp_path / "rows.json"
    path.write_text(start + json.dumps(ROWS, indent=indent) + "\n", encoding="utf-8")
    assert read_rows(path).to_pylist() == ROWS


@pytest.mark.parametrize("indent", [None, 2])
def test_one_row(tmp_path, indent):
    path = tmp_path / "row.json"
    path.write_text(json.dumps(ROWS[1], indent=indent))
    assert read_rows(path).to_pylist() == ROWS[1:2]


@pytest.mark.parametrize("packed", ["", ".zst"])
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_lines(tmp_path, suffix, packed):
    path = tmp_path / f"rows{suffix}{packed}"
    content = "\n".join(map(json.dumps, ROWS * 100)).encode()
    path.write_bytes(pa.compress(content, "zstd", asbytes=True) if packed else content)
    assert read_rows(path).to_pylist() == ROWS * 100


def test_bad_items_are_bad_rows(tmp_path, caplog):
    path = tmp_path / "rows.json"
    path.write_text(f"[{json.dumps(ROWS[0])}, 7, {{broken}}, {json.dumps(ROWS[0])}]")
    assert [row["text"] for row in read_rows(path).to_pylist()] == ["A", None, None, "A"]
    assert "row 1: not JSON: item 2: expected an object, found int" in caplog.text
    assert "row 2: not JSON: item 3" in caplog.text


def test_bad_lines_are_bad_rows(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(f"{{broken\n{json.dumps(ROWS[0])}\n")
    assert [row["text"] for row in read_rows(path).to_pylist()] == [None, "A"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(ROWS)[:-1], "the array does not end"),
        (json.dumps(ROWS) + "]", "there is something after the end"),
        ("[]", "there are no rows in it"),
        ("", "there are no rows in it"),
        ("[" * 100_000, "does not end"),
        (json.dumps(ROWS).encode("utf-16"), "UTF-16"),
    ],
)
def test_whole_files_that_are_refused(tmp_path, content, message):
    path = tmp_path / "rows.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in refused(path)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize("first", ['{"strokes": {}}}}', '{"strokes": []} 7', '{"a": 1}]'])
def test_a_first_line_that_goes_on_after_its_object_is_a_bad_row(tmp_path, name, first):
    path = tmp_path / name
    path.write_text("\n".join([first, *map(json.dumps, ROWS), "{"]))
    texts = [row["text"] for row in ROWS]
    assert read_rows(path)["text"].to_pylist() == [None, *texts, None]


def test_deep_lists_are_bad_rows(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(f'[{json.dumps(ROWS[0])}, {{"strokes": {"[" * 100_000}{"]" * 100_000}}}]')
    assert read_rows(path)["text"].to_pylist() == ["A", None]


TEXTS = st.recursive(
    st.none() | st.integers() | st.text('a"\\[]{},:\n\u00e9'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\]', max_size=2), inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(TEXTS, min_size=1, max_size=6), st.integers(1, 9), st.booleans())
@example(['\\"'], 1, False)
def test_items_are_found_however_they_are_cut(items, size, indented):
    content = json.dumps(items, indent=1 if indented else None).encode()
    before = json_items.CHUNK_BYTES
    json_items.CHUNK_BYTES = size
    try:
        found = list(json_items.json_items(io.BytesIO(content), 1 << 20))
    finally:
        json_items.CHUNK_BYTES = before
    assert [json.loads(text) for _, text in found] == items
    assert [number for number, _ in found] == list(range(1, len(items) + 1))


@given(damaged(json.dumps(ROWS, indent=1).encode()), damaged(json.dumps(ROWS[0], indent=1).encode()))
def test_damaged_files(tmp_path_factory, array, row):
    path = tmp_path_factory.mktemp("damaged") / "rows.json"
    for content in (array, row):
        path.write_bytes(content)
        read_or_refused(path)


BARE = json.dumps([[[3.5, 1, 0], [1, -4, 1]], [[[1, 9], [4, 0]]]]).encode()
BARE_LINES = b"\n".join([b"[[[1, 9], [4, 0]]]", b"[[3.5, 1, 0], [1, -4, 1]]"])


@given(damaged(BARE), damaged(BARE_LINES))
def test_damaged_bare_lists(tmp_path_factory, array, lines):
    path = tmp_path_factory.mktemp("damaged") / "rows.json"
    for content in (array, lines):
        path.write_bytes(content)
        read_or_refused(path)


PACKED = pa.compress("\n".join(map(json.dumps, ROWS * 9)).encode(), "zstd", asbytes=True)


@given(damaged(PACKED))
def test_damaged_zstandard(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("damaged") / "rows.jsonl.zst"
    path.write_bytes(content)
    read_or_refused(path)


def test_zstandard_that_was_cut_short(tmp_path):
    path = tmp_path / "rows.jsonl.zst"
    for length in (len(PACKED) - 1, len(PACKED) // 2, 20):
        path.write_bytes(PACKED[:length])
        assert "cannot read it" in refused(path)


def test_zstandard_that_unpacks_to_much_more(tmp_path):
    path = tmp_path / "bomb.jsonl.zst"
    piece = pa.compress(b" " * (64 << 20), "zstd", asbytes=True)
    path.write_bytes(pa.compress(json.dumps(ROWS[0]).encode() + b"\n", "zstd", asbytes=True) + piece * 3)
    with worked(20):
        table = read_rows(path)
    assert table["text"][0].as_py() == "A"
    assert len(table) <= 2


OFFSETS = [[[3.5, 1, 0], [1, -4, 0], [-1, -4, 1], [2, 9, 0], [1, 0, 1]], [[1, 1, 0], [-2, -2, 1], [2.5, 1, 0]]]
B = [[[1.0, 9.0], [4.0, 0.0]], [[0.0, 5.0], [6.0, 5.0]], [[0.5, 5.0], [6.0, 7.0]]]
WORDS = [B, [[[x + 9, y] for x, y in stroke] for stroke in B], [[[x + 20, y] for x, y in stroke] for stroke in B]]


@pytest.mark.parametrize("rows", [OFFSETS, [A, B, A], [WORDS, WORDS]], ids=["offsets", "strokes", "words"])
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_rows_that_are_bare_lists(tmp_path, rows, suffix):
    objects, lines, array, indented = (tmp_path / f"{name}{suffix}" for name in ("objects", "lines", "array", "indent"))
    objects.write_text("\n".join(json.dumps({"strokes": row}) for row in rows))
    lines.write_text("\n".join(map(json.dumps, rows)) + "\n")
    array.write_text(json.dumps(rows))
    indented.write_text(json.dumps(rows, indent=1))
    expected = read_rows(objects).to_pylist()
    assert len(expected) == len(rows)
    for path in (lines, array, indented):
        assert read_rows(path).to_pylist() == expected


@pytest.mark.parametrize(
    "row",
    [A, OFFSETS[0], [[[x, y, 0.5] for x, y in stroke] for stroke in A], [[[0, 1, 2], [3, 5, 4]], [[7, 9], [0, 0]]]],
    ids=["strokes", "offsets", "pressure", "columns"],
)
def test_an_array_that_is_one_row(tmp_path, row):
    path, expected = tmp_path / "row.json", tmp_path / "expected.json"
    path.write_text(json.dumps(row))
    expected.write_text(json.dumps({"strokes": row}))
    assert read_rows(path).to_pylist() == read_rows(expected).to_pylist()


def test_long_rows_of_bare_lists_on_lines(tmp_path):
    row = [[0.125 * (step % 7) - 0.25, step / 8 % 1, int(step % 40 == 39)] for step in range(8000)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([json.dumps(row)] * 3))
    assert path.stat().st_size > 3 * (64 << 10)
    assert len(read_rows(path)) == 3


@pytest.mark.parametrize("end", ["\n", "\n\n  "])
@pytest.mark.parametrize("suffix", [".json", ".jsonl.gz"])
def test_a_first_bare_list_of_megabytes_on_its_line(tmp_path, monkeypatch, suffix, end):
    monkeypatch.setattr(json_items, "CHUNK_BYTES", 1 << 10)
    long = [[[step, step % 7] for step in range(700)], [[0, 1], [1, 0]]]
    opened = gzip.open if suffix.endswith(".gz") else open
    for number, rows in enumerate([[long, A, B], [A, long], [long, long], [long] * 40]):
        path = tmp_path / f"{number}{suffix}"
        with opened(path, "wt") as file:
            file.write("".join(json.dumps(row) + end for row in rows))
        assert read_rows(path)["strokes"].to_pylist() == rows


def test_an_array_of_lists_on_a_line_of_megabytes(tmp_path, monkeypatch):
    monkeypatch.setattr(json_items, "CHUNK_BYTES", 1 << 10)
    monkeypatch.setattr(json_items, "LONGEST_LIST_BYTES", 1 << 12)
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([A, B] * 200) + "\n")
    assert len(read_rows(path)) == 400


def test_words_side_by_side_may_be_one_row_or_many(tmp_path):
    path = tmp_path / "row.json"
    path.write_text(json.dumps(WORDS))
    assert "together one row, strokes of points" in refused(path)
    path.write_text("\n".join(map(json.dumps, WORDS)))
    assert len(read_rows(path)) == 3


def test_the_named_layout_says_whether_an_array_is_one_row(tmp_path):
    path = tmp_path / "rows.json"
    points = [[[1, 2, 0], [3, 4, 0], [5, 6, 0], [5, 9, 1]], [[4, 4, 0], [7, 5, 0], [8, 5, 0], [8, 6, 1]]] * 2
    path.write_text(json.dumps(points))
    assert "together one row, strokes of points" in refused(path)
    assert len(read_rows(path, layout="strokes")) == 1
    assert len(read_rows(path, layout="offsets")) == 4
    assert len(read_rows(path, layout="lifts")) == 4


def test_lists_among_objects_are_bad_rows(tmp_path, caplog):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([ROWS[0], A]))
    assert len(read_rows(path)) == 2
    assert "row 1: not JSON: item 2: expected an object, found list" in caplog.text
    path.write_text(json.dumps([B, 7, A]))
    assert [row["strokes"] is None for row in read_rows(path).to_pylist()] == [False, True, False]
    assert "row 1: not JSON: item 2: expected a list, found int" in caplog.text
