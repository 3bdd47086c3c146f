"""Lines of JSON come out as Python's parser reads them, whatever the lines and however they are grouped."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penpal_fast import score_dataset
from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError
from penpal_fast.schema import strokes_type
from penpal_fast.sources import json_columns, json_lines
from penpal_fast.sources.inputs import find_inputs
from penpal_fast.sources.json_columns import JsonColumns
from penpal_fast.sources.json_lines import JsonLinesSource

PENPAL_STROKES = strokes_type(pa.float64())

NUMBERS = ["0", "-0", "1", "7.5", "-3e2", "1E400", "1e-400", "NaN", "-Infinity", "Inf", "01", "1.", "+1", ".5"]
NUMBERS += ["0.1", "123456789.125", "9007199254740993", "-9223372036854775808", "1" + "0" * 30, "-0.0", "-0e5"]
TEXTS = ['"a"', '"\\u00e9\\n"', '"\u00e4"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\tb"', '"\\q"', '"NaN"']
VALUES = [
    *NUMBERS,
    *TEXTS,
    "null",
    "true",
    "false",
    "{}",
    "[]",
    '{"a": [1]}',
    '"2020-01-01"',
    "[-0]",
    '"1"',
    "[" * 150 + "]" * 150,
]
HOSTILE = ["{broken", "[1]", "{}", '{"strokes":', "}", '{"a": 1}{"a": 2}', '{"strokes": [], "strokes": 1}', "\ufeff{}"]
HOSTILE += ["'", '{"a": 1} x', "{}\0", "\x0b{}", "{}\x0c", "\xa0{}", '{"a": 1,}', '{"a": "}', '{"a": [{}', "{" * 600]
POINTS = ["[{x}, {y}]", '{{"x": {x}, "y": {y}}}', '{{"x": {x}, "y": {y}, "t": 1}}', '{{"x": {x}}}', "null"]
STROKES = ["[{points}]", '{{"points": [{points}]}}', '{{"points": [{points}], "pen": null}}', "[[{points}]]", "null"]
EXTRA = ["1", "2.5", "true", '"a"', '"[NaN"', "null", "9" * 400, "-0", "[]", "{}", '{"a": 1}', "[1]"]
STROKES += [
    f'{{{{"points": [{{points}}], "{name}": {value.replace("{", "{{").replace("}", "}}")}}}}}'
    for name in ("t", "x")
    for value in EXTRA
]
CHANGES = [b"", b"\n", b"}", b"\xff", b'"', b" ", b"{", b",", b"\0"]


@st.composite
def strokes(draw):
    """Strokes mostly of the one kind of nesting, so that files have many lines that fit."""
    point, stroke = POINTS[0], STROKES[0]
    if draw(st.integers(0, 9)) == 0:
        point, stroke = draw(st.sampled_from(POINTS)), draw(st.sampled_from(STROKES))
    number = st.integers(-99, 99).map(str) if draw(st.integers(0, 9)) else st.sampled_from(NUMBERS)
    rows = draw(st.lists(st.lists(st.tuples(number, number), max_size=3), max_size=2))
    points = [", ".join(point.format(x=x, y=y) for x, y in row) for row in rows]
    return f"[{', '.join(stroke.format(points=one) for one in points)}]"


@st.composite
def lines(draw):
    if draw(st.integers(0, 19)) == 0:
        return draw(st.sampled_from(HOSTILE))
    names = draw(st.lists(st.sampled_from(["id", "text", "new"]), unique=True))
    items = [f'"strokes": {draw(strokes())}', *(f'"{name}": {draw(st.sampled_from(VALUES))}' for name in names)]
    if draw(st.integers(0, 9)) == 0:
        items = draw(st.permutations(items))
    return "{" + ", ".join(items) + "}"


@st.composite
def files(draw):
    """Lines, some of their bytes changed."""
    end = draw(st.sampled_from(["\n", "\r\n", " \n\n"]))
    content = bytearray(end.join(draw(st.lists(lines(), max_size=24))).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        if content:
            place = draw(st.integers(0, len(content) - 1))
            content[place : place + 1] = draw(st.sampled_from(CHANGES))
    return bytes(content)


def read(path, rows):
    """Columns and rows, and what is wrong with rows."""
    (file,) = find_inputs(path)
    try:
        source = JsonLinesSource(file, JsonColumns("strokes"))
    except PenpalError as error:
        return str(error)
    found, problems = [], {}
    for batch in source.batches(rows):
        batch.data.validate(full=True)
        problems |= {len(found) + row: text for row, text in batch.problems.items()}
        found += batch.data.to_pylist()
    assert source.rows == len(found)
    return source.schema, found, dict(sorted(problems.items()))


def parsed_by_python(content):
    """The object of each line that is no blank one; None for a bad line."""
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        try:
            parsed = json.loads(line.decode("utf-8-sig"))
            json.dumps(parsed, ensure_ascii=False).encode()  # Half a surrogate pair cannot be.
        except (ValueError, RecursionError):
            parsed = None
        yield parsed if isinstance(parsed, dict) else None


def drawn(strokes):
    """The points of a row word by word; None if it cannot be drawn."""
    rows = Rows([strokes])
    return None if rows.problems() else [[stroke.tolist() for stroke in word] for word in rows.words(0)]


def as_column(value, kind):
    if kind == "double" and type(value) is int:
        return float(value)
    if value is None or kind != "string" or isinstance(value, str):
        return value
    odd = {"NaN": "null", "Infinity": "1e999"}
    text_or_odd = r'"(?:[^"\\]|\\.)*"|\b(?:NaN|Infinity)\b'
    return re.sub(text_or_odd, lambda found: odd.get(found[0], found[0]), json.dumps(value))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "lines.jsonl"


GOOD = b'{"strokes": [[[0, 0], [3, 1], [4, 0]]]}\n'


@example(GOOD * 3 + b'{"strokes":[[[0,0]]\n}{"strokes":[[[0,0]]]}', 512, 8)
@example(GOOD * 9 + b'{"strokes": [[[0, 0]], "id": 1}\n' * 9 + b'{"strokes": [[[0, 0]]], "id": 2.5}\n', 512, 1)
@example(b'{"strokes": [[[0, 0]]], "id": null}\n' * 9 + b'{"id": "a"}\n' * 9 + b'{"id": 1}', 512, 1)
@example(
    GOOD * 9 + b'{"strokes": [[[0, 0]]], "new": 7.5}\n' + b'{"strokes": [[[0, 0]]], "new": 9007199254740993}', 512, 1
)
@example(GOOD + b'{"strokes": [{"points": [[0, 0]], "t": 1' + b"0" * 400 + b"}]}", 512, 1)
@example(b'{"strokes": [{"points": [[0, 0]], "t": 1' + b"0" * 400 + b"}]}\n" + GOOD, 1, 1)
@example(b'{"strokes": [{"points": [[0, 0]], "t": 1' + b"0" * 400 + b"}]}", 1, 1)
@given(files(), st.sampled_from([1, 5, 512]), st.sampled_from([1, 200, json_lines.PIECE_BYTES]))
def test_rows_are_as_python_reads_them(path, content, rows, piece):
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "PIECE_BYTES", piece)
        found = read(path, rows)
    expected = list(parsed_by_python(content))
    if any(parsed and drawn(parsed.get("strokes") or []) for parsed in expected):
        # Where no row can be drawn, the type of the strokes is that of the first lines' layout, as far as one shows.
        assert repr(found) == repr(read(path, 512))
    if isinstance(found, str):
        assert not any(expected)
        return
    schema, found, problems = found
    assert len(found) == len(expected)
    for row, (values, parsed) in enumerate(zip(found, expected, strict=True)):
        # A file whose lines are lists is one of rows.
        assert parsed is not None or problems[row].startswith(("not JSON: line ", "wrong type: "))
        parsed = parsed or {}
        for field in schema:
            if field.name not in ("strokes", "strokes_json"):
                assert repr(values[field.name]) == repr(as_column(parsed.get(field.name), str(field.type)))
        if row in problems and "strokes" in parsed:
            is_kept = values["strokes"] is not None or values.get("strokes_json") is not None
            assert is_kept == (parsed["strokes"] is not None)
        elif "strokes" in parsed and pa.types.is_nested(schema.field("strokes").type):
            assert drawn(values["strokes"]) == drawn(parsed["strokes"])


POINTS_20 = json.dumps([{"x": point % 7, "y": point * point % 11} for point in range(20)])


def test_a_stroke_may_have_a_field_called_x(tmp_path):
    """It is a stroke still, and other rows keep their fields."""
    path = tmp_path / "lines.jsonl"
    rows = [f'{{"points": {POINTS_20}, "t": 1}}'] * 3 + [f'{{"points": {POINTS_20}, "x": 1, "y": 2}}']
    path.write_text("".join(f'{{"strokes": [[{row}]]}}\n' for row in rows))
    score_dataset(path, tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["quality_error"].null_count == len(rows)
    assert len(set(table["quality"].to_pylist())) == 1
    found = [row[0][0] for row in table["strokes"].to_pylist()]
    assert [(row["t"], row["x"]) for row in found] == [(1, None)] * 3 + [(None, 1)]


@pytest.mark.parametrize("rows", [1, 512])
@pytest.mark.parametrize("after", ["", "{broken"])
def test_a_row_does_not_depend_on_its_neighbours(path, rows, after):
    """An integer that Python makes no float is infinite for PyArrow."""
    good = f'{{"strokes": [{{"points": {POINTS_20}, "t": 1}}]}}\n'
    path.write_text(good * 80 + good.replace('"t": 1', f'"t": {"1" * 400}') + after)
    assert 80 in read(path, rows)[2]


@pytest.mark.parametrize("values", [["1"] * 8 + ['"a"'] * 7 + ["1"], ["1"] * 70 + ['"a"'], ["1"] * 70 + ['"[NaN"']])
def test_fields_of_different_kinds_are_left_out(path, values):
    """No row is lost, however they fall into groups."""
    path.write_text("".join(f'{{"strokes": [{{"points": {POINTS_20}, "t": {value}}}]}}\n' for value in values))
    schema, _, problems = read(path, 512)
    assert not problems
    assert schema.field("strokes").type == PENPAL_STROKES


def test_a_file_without_strokes_among_others(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    (tmp_path / "b.jsonl").write_bytes(GOOD.replace(b"strokes", b"strokez"))
    with pytest.raises(PenpalError, match=r"b.jsonl: none of its lines has strokes under 'strokes'"):
        score_dataset(tmp_path, tmp_path.with_suffix(".parquet"))


def test_files_that_have_too_many_columns_together(tmp_path):
    for name in "ab":
        row = {"strokes": [[[0, 0], [3, 1], [4, 0]]], **{f"{name}{column}": 1 for column in range(700)}}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    with pytest.raises(
        PenpalError, match=r"b.jsonl: with the names in this file, .* over 1,000 columns; leave some out"
    ):
        score_dataset(tmp_path, tmp_path.with_suffix(".parquet"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_are_refused(path, encoding):
    """A byte-order mark of UTF-8 may be on any line, as files may be concatenated."""
    line = "\ufeff" * encoding.endswith("be") + GOOD.decode()
    path.write_bytes(line.encode(encoding) * 2)
    found = read(path, 512)
    if encoding == "utf-8-sig":
        assert len(found[1]) == 2
        assert not found[2]
    else:
        assert found == f"{path}: it is UTF-16 or UTF-32; convert it to UTF-8 first"


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le"])
def test_a_line_in_another_encoding_costs_itself(tmp_path, encoding):
    """Without a mark, it is a line that is not UTF-8, whatever Python's parser makes of it."""
    path = tmp_path / "lines.jsonl"
    line = GOOD.decode().replace("}", ', "text": "\ud800"}').rstrip("\n").encode(encoding, "surrogatepass")
    path.write_bytes(GOOD + line + b"\n" + GOOD)
    summary = score_dataset(path, tmp_path / "out.parquet")
    assert (summary.rows, summary.bad) == (3, 1)
    problem = pq.read_table(tmp_path / "out.parquet")["quality_error"][1].as_py()
    assert problem.startswith("not JSON: line 2: ")


