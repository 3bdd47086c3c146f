"""PyArrow's parser and Python's give the same rows of JSON lines, whatever the lines."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penpal_fast import score_dataset
from penpal_fast.errors import PenpalError
from penpal_fast.sources import json_arrow, json_batches, json_columns
from penpal_fast.sources.inputs import find_inputs
from penpal_fast.sources.json_columns import JsonColumns
from penpal_fast.sources.json_lines import JsonLinesSource
from penpal_fast.sources.json_rows import PENPAL_STROKES

NUMBERS = ["0", "-0", "1", "7.5", "-3e2", "1E400", "1e-400", "NaN", "-Infinity", "Inf", "01", "1.", "+1", ".5"]
NUMBERS += ["0.1", "123456789.125", "9007199254740993", "-9223372036854775808", "1" + "0" * 30, "-0.0", "-0e5"]
TEXTS = ['"a"', '"\\u00e9\\n"', '"\u00e4"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\tb"', '"\\q"', '"NaN"']
VALUES = [*NUMBERS, *TEXTS, "null", "true", "false", "{}", "[]", '{"a": [1]}', '"2020-01-01"', "[-0]", '"1"']
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
    """Columns and rows, as text that tells -0.0 from 0.0."""
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
    return str(source.schema), source.rows, repr(found), problems


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "lines.jsonl"


GOOD = b'{"strokes": [[[0, 0], [3, 1]]]}\n'


@example(GOOD * 3 + b'{"strokes":[[[0,0]]\n}{"strokes":[[[0,0]]]}', 512, 8)
@example(GOOD * 9 + b'{"strokes": [[[0, 0]], "id": 1}\n' * 9 + b'{"strokes": [[[0, 0]]], "id": 2.5}\n', 512, 1)
@example(b'{"strokes": [[[0, 0]]], "id": null}\n' * 9 + b'{"id": "a"}\n' * 9 + b'{"id": 1}', 512, 1)
@example(
    GOOD * 9 + b'{"strokes": [[[0, 0]]], "new": 7.5}\n' + b'{"strokes": [[[0, 0]]], "new": 9007199254740993}', 512, 1
)
@given(files(), st.sampled_from([1, 5, 512]), st.sampled_from([1, 3, 8]))
def test_both_parsers_give_the_same_rows(path, content, rows, piece):
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_arrow, "PIECE_LINES", piece)
        found = read(path, rows)
        patch.setattr(json_arrow, "parse_lines", lambda *_: None)
        assert found == read(path, rows)


def test_lines_like_one_another_are_not_parsed_by_python(path, monkeypatch):
    row = {"strokes": [[{"points": [{"x": 0, "y": 1.5}, {"x": 2, "y": 0}]}]], "id": 7, "text": "\u00e9", "new": None}
    path.write_text(f"{json.dumps(row)}\n" * 100)
    parsed = []
    for module in (json_columns, json_batches):
        real = module.parsed_line
        spy = lambda number, text, real=real: parsed.append(number) or real(number, text)  # noqa: E731
        monkeypatch.setattr(module, "parsed_line", spy)
    assert read(path, 512)[1] == 100
    assert len(parsed) <= json_arrow.PIECE_LINES


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
    assert 80 in read(path, rows)[3]


@pytest.mark.parametrize("values", [["1"] * 8 + ['"a"'] * 7 + ["1"], ["1"] * 70 + ['"a"'], ["1"] * 70 + ['"[NaN"']])
def test_fields_of_different_kinds_are_left_out(path, values):
    """No row is lost, however they fall into groups."""
    path.write_text("".join(f'{{"strokes": [{{"points": {POINTS_20}, "t": {value}}}]}}\n' for value in values))
    schema, _, _, problems = read(path, 512)
    assert not problems
    assert "t: " not in schema


def test_a_file_without_strokes_among_others(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    (tmp_path / "b.jsonl").write_bytes(GOOD.replace(b"strokes", b"strokez"))
    with pytest.raises(PenpalError, match=r"b.jsonl: none of its lines has strokes under 'strokes'"):
        score_dataset(tmp_path, tmp_path.with_suffix(".parquet"))


def test_files_that_have_too_many_columns_together(tmp_path):
    for name in "ab":
        row = {"strokes": [[[0, 0], [3, 1]]], **{f"{name}{column}": 1 for column in range(700)}}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    with pytest.raises(PenpalError, match=r"b.jsonl: with its names, .* over 1,000 columns"):
        score_dataset(tmp_path, tmp_path.with_suffix(".parquet"))


def test_python_goes_on_where_pyarrow_is_of_no_use(path, monkeypatch):
    path.write_text('{"strokes": [[[0, 0], [3, 1]]], "meta": {}}\n' * 3000)
    tried = []
    real = json_arrow.parse_lines
    monkeypatch.setattr(json_arrow, "parse_lines", lambda texts, *rest: tried.append(len(texts)) or real(texts, *rest))
    assert read(path, 100)[1] == 3000
    assert sum(tried) <= 4 * 2 * json_arrow.VAIN_LINES


def test_files_get_columns_that_suit_all_of_them(tmp_path):
    """What one file has of a column and another has not, or has of another type, or nested otherwise, is kept."""
    files = {
        "a": {"strokes": [[[0, 0], [3, 1]]], "id": 1, "only": True},
        "b": {"id": 2.5, "strokes": [{"points": [{"x": 0, "y": 0}, {"x": 3, "y": 1}]}], "tag": "t"},
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
