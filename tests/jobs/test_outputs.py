"""Outputs by their names: JSON lines, standard output, folders, and names that are refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, convert_dataset, filter_dataset, read_rows, score_dataset
from penpal_fast.jobs import part_files, parts
from penpal_fast.jobs.json_rows import json_lines
from penpal_fast.jobs.outputs import ANY_KIND, Kind, output_kind
from penpal_fast.jobs.records import record_path
from penpal_fast.schema import JSON_VALUES
from penpal_fast.sources.names import SUFFIXES
from penpal_fast.sources.suffixes import JSON_LINES_SUFFIXES, PARQUET_SUFFIXES

ROWS = [*(scrawl(seed, 2 + seed % 4, 15) for seed in range(20)), None, []]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "in.parquet"
    table = pa.table({"strokes": column(ROWS), "text": [f"line “{row}”\n" for row in range(len(ROWS))]})
    pq.write_table(table, path)
    return path


@pytest.fixture
def expected(lines, tmp_path, scorer):
    score_dataset(lines, tmp_path / "expected.parquet", scorer=scorer)
    return pq.read_table(tmp_path / "expected.parquet")


def scores(path):
    """The scores in a file of any kind."""
    return np.array(read_rows(path)["quality"].to_numpy(), np.float32)


@pytest.mark.parametrize("name", ["out.jsonl", "OUT.NDJSON", "out.jsonl.gz", "out.jsonl.zst"])
def test_scores_are_written_as_json_lines(lines, expected, tmp_path, name):
    out = tmp_path / name
    assert run("score", lines, "-o", out, "-q").exit_code == 0
    assert read_rows(out).num_rows == len(ROWS)
    np.testing.assert_array_equal(scores(out), expected["quality"].to_numpy())
    assert read_rows(out)["text"].to_pylist() == expected["text"].to_pylist()
    assert read_rows(out)["quality_error"].to_pylist() == expected["quality_error"].to_pylist()
    # The strokes are float32 there; their numbers in JSON are as short as that allows.
    assert (
        read_rows(out)["strokes"].cast(expected["strokes"].type).slice(0, 20).equals(expected["strokes"].slice(0, 20))
    )
    assert not (tmp_path / f"{name}.parts").exists()


def test_json_lines_with_scores_are_scored_again(lines, expected, tmp_path):
    """They have lost what the schema says, but the columns are known."""
    score_dataset(lines, tmp_path / "once.jsonl", text="text", reading=True)
    score_dataset(tmp_path / "once.jsonl", tmp_path / "twice.parquet", text="text", reading=True)
    twice = pq.read_table(tmp_path / "twice.parquet")
    np.testing.assert_allclose(twice["quality"].to_numpy(), expected["quality"].to_numpy(), atol=1e-4)
    assert twice.schema.names == read_rows(tmp_path / "once.jsonl").schema.names
    foreign = pa.table({"strokes": column(ROWS), "quality_note": ["mine"] * len(ROWS)})
    pq.write_table(foreign, tmp_path / "mine.parquet")
    with pytest.raises(PenpalError, match="would replace the column 'quality_note', which no check wrote"):
        score_dataset(tmp_path / "mine.parquet", tmp_path / "twice.parquet")


VALUES = [
    {"meta": {"a": [1, {"b": "é\n"}]}, "tags": ["x"], "n": 10**30, "mixed": "word"},
    {"meta": [0.1, None, True], "tags": None, "n": False, "mixed": {"a": 1}},
    {"meta": {}, "tags": [], "n": -1.5},
]


@pytest.mark.parametrize("way", ["score", "filter", "both"])
def test_values_of_json_lines_come_back(tmp_path, way):
    """Objects, lists, and numbers without an Arrow type are JSON text in Parquet, and values in JSON lines."""
    given = [{"strokes": scrawl(row, 2, 15), **values} for row, values in enumerate(VALUES)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    if way == "score":
        score_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    elif way == "filter":
        filter_dataset(tmp_path / "in.jsonl", tmp_path / "out.jsonl", threshold=0)
    else:
        score_dataset(tmp_path / "in.jsonl", tmp_path / "scored.parquet")
        filter_dataset(tmp_path / "scored.parquet", tmp_path / "out.jsonl", threshold=0)
        texts = pq.read_table(tmp_path / "scored.parquet")["meta"].to_pylist()
        assert list(map(json.loads, texts)) == [values["meta"] for values in VALUES]
    found = list(map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines()))
    for name in ("meta", "tags", "n"):
        assert [row[name] for row in found] == [values[name] for values in VALUES]
        assert list(map(type, (row[name] for row in found))) == [type(values[name]) for values in VALUES]
    assert [row["mixed"] for row in found] == ["word", '{"a": 1}', None]  # a string may be either there


@pytest.mark.parametrize("order", [("values", "texts"), ("texts", "values")])
def test_texts_stay_texts_beside_values(tmp_path, order):
    """Of two files one may have values in a column, and the other strings that look like them."""
    contents = {"values": [{"a": 1}, [1, 2], None], "texts": ["123", "null", "true", "x", '{"q": 1}']}
    for name, content in contents.items():
        rows = [{"strokes": scrawl(row, 2, 15), "meta": value} for row, value in enumerate(content)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        score_dataset(tmp_path / f"{name}.jsonl", tmp_path / f"{name}.parquet")
    expected = [
        json.dumps(value) if name == "values" and value is not None else value
        for name in order
        for value in contents[name]
    ]
    score_dataset([tmp_path / f"{name}.parquet" for name in order], tmp_path / "both.jsonl")
    score_dataset([tmp_path / f"{name}.parquet" for name in order], tmp_path / "both.parquet")
    filter_dataset(tmp_path / "both.parquet", tmp_path / "again.jsonl", threshold=0)
    for out in ("both.jsonl", "again.jsonl"):
        found = [json.loads(line)["meta"] for line in (tmp_path / out).read_text().splitlines()]
        assert found == expected


def test_only_json_becomes_values():
    """A file may say of any strings that they are JSON."""
    texts = ['{"a": 1}', "{}\n{}", "[1,\r2]", "\ufeff{}", "NaN", "word", "", None, "1 ", "[" * 500]
    rows = pa.table([pa.array(texts)], pa.schema([pa.field("a", pa.string(), metadata=JSON_VALUES)]))
    found = [json.loads(line)["a"] for line in io.StringIO(json_lines(rows).decode(), newline=None)]
    assert found == [{"a": 1}, *texts[1:8], 1, texts[9]]


def test_json_lines_are_the_same_bytes_however_they_are_read(lines, tmp_path):
    for memory in (1, 64):
        score_dataset(lines, tmp_path / f"{memory}.jsonl.gz", memory_mb=memory)
        filter_dataset(lines, tmp_path / f"kept{memory}.jsonl", threshold=0, memory_mb=memory)
    assert (tmp_path / "1.jsonl.gz").read_bytes() == (tmp_path / "64.jsonl.gz").read_bytes()
    assert (tmp_path / "kept1.jsonl").read_bytes() == (tmp_path / "kept64.jsonl").read_bytes()


HALF = """
import sys
from penpal_fast import score_dataset, filter_dataset
from penpal_fast.jobs import parts
parts.PART_ROWS = 5
job, lines, out = sys.argv[1:]
def progress(done, total):
    if done > 17:
        import os; os._exit(9)