@pytest.mark.parametrize("many", ["point", "stroke", "nested"])
def test_strokes_with_too_many_fields_lose_them(path, many, monkeypatch):
    monkeypatch.setattr(json_columns, "MAX_FIELDS", 20)
    monkeypatch.setattr(json_columns, "MAX_COLUMNS", 50)
    fields = {f"name {name}": {"a": 1, "b": 2, "c": 3} if many == "nested" else 1 for name in range(19)}
    points = [{"x": x, "y": x * x, **(fields if many == "point" else {})} for x in range(3)]
    path.write_text(json.dumps({"strokes": [{"points": points, **({} if many == "point" else fields), "t": 1}]}))
    schema, found, problems = read(path, 512)
    assert schema.field("strokes").type == PENPAL_STROKES
    assert drawn(found[0]["strokes"]) == [[[[0, 0], [1, 1], [2, 4]]]]
    assert not problems


@pytest.mark.parametrize(("depth", "kept"), [(13, True), (14, False), (150, False)])
def test_fields_that_are_nested_too_deep_are_left_out(path, depth, kept):
    field = "[" * depth + "1" + "]" * depth
    path.write_text(f'{{"strokes": [[{{"points": {POINTS_20}, "deep": {field}, "t": 1}}]]}}')
    schema, found, problems = read(path, 512)
    assert not problems
    assert ("deep" in str(schema)) == kept
    assert found[0]["strokes"][0][0]["t"] == 1


