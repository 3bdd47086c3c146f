"""The command `penpal-fast read`: readings printed, and written."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.commands import run
from helpers.made_lines import scrawl

ROWS = [scrawl(seed, 5, 20) for seed in range(5)]
TEXTS = ["so", None, "tab\there", "\u624b", "so", "so", None]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": column([*ROWS, None, []]), "text": TEXTS}), path)
    return path


def printed(*arguments):
    """The lines that the command prints."""
    done = run("read", *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_each_row_is_a_line(lines, reader, reader_folder):
    found = [line.split("\t") for line in printed(lines, "--reader", reader_folder)]
    readings = reader.read(column(ROWS))
    assert len(set(readings)) == 5
    assert found[:5] == [[str(row), reading] for row, reading in enumerate(readings)]
    assert found[5:] == [["5", "[null: the row is null]"], ["6", "[no points: the row has no points]"]]


def test_texts_are_beside_their_match(lines, reader, reader_folder):
    found = [line.split("\t") for line in printed(lines, "--reader", reader_folder, "--text", "text")]
    match = reader.match(column(ROWS), TEXTS[:5], errors="null")
    assert [values[2] for values in found] == [f"{match[0]:.2f}", "", f"{match[2]:.2f}", "", f"{match[4]:.2f}", "", ""]
    assert [values[3] for values in found] == ["so", "", "tab\\there", "\u624b", "so", "so", ""]


def test_rows_are_counted_over_all_inputs_up_to_a_limit(lines, reader_folder):
    first = printed(lines, "--reader", reader_folder)
    found = printed(lines, lines, "--reader", reader_folder, "--limit", 9)
    assert found[:7] == first
    assert [line.split("\t")[0] for line in found[7:]] == ["7", "8"]
    assert found[7].split("\t")[1] == first[0].split("\t")[1]
    assert printed(lines, "--reader", reader_folder, "--limit", 0) == []


def test_json(lines, reader, reader_folder):
    found = [json.loads(line) for line in printed(lines, "--reader", reader_folder, "--text", "text", "--json")]
    assert found[0] == {
        "row": 0,
        "reading": reader.read(column(ROWS))[0],
        "readability": float(reader.readability(column(ROWS))[0]),
        "text_match": float(reader.match(column(ROWS[:1]), ["so"])[0]),
        "text": "so",
    }
    assert (found[1]["text_match"], found[1]["error"]) == (None, "no text: the text is null")
    assert found[5]["error"] == "null: the row is null"
    assert (found[5]["reading"], found[5]["readability"], found[5]["text_match"]) == (None, None, None)
    found = [json.loads(line) for line in printed(lines, "--reader", reader_folder, "--json")]
    assert found[1].keys() == {"row", "reading", "readability"}
    assert found[5].keys() == {"row", "reading", "readability", "error"}


def test_json_lines_keep_their_reasons(tmp_path, reader_folder):
    (tmp_path / "lines.jsonl").write_text('{"strokes": [[[0, 0], [3, 1], [4, 0]]]}\n{broken\n{"strokes": "ink"}\n')
    found = printed(tmp_path / "lines.jsonl", "--reader", reader_folder)
    assert found[1].startswith("1\t[not JSON: line 2")
    assert found[2].startswith("2\t[wrong type: ")


def test_readings_are_written(lines, tmp_path, reader, reader_folder):
    done = run("read", lines, "-o", tmp_path / "out.parquet", "--reader", reader_folder)
    assert done.exit_code == 0, done.output
    assert "7 rows, 2 bad" in done.output
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names == ["strokes", "text", "readability", "readability_error", "reading"]
    assert found.select(["strokes", "text"]).equals(pq.read_table(lines))
    assert found["reading"].to_pylist() == [*reader.read(column(ROWS)), None, None]
    done = run("read", lines, "-o", tmp_path / "out.parquet", "--reader", reader_folder, "--text", "text", "-q")
    assert (done.exit_code, done.output) == (0, "")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names[2:] == ["text_match", "text_match_error", "reading", "readability"]
    assert found["reading"].to_pylist() == [*reader.read(column(ROWS)), None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--column", "ink"], "no column 'ink'; name the one with the strokes"),
        (["--text", "prompt"], "no column 'prompt'; name the one with the texts with --text or text="),
        (["--text", "strokes"], "the column 'strokes' does not hold texts"),
        (["--reader", "no/such/folder"], "no model at 'no/such/folder'"),
    ],
)
def test_what_cannot_be_read_is_said(lines, tmp_path, monkeypatch, reader_folder, arguments, message):
    monkeypatch.chdir(tmp_path)
    given = [] if "--reader" in arguments else ["--reader", reader_folder]
    done = run("read", lines, *arguments, *given)
    assert done.exit_code == 1
    assert message in done.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == [lines]


def test_an_output_that_cannot_be_written_is_wrong_usage(lines, tmp_path):
    done = run("read", lines, "-o", tmp_path / "out.csv")
    assert (done.exit_code, "write a file that ends with .parquet" in done.output.replace("\n", " ")) == (2, True)


def test_a_pipe_that_is_closed_ends_it_without_a_word(tmp_path, reader_folder):
    rows = ROWS * 10_000  # Their readings fit into no pipe.
    pq.write_table(pa.table({"strokes": column(rows)}), tmp_path / "lines.parquet")
    command = [sys.executable, "-m", "penpal_fast", "read", str(tmp_path / "lines.parquet")]
    command += ["--reader", str(reader_folder), "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("0\t")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 1


def test_closed_standard_output_is_an_error(lines, reader_folder):
    command = f'exec "{sys.executable}" -m penpal_fast read "{lines}" --reader "{reader_folder}" >&-'
    done = subprocess.run(["/bin/sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: standard output is closed; name a file with --output\n")


def test_a_readability_of_score_is_replaced_without_a_warning(lines, tmp_path, reader_folder):
    scored, out = tmp_path / "scored.parquet", tmp_path / "out.parquet"
    done = run("score", lines, "-o", scored, "--text", "text", "--reading", "--reader", reader_folder)
    assert done.exit_code == 0, done.output
    done = run("read", scored, "-o", out, "--reader", reader_folder)
    assert (done.exit_code, done.stderr) == (0, ""), done.output


def test_readings_as_json_lines_resume(tmp_path, reader_folder, lines):
    """A finished file is not read again, unless it is another job's or has changed since."""
    out = tmp_path / "out.jsonl"
    arguments = (lines, "-o", out, "--reader", reader_folder)
    assert run("read", *arguments).exit_code == 0
    written, content = out.stat().st_mtime_ns, out.read_bytes()
    done = run("read", *arguments, "--resume")
    assert (done.exit_code, out.stat().st_mtime_ns) == (0, written), done.output
    assert "7 rows, 2 bad" in done.output
    done = run("read", *arguments, "--resume", "--text", "text")
    assert done.exit_code == 1
    assert "--resume" in done.output or "another" in done.output
    assert out.read_bytes() == content