if job == "score":
    score_dataset(lines, out, progress=progress)
else:
    filter_dataset(lines, out, threshold=0.02, progress=progress)
"""


def killed(job, lines, out):
    """Run a job that is killed when some of its parts are finished."""
    done = subprocess.run([sys.executable, "-c", HALF, job, lines, out], timeout=300, env={**os.environ})
    assert done.returncode == 9
    assert not out.exists()
    assert (out.parent / f"{out.name}.parts" / "part-00000.parquet").exists()


@pytest.mark.parametrize("output", ["out.parquet", "out.jsonl", "out"])
def test_a_column_that_cannot_be_written_is_named(tmp_path, output):
    runs = pc.run_end_encode(pa.array(["a"] * len(ROWS)))
    with pa.ipc.new_file(
        tmp_path / "in.arrow", pa.schema([("strokes", column(ROWS).type), ("runs", runs.type)])
    ) as file:
        file.write(pa.record_batch([column(ROWS), runs], ["strokes", "runs"]))
    with pytest.raises(
        PenpalError, match=r"the column 'runs' has the type run_end_encoded<.*>, which cannot be written"
    ):
        score_dataset(tmp_path / "in.arrow", tmp_path / output)
    assert not (tmp_path / output).exists()


def test_a_file_whose_writer_cannot_begin_is_closed(tmp_path, monkeypatch):
    """Such as on a full disk, which could not be unmounted until Python collects its garbage."""
    opened = []
    new_file = part_files._new_file
    monkeypatch.setattr(part_files, "_new_file", lambda path: opened.append(new_file(path)) or opened[-1])

    def full(*_arguments, **_options):
        raise OSError("no space is left")

    monkeypatch.setattr(pq, "ParquetWriter", full)
    with pytest.raises(OSError, match="no space is left"):
        part_files.EncodedFile(tmp_path / "part.parquet", pa.schema([("a", pa.int8())]), 5, "part.parquet")
    assert [file.closed for file in opened] == [True]


@pytest.fixture
def counted(scorer, monkeypatch):
    """How many rows the scorer looked at."""
    rows = []
    look = type(scorer).outcome
    monkeypatch.setattr(type(scorer), "outcome", lambda self, some: rows.append(len(some)) or look(self, some))
    return lambda: sum(rows)


def test_json_lines_resume(lines, tmp_path, monkeypatch, counted):
    monkeypatch.setattr(parts, "PART_ROWS", 5)
    score_dataset(lines, tmp_path / "whole.jsonl")
    before = counted()
    killed("score", lines, tmp_path / "out.jsonl")
    score_dataset(lines, tmp_path / "out.jsonl", resume=True)
    assert 0 < counted() - before <= len(ROWS) - 5
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not (tmp_path / "out.jsonl.parts").exists()


@pytest.mark.parametrize("settings", [{}, {"top": 0.5}, {"best_of": "text"}])
@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl"])
def test_a_filter_resumes(lines, tmp_path, monkeypatch, counted, name, settings):
    monkeypatch.setattr(parts, "PART_ROWS", 5)
    settings = {"threshold": 0.02, **settings}
    whole = filter_dataset(lines, tmp_path / f"whole_{name}", **settings)
    assert 0 < whole.kept < len(ROWS)
    before = counted()
    killed("filter", lines, tmp_path / name)
    again = filter_dataset(lines, tmp_path / name, **settings, resume=True)
    # The scoring is ahead of what is counted, and may have been done.
    assert counted() - before <= len(ROWS) - 5
    assert again == whole
    assert 5 <= again.resumed_rows <= len(ROWS)
    seen = {path.name for path in tmp_path.iterdir()} - {
        record_path(tmp_path / f"{start}{name}").name for start in ("", "whole_")
    }
    assert seen == {"in.parquet", name, f"whole_{name}"}
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole_{name}").read_bytes()


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson.gz", ".jsonl.zst"])
def test_finished_json_lines_are_not_done_again(lines, tmp_path, counted, ending):
    out = tmp_path / f"out{ending}"
    first = score_dataset(lines, out, resume=True)
    assert 0 < first.bad < first.rows
    before, content = counted(), out.read_bytes()
    again = score_dataset(lines, out, resume=True)
    expected, found = first.as_dict(), again.as_dict()
    assert found.pop("seconds") != expected.pop("seconds")
    assert found == expected
    assert (counted(), out.read_bytes()) == (before, content)
    out.write_bytes(content[:-1] + b" ")
    with pytest.raises(PenpalError, match="this job wrote it, but it was changed or damaged since"):
        score_dataset(lines, out, resume=True)
    out.write_bytes(content)
    with pytest.raises(PenpalError, match="was written from another input or model, by other versions or with other"):
        score_dataset(lines, out, resume=True, quality_column="other")
    record_path(out).unlink()
    with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
        score_dataset(lines, out, resume=True)
    assert (counted(), out.read_bytes()) == (before, content)
    score_dataset(lines, out)
    assert score_dataset(lines, out, resume=True).rows == first.rows


def test_a_run_that_was_killed_before_its_parts_were_removed(lines, tmp_path, counted):
    out = tmp_path / "out.jsonl"
    score_dataset(lines, out)
    before, content = counted(), out.read_bytes()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("penpal_fast.jobs.folder.JobFolder.remove", lambda _self: None)
        score_dataset(lines, out)
    assert (tmp_path / "out.jsonl.parts").is_dir()
    before = counted()
    score_dataset(lines, out, resume=True)
    assert (counted(), out.read_bytes()) == (before, content)
    assert {path.name for path in tmp_path.iterdir()} == {lines.name, out.name, record_path(out).name}


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"{", b'{"job": 1}', b"[" * 10_000, b"\xff", b'{"sha256": null}'], ids=str
)
def test_damaged_records_are_those_of_others(lines, tmp_path, record):
    score_dataset(lines, tmp_path / "out.jsonl")
    content = json.loads(record_path(tmp_path / "out.jsonl").read_bytes())
    wrong = json.dumps({**content, "summary": {"checks": {"quality": {"rows": []}}}}).encode()
    for one in (record, wrong):
        record_path(tmp_path / "out.jsonl").write_bytes(one)
        with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
            score_dataset(lines, tmp_path / "out.jsonl", resume=True)


def test_records_are_as_private_as_their_files(lines, tmp_path):
    out = tmp_path / ("o" * 249 + ".jsonl")
    for mode in (0o600, 0o640):
        out.touch()
        out.chmod(mode)
        score_dataset(lines, out)
        assert record_path(out).stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(("kept", "rest"), [("kept.parquet", "rest.parquet"), ("kept.jsonl.gz", "rest.jsonl")])
def test_a_finished_filter_is_not_done_again(lines, tmp_path, counted, kept, rest):
    kept, rest = tmp_path / kept, tmp_path / rest
    first = filter_dataset(lines, kept, threshold=0.1, keep_rejected=rest)
    before, content = counted(), [kept.read_bytes(), rest.read_bytes()]
    assert filter_dataset(lines, kept, threshold=0.1, keep_rejected=rest, resume=True) == first
    assert counted() == before
    assert [kept.read_bytes(), rest.read_bytes()] == content
    with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
        filter_dataset(lines, kept, threshold=0.2, keep_rejected=rest, resume=True)
    assert [kept.read_bytes(), rest.read_bytes()] == content
    kept.write_bytes(content[0][:-9] + b"x" + content[0][-8:])
    with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
        filter_dataset(lines, kept, threshold=0.1, keep_rejected=rest, resume=True)


def test_standard_output_is_arrow_and_the_summary_goes_to_stderr(lines, expected):
    done = run("score", lines, "-o", "-")
    assert done.exit_code == 0
    table = pa.ipc.open_stream(done.stdout_bytes).read_all()
    assert table.equals(expected)
    assert "22 rows, 20 scored, 2 bad" in done.stderr
    assert "wrote to standard output" in done.stderr


def test_standard_output_is_json_lines_where_asked(lines, expected):
    done = run("score", lines, "-o", "-", "--format", "jsonl", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["quality"] is None for row in found] == [one is None for one in expected["quality"].to_pylist()]
    assert json.loads(done.stderr)["rows"] == len(ROWS)


def test_a_filter_writes_to_standard_output(lines, tmp_path):
    for settings in ([], ["--top", "7"], ["--best-of", "text", "--threshold", "0.02"]):
        filtered = run("filter", lines, "-o", tmp_path / "kept.parquet", *settings)
        assert filtered.exit_code == 0, filtered.output
        done = run("filter", lines, "-o", "-", *settings)
        assert done.exit_code == 0, done.stderr
        assert pa.ipc.open_stream(done.stdout_bytes).read_all().equals(pq.read_table(tmp_path / "kept.parquet"))
        assert "kept" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "kept.parquet"]


def test_a_reader_that_leaves_early_ends_the_job_quietly(lines):
    command = f"{sys.executable} -m penpal_fast score {lines} {lines} -o - -q --format jsonl | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=300)  # noqa: S607
    assert done.stdout == b'{"strokes"'
    assert b"Traceback" not in done.stderr


def test_standard_output_cannot_be_resumed(lines):
    done = run("score", lines, "-o", "-", "--resume")
    assert (done.exit_code, done.stdout_bytes) == (2, b"")
    assert "standard output is a stream and cannot be resumed" in done.stderr


REFUSED = ["o.csv", "o.json", "O.CSV.gz", "o.txt", "o.feather", "o.arrow", "o.npz", "o.xlsx", "o.zip", "o.png", "o.py"]


@pytest.mark.parametrize("command", ["score", "filter", "read", "convert"])
def test_names_that_cannot_be_written_are_refused(lines, tmp_path, command):
    for name in REFUSED:
        done = run(command, lines, "-o", tmp_path / name)
        assert done.exit_code == 2
        assert ".parquet" in done.output
    assert list(tmp_path.iterdir()) == [lines]


@pytest.mark.parametrize("name", REFUSED)
def test_they_are_refused_in_python_too(lines, tmp_path, name):
    for job in (score_dataset, filter_dataset, convert_dataset):
        with pytest.raises(PenpalError, match="parquet"):
            job(lines, tmp_path / name)
    assert list(tmp_path.iterdir()) == [lines]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_has_no_name_of_a_file_that_can_be_read(suffix):
    if suffix in PARQUET_SUFFIXES + JSON_LINES_SUFFIXES:
        assert output_kind(f"out{suffix}", ANY_KIND) in (Kind.PARQUET, Kind.JSON_LINES)
    else:
        with pytest.raises(PenpalError, match=r"cannot write \..* files"):
            output_kind(f"out{suffix}", ANY_KIND)


def test_only_what_can_be_written_is_offered(lines, tmp_path):
    with pytest.raises(
        PenpalError, match=r"cannot write \.csv files; write a file that ends with \.parquet \(or \.pq\)$"
    ):
        convert_dataset(lines, tmp_path / "out.csv")
    with pytest.raises(PenpalError, match=r"cannot write JSON lines here; write a file that ends with \.parquet"):
        convert_dataset(lines, tmp_path / "out.jsonl")
    with pytest.raises(PenpalError, match=r"or \.jsonl\.zst$"):
        filter_dataset(lines, tmp_path / "kept.parquet", keep_rejected=tmp_path / "rejected.csv")


@pytest.mark.parametrize("name", ["out", "out.d", "scored-v1.2", "run.2026-11-29", ".hidden"])
def test_other_names_are_folders(name):
    assert output_kind(name, ANY_KIND) is Kind.FOLDER


def test_a_folder_is_called_one(lines, tmp_path):
    assert f"wrote folder {tmp_path / 'out'}" in run("score", lines, "-o", tmp_path / "out").output
    assert f"wrote {tmp_path / 'out.jsonl'}" in run("score", lines, "-o", tmp_path / "out.jsonl").output


def test_columns_of_the_same_name_are_no_json(tmp_path):
    table = pa.table([column(ROWS[:2]), pa.array([1, 2]), pa.array([3, 4])], names=["strokes", "id", "id"])
    pq.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(PenpalError, match="more than one column 'id', which JSON cannot hold"):
        score_dataset(tmp_path / "in.parquet", tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_json_has_all_types():
    table = pa.table(
        {
            "float": pa.array([0.1, float("nan"), float("inf"), 1.0, None], pa.float32()),
            "whole": pa.array([2**63, 0, None, 1, 2], pa.uint64()),
            "text": ['a"\\\n\u2028\x00', "é", None, "", "😀"],
            "bytes": [b"\xff", b"", None, b"a", b"b"],
            "list": [[[1.5]], [], None, [None], [[]]],
            "pair": pa.array([[1, 2], None, [3, 4], [5, 6], None], pa.list_(pa.int8(), 2)),
            "record": [{"x": 1, "y": None}, None, {"x": None, "y": [1]}, {"x": 2, "y": []}, {"x": 3, "y": [None]}],
            "word": pa.array(["u", None, "v", "u", "v"]).dictionary_encode(),
            "truth": [True, None, False, True, False],
            "runs": pa.RunEndEncodedArray.from_arrays([2, 3, 5], pa.array([[[1.5], []], None, [[2]]])),
            "view": pa.array([[2.5, None], None, [], [0.5], []], pa.list_view(pa.float64())),
            "nothing": pa.nulls(5),
        }
    )
    for some in (table, table.slice(1, 3), table.slice(0, 0)):
        found = [json.loads(line) for line in json_lines(some).decode().split("\n")[:-1]]
        for one, row in zip(found, some.to_pylist(), strict=True):
            is_number = row["float"] is not None and np.isfinite(row["float"])
            assert (None if one["float"] is None else np.float32(one["float"])) == (
                np.float32(row["float"]) if is_number else None
            )
            assert one["bytes"] == {b"\xff": "/w==", b"a": "YQ==", b"b": "Yg==", b"": "", None: None}[row["bytes"]]
            others = [name for name in row if name not in ("float", "bytes")]
            assert {name: one[name] for name in others} == {name: row[name] for name in others}
    assert b'"float":0.1,' in json_lines(table)
    pairs = pa.FixedSizeListArray.from_arrays(pa.array(["a", "b", "c", "d"], pa.string_view()), 2)
    assert json_lines(pa.table({"pairs": pairs})) == b'{"pairs":["a","b"]}\n{"pairs":["c","d"]}\n'
    odd = pa.table({"view": pa.array([[1.0, float("nan")]], pa.large_list_view(pa.float64()))})
    assert json_lines(odd) == b'{"view":[1.0,null]}\n'
    assert gzip.compress(json_lines(table.slice(0, 0)))