@pytest.mark.parametrize("lists_first", [True, False])
def test_lists_in_one_file_and_json_text_in_another_become_text(tmp_path, lists_first):
    offsets, meta = [[0, 9, 0], [4, -9, 0], [4, 9, 1], [-2, -4, 0], [3, 0, 1]], {"a": [1]}
    lists, texts, out = (tmp_path / f"{name}.jsonl" for name in ("lists", "texts", "out"))
    lists.write_text(json.dumps({"strokes": offsets, "meta": meta}) + "\n")
    texts.write_text(json.dumps({"strokes": json.dumps(offsets), "meta": json.dumps(meta)}) + "\n")
    summary = score_dataset([lists, texts] if lists_first else [texts, lists], out)
    assert (summary.rows, summary.bad) == (2, 0)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [json.loads(row["strokes"]) for row in rows] == [offsets] * 2
    assert [json.loads(row["meta"]) for row in rows] == [meta] * 2
    assert rows[0]["quality"] == rows[1]["quality"]
    lists.write_text('{"strokes": [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]}\n')
    texts.write_text('{"strokes": "[[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]"}\n')
    with pytest.raises(PenpalError, match=r"texts\.jsonl: its only row cannot be scored; row 0: wrong type"):
        score_dataset([lists, texts], out)
    assert score_dataset(texts, out).bad == 0  # In a job of its own.


def test_files_get_columns_that_suit_all_of_them(tmp_path):
    """What one file has of a column and another has not, or has of another type, or nested otherwise, is kept."""
    files = {
        "a": {"strokes": [[[0, 0], [3, 1], [4, 0]]], "id": 1, "only": True},
        "b": {"id": 2.5, "strokes": [{"points": [{"x": 0, "y": 0}, {"x": 3, "y": 1}, {"x": 4, "y": 0}]}], "tag": "t"},
    }
    for name, row in files.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    score_dataset(tmp_path, tmp_path.with_suffix(".parquet"))
    table = pq.read_table(tmp_path.with_suffix(".parquet"))
    assert table.schema.field("strokes").type == PENPAL_STROKES
    assert table.select(["id", "only", "tag"]).to_pylist() == [
        {"id": 1.0, "only": True, "tag": None},
        {"id": 2.5, "only": None, "tag": "t"},
    ]
    assert len(set(table["quality"].to_pylist())) == 1
