"""Files in, a scored file out: nothing lost, nothing reordered, no half file left."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.made_lines import scrawl
from helpers.rights import without_rights
from penpal_fast import PenpalError, score_dataset
from penpal_fast.jobs import parts
from penpal_fast.schema import strokes_type
from penpal_fast.sources import json_lines, memory
from penpal_fast.sources.streams import open_sources

ROWS = [scrawl(seed, 2 + seed % 3, 12) for seed in range(30)]


@pytest.fixture
def lines(tmp_path):
    table = pa.table({"strokes": column([*ROWS, None]), "text": [f"line {row}" for row in range(31)]})
    path = tmp_path / "lines.parquet"
    pq.write_table(table.replace_schema_metadata({"origin": "tests"}), path, row_group_size=7)
    return path


def test_a_parquet_file(lines, tmp_path, scorer):
    seen = []
    summary = score_dataset([lines], tmp_path / "out.parquet", scorer=scorer, progress=lambda *now: seen.append(now))
    written, original = pq.read_table(tmp_path / "out.parquet"), pq.read_table(lines)
    assert written.schema.names == ["strokes", "text", "quality", "quality_error", "quality_note"]
    assert written.schema.metadata[b"origin"] == b"tests"
    assert written.select(["strokes", "text"]).equals(original)
    assert np.allclose(written["quality"].to_pylist()[:30], scorer.score(ROWS), atol=1e-5)
    assert written["quality_error"].to_pylist() == [None] * 30 + ["null: the row is null"]
    assert (summary.rows, summary.scored, summary.bad, summary.reasons) == (31, 30, 1, {"null": 1})
    assert seen[-1] == (31, 31)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.parquet", "out.parquet"]


@pytest.mark.parametrize(("batch_rows", "group_rows"), [(1, 1), (4, 10), (100, 100)])
def test_batches_and_row_groups_do_not_matter(lines, tmp_path, scorer, monkeypatch, batch_rows, group_rows):
    score_dataset([lines], tmp_path / "expected.parquet", scorer=scorer)
    monkeypatch.setattr(memory, "BATCH_ROWS", batch_rows)
    monkeypatch.setattr(parts, "GROUP_ROWS", group_rows)
    score_dataset([lines], tmp_path / "out.parquet", scorer=scorer)
    found, expected = pq.read_table(tmp_path / "out.parquet"), pq.read_table(tmp_path / "expected.parquet")
    assert found.drop(["quality"]).equals(expected.drop(["quality"]))
    assert np.allclose(found["quality"].to_pylist()[:30], expected["quality"].to_pylist()[:30], atol=1e-5)


def test_several_files_follow_one_another(lines, tmp_path, scorer):
    summary = score_dataset([lines, lines], tmp_path / "out.parquet", scorer=scorer)
    assert summary.rows == 62
    assert pq.read_table(tmp_path / "out.parquet")["text"].to_pylist() == [f"line {row}" for row in range(31)] * 2


def test_scoring_a_scored_file_again(lines, tmp_path, scorer):
    score_dataset([lines], tmp_path / "once.parquet", scorer=scorer)
    score_dataset([tmp_path / "once.parquet"], tmp_path / "twice.parquet", scorer=scorer)
    assert pq.read_table(tmp_path / "twice.parquet").equals(pq.read_table(tmp_path / "once.parquet"))


def test_the_strokes_may_not_be_where_the_scores_go(lines, tmp_path, scorer):
    pq.write_table(pq.read_table(lines).rename_columns(["quality", "text"]), lines)
    with pytest.raises(PenpalError, match="cannot read the column 'quality', which the checks write"):
        score_dataset([lines], tmp_path / "out.parquet", scorer=scorer, column="quality")


def test_hugging_face_features_get_the_new_columns(lines, tmp_path, scorer):
    features = {"text": {"dtype": "string", "_type": "Value"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(pq.read_table(lines).replace_schema_metadata(metadata), lines)
    score_dataset([lines], tmp_path / "out.parquet", scorer=scorer)
    found = json.loads(pq.read_schema(tmp_path / "out.parquet").metadata[b"huggingface"])["info"]["features"]
    assert found == {
        **features,
        "quality": {"dtype": "float32", "_type": "Value"},
        "quality_error": {"dtype": "string", "_type": "Value"},
        "quality_note": {"dtype": "string", "_type": "Value"},
    }


def odd_lines():
    strokes = [[[list(point) for point in stroke] for stroke in row] for row in ROWS[:3]]
    return [
        json.dumps({"strokes": strokes[0], "id": 1, "tag": "a"}),
        json.dumps({"id": 2.5, "strokes": strokes[1], "tag": {"deep": [1]}, "new": None}),
        "",
        "{broken",
        "[1, 2]",
        json.dumps({"strokes": "ink", "id": 3}),
        json.dumps({"id": 4}),
        json.dumps({"strokes": [{"points": [{"x": 1, "y": 2}]}]}),
        '{"strokes": [[[0, NaN]]], "id": null}',
        json.dumps({"strokes": [[[0, 0], [1, 2, 3]]]}),
        json.dumps({"strokes": [[[int(x), int(y)] for x, y in stroke] for stroke in ROWS[2]], "extra": True}),
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson.gz"])
@pytest.mark.parametrize("batch_rows", [1, 512])
def test_json_lines(tmp_path, scorer, suffix, batch_rows, monkeypatch):
    monkeypatch.setattr(memory, "BATCH_ROWS", batch_rows)
    path = tmp_path / f"lines{suffix}"
    content = "\n".join(odd_lines()).encode()
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    summary = score_dataset([path], tmp_path / "out.parquet", scorer=scorer)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.names[:6] == ["strokes", "id", "tag", "new", "extra", "strokes_json"]
    assert table.schema.names[6:] == ["quality", "quality_error", "quality_note"]
    assert [text for text in table["strokes_json"].to_pylist() if text] == [
        '"ink"',
        "[[[0, null]]]",
        "[[[0, 0], [1, 2, 3]]]",
    ]
    assert table["id"].to_pylist() == [1, 2.5, None, None, 3, 4, None, None, None, None]
    assert table["tag"].to_pylist()[:2] == ["a", '{"deep": [1]}']
    whole = [[(int(x), int(y)) for x, y in stroke] for stroke in ROWS[2]]
    quality = table["quality"].to_pylist()
    assert np.allclose([quality[0], quality[1], quality[9]], scorer.score([*ROWS[:2], whole]), atol=1e-5)
    assert [value is None for value in quality[2:9]] == [True] * 4 + [False] + [True] * 2
    reasons = [text and text.partition(":")[0] for text in table["quality_error"].to_pylist()]
    wrong = "wrong type"
    assert reasons == [None, None, "not JSON", "not JSON", wrong, "null", None, "non-finite coordinate", wrong, None]
    assert "line 4" in table["quality_error"][2].as_py()
    assert summary.rows == 10
    (word,) = table["strokes"][0].as_py()
    assert [[(point["x"], point["y"]) for point in stroke["points"]] for stroke in word] == ROWS[0]


@pytest.mark.parametrize("ending", ["\n", ""])
@pytest.mark.parametrize("length", [200, 201, 399, 400, 1000])
def test_a_json_line_that_is_too_long_costs_its_row_only(tmp_path, scorer, monkeypatch, length, ending):
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 200)
    good = json.dumps({"strokes": [[[0, 0], [3, 4], [4, 0]]], "id": 1})
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join([good, good[:-1] + " " * (length - len(good)) + "}", good, " " * length]) + ending)
    summary = score_dataset(path, tmp_path / "out.parquet", scorer=scorer)
    table = pq.read_table(tmp_path / "out.parquet")
    assert summary.scored == 2
    assert (
        table["quality_error"].to_pylist()
        == [
            None,
            "too long: line 2 has 200 bytes or more",
            None,
            "too long: line 4 has 200 bytes or more",
        ][: len(table)]
    )
    assert table["id"].to_pylist()[:3] == [1, None, 1]


def test_json_lines_in_the_penpal_schema(tmp_path, scorer):
    path = tmp_path / "lines.jsonl"
    row = [[{"points": [{"x": x, "y": y} for x, y in stroke]}] for stroke in ROWS[0]]
    path.write_text(json.dumps({"strokes": row}))
    score_dataset([path], tmp_path / "out.parquet", scorer=scorer)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["strokes"].to_pylist() == [row]
    assert table["quality"][0].as_py() == pytest.approx(float(scorer.score(ROWS[:1])[0]), abs=1e-5)


def test_json_lines_of_which_none_can_be_drawn(tmp_path, scorer):
    path = tmp_path / "lines.jsonl"
    path.write_text('{"strokes": "ink"}\n{"strokes": []}\n')
    with pytest.raises(
        PenpalError, match=r"none of its 2 rows can be scored; row 0: wrong type: .*; its 'strokes' is "
    ):
        score_dataset([path], tmp_path / "out.parquet", scorer=scorer)


def scored_json(tmp_path, scorer, *lines):
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(lines))
    score_dataset([path], tmp_path / "out.parquet", scorer=scorer)
    return pq.read_table(tmp_path / "out.parquet")


GOOD = '"strokes": [[[0, 0], [3, 1], [4, 0]]]'


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (["true", "null"], [True, None]),
        (["1", "-9223372036854775807"], [1, -(2**63) + 1]),
        (["1", "2.5"], [1.0, 2.5]),
        (["9007199254740993", "0.5"], ["9007199254740993", "0.5"]),
        (["1" + "0" * 30], ["1" + "0" * 30]),
        (['"a"', "1"], ["a", "1"]),
        (["true", "1"], ["true", "1"]),
        (["{}", "null"], ["{}", None]),
        (["[" * 150 + "]" * 150], ["[" * 150 + "]" * 150]),
        (["null", "null"], [None, None]),
    ],
)
def test_other_json_columns_lose_nothing(tmp_path, scorer, values, column):
    table = scored_json(tmp_path, scorer, *(f'{{{GOOD}, "v": {value}}}' for value in values))
    assert table["v"].to_pylist() == column
    assert table["quality"].null_count == 0


@pytest.mark.parametrize(
    ("strokes", "kept"),
    [
        ('[{"points": [{"x": 0, "y": 0, "t": 1}], "pen": {}}]', [{"points": [{"x": 0.0, "y": 0.0, "t": 1.0}]}]),
        ("[[[0, 1152921504606846977], [9, 0], [8, 0]]]", [[[0.0, 2.0**60], [9.0, 0.0], [8.0, 0.0]]]),
    ],
)
def test_odd_json_strokes_are_drawn(tmp_path, scorer, strokes, kept):
    table = scored_json(tmp_path, scorer, f'{{"strokes": {strokes}}}')
    assert table["strokes"].to_pylist() == [kept]
    assert table["quality"].null_count == 0


def test_rows_that_nest_in_different_ways_get_the_penpal_schema(tmp_path, scorer):
    strokes = [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]
    points = [[{"x": x, "y": y} for x, y in stroke] for stroke in strokes]
    dicts = [{"points": stroke} for stroke in points]
    forms = [strokes, points, dicts, [strokes], [points], [dicts], [{"points": stroke} for stroke in strokes]]
    table = scored_json(tmp_path, scorer, *(json.dumps({"strokes": form}) for form in forms))
    assert table["quality_error"].null_count == len(forms)
    assert len(set(table["quality"].to_pylist())) == 1
    assert table.schema.field("strokes").type == strokes_type(pa.float64())
    for row in table["strokes"].to_pylist():
        assert [stroke for word in row for stroke in word] == dicts


def test_points_of_some_rows_where_others_have_strokes(tmp_path, scorer):
    """PyArrow would make both one struct, with points or with coordinates."""
    points = [[{"x": x, "y": y} for x, y in stroke] for stroke in [[(0, 9), (4, 0), (8, 9)], [(2, 5), (6, 5)]]]
    words = [[{"points": stroke} for stroke in points]]
    table = scored_json(tmp_path, scorer, json.dumps({"strokes": points}), json.dumps({"strokes": words}))
    assert table["quality_error"].to_pylist() == [None, None]
    assert table.schema.field("strokes").type == strokes_type(pa.float64())


def test_fields_that_only_later_rows_have_are_kept(tmp_path, scorer):
    rows = ['[{"points": [{"x": 0, "y": 0}]}]', '[{"points": [{"x": 0, "y": 0}], "pen": "red"}]']
    table = scored_json(tmp_path, scorer, *(f'{{"strokes": {row}}}' for row in rows))
    assert [row[0]["pen"] for row in table["strokes"].to_pylist()] == [None, "red"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"strokes": [[[true, false], [false, true]]]}', "wrong type"),
        ('{"strokes": [[[0, 0]]], "v": "\\ud800"}', "not JSON"),
        ('{"strokes": [[[0, 0]]], "\\udfff": 1}', "not JSON"),
        ('{"strokes": [{"points": [[0]]}]}', "wrong type"),
    ],
)
def test_a_bad_json_line_costs_only_its_row(tmp_path, scorer, line, reason):
    table = scored_json(tmp_path, scorer, f"{{{GOOD}}}", line, f"{{{GOOD}}}")
    assert [value is None for value in table["quality"].to_pylist()] == [False, True, False]
    assert table["quality_error"][1].as_py().startswith(f"{reason}: ")


def damaged(lines, tmp_path):
    content = bytearray(lines.read_bytes())
    content[4:64] = bytes(60)
    path = tmp_path / "damaged.parquet"
    path.write_bytes(content)
    return path


def truncated(lines, tmp_path):
    path = tmp_path / "truncated.parquet"
    path.write_bytes(lines.read_bytes()[:-300])
    return path


def other_columns(_lines, tmp_path):
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"strokes": column(ROWS[:2])}), path)
    return path


def named(name, content=b""):
    def make(_lines, tmp_path):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return make


def folder(_lines, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("no lines")
    return tmp_path / "folder"


PROBLEMS = {
    "damaged": (damaged, "the Parquet file is damaged"),
    "truncated": (truncated, "cannot read it as a Parquet file"),
    "empty": (named("empty.parquet"), "cannot read it as a Parquet file: the file is empty"),
    "other columns": (
        other_columns,
        r"other.parquet and .*lines.parquet have different columns.*\n  text: no such column against string$",
    ),
    "missing": (lambda _lines, tmp_path: tmp_path / "missing.parquet", "there is no such file"),
    "empty folder": (folder, "there are no files whose names end with one of .parquet, .pq"),
    "empty glob": (lambda _lines, tmp_path: tmp_path / "*.jsonl", "there are no files whose names end with one of"),
    "other kind": (named("lines.docx"), "the name must end with one of .parquet, .pq, .jsonl"),
    "no objects": (
        named("lines.jsonl", b"7"),
        "no line is a JSON object; each must be an object with the strokes under 'strokes'",
    ),
    "not gzip": (named("lines.jsonl.gz", b"\x1f\x8b{}"), "cannot read it"),
    "cut gzip": (named("cut.jsonl.gz", gzip.compress(b'{"strokes": []}' * 99)[:-9]), "cannot read it"),
}


@pytest.mark.parametrize(("make", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_files_that_cannot_be_used_leave_nothing_behind(lines, tmp_path, scorer, make, message):
    path = make(lines, tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PenpalError, match=message):
        score_dataset([lines, path], tmp_path / "out.parquet", scorer=scorer)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["lines.parquet", "lines.jsonl", "folder"])
def test_what_may_not_be_read_is_said(lines, scorer, name):
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        path = Path(place) / name
        path.mkdir() if name == "folder" else path.write_bytes(lines.read_bytes())
        path.chmod(0)
        with without_rights(), pytest.raises(PenpalError, match=rf"{path}: cannot read it.*Permission denied"):
            score_dataset(path, Path(place) / "out.parquet", scorer=scorer)
        Path(place).chmod(0)
        with without_rights(), pytest.raises(PenpalError, match=rf"{path}: cannot read it: .*Permission denied"):
            score_dataset(path, Path(place) / "out.parquet", scorer=scorer)
        Path(place).chmod(0o700)
        assert [file.name for file in Path(place).iterdir()] == [name]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"ink": ["blue"], "n": [1]},
            "no column 'strokes'; name the one .*\nthe columns are\n  ink: string\n  n: int64\nst",
        ),
        (
            {"strokes": ["blue"]},
            "the column 'strokes' does not hold strokes\nthe columns are\n  strokes: string\nstrokes are",
        ),
    ],
    ids=["missing", "wrong type"],
)
def test_a_column_without_strokes_is_named_with_the_others(tmp_path, scorer, table, message):
    pq.write_table(pa.table(table), tmp_path / "lines.parquet")
    with pytest.raises(PenpalError, match=message):
        score_dataset(tmp_path / "lines.parquet", tmp_path / "out.parquet", scorer=scorer)


@pytest.mark.parametrize("kind", [pa.null(), column([]).type])
def test_a_column_of_nothing_but_nulls(tmp_path, scorer, kind):
    pq.write_table(pa.table({"strokes": pa.nulls(3, kind)}), tmp_path / "lines.parquet")
    with pytest.raises(PenpalError, match=r"lines.parquet: none of its 3 rows can be scored; row 0: null"):
        score_dataset(tmp_path / "lines.parquet", tmp_path / "out.parquet", scorer=scorer)


@pytest.mark.parametrize("output", ["out.parquet", "out"])
@pytest.mark.parametrize("groups", [0, 1])
@pytest.mark.parametrize("copied", [True, False])
def test_a_file_without_rows(lines, tmp_path, scorer, monkeypatch, output, groups, copied):
    table = pq.read_table(lines).slice(0, 0)
    with pq.ParquetWriter(tmp_path / "none.parquet", table.schema) as writer:
        for _ in range(groups):
            writer.write_table(table)
    if not copied:
        monkeypatch.setattr("penpal_fast.jobs.parts.can_be_copied", lambda _sources: False)
    summary = score_dataset(tmp_path / "none.parquet", tmp_path / output, scorer=scorer)
    assert (summary.rows, summary.mean) == (0, None)
    found = pq.read_table(tmp_path / output)
    assert (found.num_rows, found.schema.names) == (0, ["strokes", "text", "quality", "quality_error", "quality_note"])


def test_files_that_name_the_items_of_lists_in_two_ways_are_not_copied(tmp_path, scorer):
    table = pa.table({"strokes": column(ROWS)})
    for name, compliant in (("a", True), ("b", False)):
        pq.write_table(table, tmp_path / f"{name}.parquet", use_compliant_nested_type=compliant)
    sources = open_sources([tmp_path / "a.parquet", tmp_path / "b.parquet"], "strokes")
    assert [parts.can_be_copied([source, source]) for source in sources] == [True, True]
    assert not parts.can_be_copied(sources)
    score_dataset([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "out.parquet", scorer=scorer)
    assert pq.read_table(tmp_path / "out.parquet")["strokes"].to_pylist() == table["strokes"].to_pylist() * 2


def test_metadata_that_are_no_text(lines, tmp_path, scorer):
    pq.write_table(pq.read_table(lines).replace_schema_metadata({"good": "text", b"key": b"\xff"}), lines)
    score_dataset(lines, tmp_path / "out", scorer=scorer)
    assert pq.read_schema(tmp_path / "out" / "part-00000.parquet").metadata[b"key"] == b"\xff"
    with pytest.raises(PenpalError, match=r"lines.parquet: the schema's metadata under b'key' is not UTF-8"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, progress=lambda *_: pytest.fail("scored"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.parquet", "out"]


def test_the_output_must_not_replace_an_input(lines, scorer):
    before = lines.read_bytes()
    with pytest.raises(PenpalError, match="would replace an input"):
        score_dataset([lines], lines.parent / "." / lines.name, scorer=scorer)
    assert lines.read_bytes() == before


def test_the_output_must_not_replace_an_input_under_another_name(lines, scorer):
    other = lines.with_name("other.parquet")
    other.hardlink_to(lines)
    with pytest.raises(PenpalError, match=r"other\.parquet: the output would replace an input"):
        score_dataset(lines, other, scorer=scorer)
    assert other.samefile(lines)


def test_an_output_that_cannot_be_written(lines, tmp_path, scorer):
    with pytest.raises(PenpalError, match="cannot write it: there is no folder"):
        score_dataset([lines], tmp_path / "no" / "folder" / "out.parquet", scorer=scorer)
    (tmp_path / "folder.parquet").mkdir()
    os.mkfifo(tmp_path / "pipe.parquet")
    for name in ("folder", "pipe"):
        with pytest.raises(PenpalError, match="cannot write it: it exists already and is not a regular file"):
            score_dataset(
                [lines], tmp_path / f"{name}.parquet", scorer=scorer, progress=lambda *_: pytest.fail("scored")
            )


def test_an_interrupted_job_leaves_the_old_output(lines, tmp_path, scorer):
    output = tmp_path / "out.parquet"
    output.write_text("old")

    def interrupt(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_dataset([lines], output, scorer=scorer, progress=interrupt)
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.parquet", "out.parquet"]


def test_json_lines_whose_column_is_no_strokes(tmp_path, scorer):
    """As with Parquet, a column that was named by mistake is an error, and kept."""
    path = tmp_path / "lines.jsonl"
    path.write_text('{"strokes": [[[0, 0], [3, 1], [4, 0]]], "text": "a"}\n{"strokes": [], "text": null}\n')
    with pytest.raises(PenpalError, match="the column 'text' does not hold strokes") as caught:
        score_dataset(path, tmp_path / "out.parquet", scorer=scorer, column="text")
    assert "  text: string" in str(caught.value)
    assert not (tmp_path / "out.parquet").exists()


def test_json_lines_with_more_names_than_columns_can_be(tmp_path, scorer):
    """Each line has 5 names of its own; rows that come with the columns that there is room for are scored."""
    lines = [
        {"strokes": [[[0, 0], [3, 1], [4, 0]]], **{f"{row}-{name}": row for name in range(5)}} for row in range(300)
    ]
    table = scored_json(tmp_path, scorer, *map(json.dumps, lines))
    errors = table["quality_error"].to_pylist()
    assert errors[:199] == [None] * 199
    assert all(error.startswith("too many columns: line ") for error in errors[199:])
    assert len(table.schema) == 1 + 199 * 5 + 3


@pytest.mark.parametrize("text", ["[" * 600, '"' + "[{" * 300 + '\\"', "\\" * 5 + '"' + "[" * 600, "\u00e4" * 600])
def test_brackets_in_text_are_not_nested(tmp_path, scorer, text):
    table = scored_json(tmp_path, scorer, json.dumps({"strokes": [[[0, 0], [3, 1], [4, 0]]], "text": text}))
    assert table["text"].to_pylist() == [text]
    assert table["quality_error"].to_pylist() == [None]


@pytest.mark.parametrize("name", ["a\0.parquet", "\0"])
def test_names_with_null_bytes_are_refused(tmp_path, scorer, name):
    with pytest.raises(PenpalError, match="null"):
        score_dataset(name, tmp_path / "out.parquet", scorer=scorer)
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": column(ROWS)}), path)
    with pytest.raises(PenpalError, match="null byte"):
        score_dataset(path, tmp_path / name, scorer=scorer)
