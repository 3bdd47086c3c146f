"""The command line: what it writes and prints, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import penpal_fast
from helpers.arrow import column
from helpers.commands import run, said
from helpers.made_lines import scrawl

ROWS = [scrawl(seed, 3, 12) for seed in range(5)]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": column([*ROWS, None, []])}), path)
    return path


def test_score(lines, tmp_path):
    done = run("score", lines, "-o", tmp_path / "out.parquet")
    assert done.exit_code == 0, done.output
    assert "7 rows, 5 scored, 2 bad" in done.output
    assert "1 bad: null" in done.output
    assert "1 bad: no points" in done.output
    for word in ("min", "p10", "p25", "median", "p75", "p90", "max"):
        assert word in done.output
    for threshold in ("0.3 (lenient)", "0.5 (balanced)", "0.7 (strict)"):
        assert f"at or above {threshold}" in done.output
    quality = pq.read_table(tmp_path / "out.parquet")["quality"].to_pylist()
    assert np.allclose(quality[:5], penpal_fast.score(ROWS), atol=1e-5)
    assert quality[5:] == [None, None]


def test_score_with_every_option(lines, tmp_path):
    penpal_fast.QualityClassifier().save_pretrained(tmp_path / "model")
    table = pq.read_table(lines).rename_columns(["ink"])
    pq.write_table(table, lines)
    options = ["--backend", "mlx", "--column", "ink", "--model", tmp_path / "model", "--batch-size", 2, "--threads", 1]
    done = run("score", lines, lines, "-o", tmp_path / "out.parquet", *options)
    assert done.exit_code == 0, done.output
    expected = penpal_fast.Scorer(tmp_path / "model").score(ROWS)
    quality = pq.read_table(tmp_path / "out.parquet")["quality"].to_pylist()
    assert np.allclose(quality[:5] + quality[7:12], np.tile(expected, 2), atol=1e-5)


def test_score_with_texts(lines, tmp_path, reader_folder):
    table = pq.read_table(lines).append_column("label", pa.array(["so", None, "and", "", "so", "so", "so"]))
    pq.write_table(table, lines)
    out = tmp_path / "out.parquet"
    command = ["score", lines, "-o", out, "--text", "label", "--reading", "--reader", reader_folder]
    done = run(*command, "--strict")
    assert done.exit_code == 3, done.output
    assert "quality: 7 rows, 5 scored, 2 bad\n" in done.output
    assert "text_match: 7 rows, 3 scored, 4 bad\n" in done.output
    assert done.output.count("1 bad: no text\n") == 1
    assert done.output.count("  min ") == 2
    found = pq.read_table(out)
    reader = penpal_fast.Reader(reader_folder)
    expected = reader.match(found["strokes"], found["label"], errors="null").tolist()
    assert found["text_match"].to_pylist() == [None if value != value else value for value in expected]
    assert found.column_names[-2:] == ["reading", "readability"]
    content = json.loads(run(*command, "--json").stdout)
    assert content["checks"]["text_match"]["reasons"] == {"no text": 1, "empty text": 1, "null": 1, "no points": 1}


def test_rows_without_texts_are_bad_only_where_texts_are_asked_for(tmp_path, reader_folder):
    table = pa.table({"strokes": column(ROWS), "text": pa.nulls(5, pa.string())})
    pq.write_table(table, tmp_path / "lines.parquet")
    command = ["score", tmp_path / "lines.parquet", "-o", tmp_path / "out.parquet", "--strict"]
    assert run(*command).exit_code == 0
    assert run(*command, "--reading", "--reader", reader_folder).exit_code == 0
    assert pq.read_schema(tmp_path / "out.parquet").names[5:] == ["readability", "readability_error", "reading"]
    assert run(*command, "--text", "text", "--reader", reader_folder).exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "{lines}", "-o", "out.parquet", "--text", "text"], "no column 'text'; name the one with the texts"),
        (["score", "missing.parquet", "-o", "out.parquet"], "missing.parquet: there is no such file"),
        (["score", "{lines}", "-o", "{lines}"], "would replace an input"),
        (["score", "{lines}", "-o", "out.parquet", "--column", "ink"], "no column 'ink'; name the one with"),
        (["score", "{lines}", "-o", "out.parquet", "--model", "[x]"], "no model at '[x]'"),
        (["render", "{lines}", "--row", "7", "-o", "x.png"], "there is no row 7; it has 7 rows, counted from 0"),
        (["render", "{lines}", "--row", "5", "-o", "x.png"], "row 5: null: the row is null"),
        (["render", "{lines}", "--row", "0", "-o", "no/x.png"], "there is no folder"),
    ],
)  # fmt: skip
def test_an_error_is_one_message_and_exit_code_1(lines, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = run(*[argument.format(lines=lines) for argument in arguments])
    assert done.exit_code == 1
    assert done.output.startswith("error: ")
    assert message in done.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == [lines]


WRONG_VALUES = [
    *(["score", "x.parquet", "-o", "y", name, value]
      for name, value in (("--backend", "abacus"), ("--threads", "0"), ("--batch-size", "0"))),
    ["filter", "x.parquet", "-o", "kept.csv"],
    ["filter", "x.parquet", "-o", "kept.parquet", "--keep-rejected", "rest.csv"],
    ["convert", "x.svg", "-o", "x.csv"],
    ["render", "x.parquet", "--row", "0", "-o", "x.jpg"],
    ["sheet", "x.parquet", "-o", "x.jpg"],
    ["report", "x.parquet", "-o", "x.pdf"],
    ["explain", "x.parquet", "--row", "0", "-o", "x.png"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (pa.ArrowInvalid("odd"), "error: odd"),
        (MemoryError("8 GB"), "error: out of memory: 8 GB; try a smaller --memory or --batch-size\n"),
        (MemoryError(), "error: out of memory; try a smaller --memory or --batch-size\n"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), "error: a name or text is not UTF-8"),
    ],
)
def test_foreign_errors_are_one_message_too(lines, tmp_path, monkeypatch, error, message):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("penpal_fast.jobs.score.score_dataset", fail)
    done = run("score", lines, "-o", tmp_path / "out.parquet")
    assert done.exit_code == 1
    assert done.output.startswith(message)


def test_only_options_that_a_command_has_are_advised(lines, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("penpal_fast.sources.one_row.one_row", fail)
    done = run("render", lines, "--row", 0, "-o", tmp_path / "row.png")
    assert (done.exit_code, done.output) == (1, "error: out of memory\n")
    monkeypatch.setattr("penpal_fast.jobs.convert.convert_dataset", fail)
    done = run("convert", lines, "-o", tmp_path / "out.parquet")
    assert (done.exit_code, done.output) == (1, "error: out of memory; try a smaller --memory\n")


def test_output_names_must_be_utf_8(lines, tmp_path):
    done = run("score", lines, "-o", os.fsdecode(os.fsencode(tmp_path / "out") + b"\xff.parquet"))
    assert done.exit_code == 1
    assert "the output's name must be UTF-8" in done.output


def test_emoji_codes_in_names_are_printed_as_they_are(lines, tmp_path):
    output = tmp_path / "a:smile:.parquet"
    assert "a:smile:.parquet" in run("score", lines, "-o", output).output
    assert json.loads(run("score", lines, "-o", output, "--json").stdout)["output"] == str(output)


@pytest.mark.parametrize("command", ["score", "filter"])
def test_a_resumed_job_says_how_much_was_finished(command, lines, tmp_path):
    output = tmp_path / "out.parquet"
    rows = json.loads(run(command, lines, "-o", output, "--json").stdout)
    assert rows["resumed_rows"] == 0
    done = run(command, lines, "-o", output, "--resume")
    assert f"resumed: an earlier run had finished {rows['rows']} of {rows['rows']} rows\n" in done.output
    assert json.loads(run(command, lines, "-o", output, "--resume", "--json").stdout)["resumed_rows"] == rows["rows"]


@pytest.mark.parametrize(
    "arguments", [["score"], ["render", "x.parquet"], ["scrore"], ["render", "x", "--row", "-1"], *WRONG_VALUES]
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert run(*arguments).exit_code == 2


FILTER = ["filter", "x.parquet", "-o", "kept.parquet"]
EVALUATE = ["evaluate", "--real", "x", "--clean", "x", "--corrupted", "x"]
SYNTHESIZE = ["synthesize", "x.txt", "-o", "x.parquet", "--generator", "x"]

AT_ODDS = [
    (["score", "x.parquet", "-o", "-", "--resume"], "standard output is a stream and cannot be resumed"),
    (["score", "x.parquet", "-o", "-", "--format", "xml"], "the format of standard output is arrow or jsonl"),
    (["score", "x.parquet", "-o", "y.parquet", "--format", "jsonl"], "is for standard output"),
    (["score", "x.parquet", "-o", "y.parquet", "--reader", "x"], "a reader was given, and nothing to read"),
    (["score", "x.parquet", "-o", "y.parquet", "--quality-column", ""], "the name of a check must be text"),
    (["score", "x.parquet", "-o", "y.parquet", "--quality-column", "strokes"], "cannot read the column 'strokes'"),
    (
        ["score", "x.parquet", "-o", "y.parquet", "--text", "text", "--quality-column", "text_match"],
        "the checks add the same columns twice",
    ),
    ([*FILTER, "--share", "0.9"], "share is for keep_good"),
    ([*FILTER, "--keep-good", "x.parquet", "--share", "1.5"], "share must be a number above 0, up to 1, got 1.5"),
    ([*FILTER, "--keep-good", "x.parquet", "--threshold", "0.3"], "give either keep_good or threshold"),
    ([*FILTER, "--keep-rejected", "kept.parquet"], "cannot go into the same file"),
    ([*FILTER, "--keep-rejected", "-"], "cannot write standard output here"),
    (["read", "x.parquet", "--resume"], "--resume is for --output"),
    (["read", "x.parquet", "--format", "jsonl"], "--format is for -o -"),
    (["read", "x.parquet", "--limit", "1", "-o", "y.parquet"], "--limit and --json are for printing"),
    (["read", "x.parquet", "--json", "-o", "y.parquet"], "--limit and --json are for printing"),
    (["explain", "x.parquet", "--row", "0", "--text", "text", "--says", "so"], "give --text or --says, not both"),
    ([*EVALUATE, "--source-prefix", "3"], "--source-prefix is for --held-out"),
    ([*EVALUATE, "--also", "a/x.parquet", "--also", "b/x.parquet"], "have one name; rename one"),
    ([*SYNTHESIZE, "--rows", "200000000"], "rows must be from 1 to 100,000,000"),
    ([*SYNTHESIZE, "--bias", "2", "1"], "bias must be a range"),
    (["train", "--real", "x", "-o", "model", "--work", "work", "--start", "model"], "starts from this folder"),
]


@pytest.mark.parametrize(("arguments", "message"), AT_ODDS)
def test_options_that_are_at_odds_are_wrong_usage_whatever_the_files_are(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert message in said(done)
    assert f"{arguments[0]} [OPTIONS]" in said(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "name", "suffix"),
    [("render", "x.jpg", ".png"), ("explain", "x.png", ".html"), ("convert", "x", ".parquet")],
)
def test_the_name_of_an_output_says_what_it_is(command, name, suffix):
    done = run(command, "x.parquet", *([] if command == "convert" else ["--row", "0"]), "-o", name)
    assert f"{name}: the output is a" in said(done)
    assert f"its name must end with {suffix}" in said(done)


def test_brackets_in_names_are_printed_as_they_are(lines, tmp_path):
    output = tmp_path / "a[bold]b[x].parquet"
    done = run("score", lines, "-o", output)
    assert done.exit_code == 0, done.output
    assert "a[bold]b[x].parquet" in done.output
    assert output.is_file()


def test_render(lines, tmp_path):
    done = run("render", lines, "--row", 3, "-o", tmp_path / "line.png")
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "line.png") as picture:
        assert (picture.size, picture.mode) == ((256, 256), "L")
        grey = 255 - np.asarray(picture)
    assert np.array_equal(grey, np.rint(penpal_fast.render_strokes(ROWS[3])[:, :, 0] * 255).astype(np.uint8))


def test_version():
    done = run("--version")
    assert done.exit_code == 0
    assert done.output.strip() == penpal_fast.__version__


def test_the_installed_command_and_the_module():
    for command in (["penpal-fast"], [sys.executable, "-m", "penpal_fast"]):
        done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, env=environment())
        assert "score" in done.stdout
        assert "render" in done.stdout


def environment():
    return {**os.environ, "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"}  # noqa: PTH120


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_job_leaves_no_partial_file(tmp_path, sent, code):
    path, output = tmp_path / "lines.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"strokes": column(ROWS * 10_000)}), path, row_group_size=10_000)
    command = [sys.executable, "-m", "penpal_fast", "score", str(path), "-o", str(output)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out.parquet.parts" / "_manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(sent)
    _, printed = process.communicate(timeout=60)
    kept = "no rows are kept, as no part was complete; a part of this job has up to 50,000 rows"
    assert (process.returncode, printed) == (code, f"stopped: {kept}\n")
    assert list(tmp_path.iterdir()) == [path]


def test_control_characters_are_escaped(tmp_path):
    pq.write_table(pa.table({"\x1b[2Jink": [1]}), tmp_path / "lines.parquet")
    done = run("score", tmp_path / "lines.parquet", "-o", tmp_path / "out.parquet")
    assert done.exit_code == 1
    assert "\\x1b[2Jink: int64" in done.output
    assert "\x1b" not in done.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sheet", ["InkML", "folder"]),
        ("explain", ["InkML", "folder"]),
        ("render", ["InkML", "folder"]),
        ("score", ["quality_note", ".jsonl, also with .gz or .zst"]),
        ("filter", [".jsonl, also with .gz or .zst"]),
    ],
)
def test_the_help_names_what_is_read_and_written(command, words):
    shown = said(run(command, "--help"))
    assert all(word in shown for word in words), shown


@pytest.mark.parametrize("command", ["sheet", "explain", "render"])
def test_one_input_may_be_a_folder_of_any_format(tmp_path, command):
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "line.npy", np.array([[3, 1, 0], [-1, 4, 0], [5, -3, 0], [2, 2, 1]]))
    row = [] if command == "sheet" else ["--row", 0]
    out = tmp_path / ("out.html" if command == "explain" else "out.png")
    done = run(command, tmp_path / "in", *row, "-o", out)
    assert done.exit_code == 0, done.output
    assert out.is_file()
