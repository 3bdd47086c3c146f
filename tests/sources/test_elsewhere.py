"""Rows from standard input, pipes and addresses."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import json
import os
import subprocess
import sys
import threading

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.alarm import within
from helpers.commands import run
from penpal_fast import PenpalError, convert_dataset, read_rows, score_dataset
from penpal_fast.sources import spool

A = [[[0.0, 9.0], [4.0, 0.0], [8.0, 9.0]], [[2.0, 5.0], [6.0, 5.0]]]
ROWS = [{"strokes": A, "text": "a"}, {"strokes": A[:1], "text": "b"}]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()

PRINT = "import sys, json; from penpal_fast import read_rows; print(json.dumps(read_rows(sys.argv[1]).to_pylist()))"


@pytest.fixture
def files(tmp_path):
    """The same rows in several formats."""
    folder = tmp_path / "files"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "rows.parquet")
    (folder / "rows.jsonl").write_bytes(LINES)
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress(LINES))
    (folder / "rows.csv").write_text("".join(f'"{json.dumps(row["strokes"])}",{row["text"]}\n' for row in [*ROWS]))
    (folder / "rows.csv").write_text("strokes,text\n" + (folder / "rows.csv").read_text())
    return folder


NAMES = ["rows.parquet", "rows.jsonl", "rows.jsonl.gz", "rows.csv"]


@pytest.mark.parametrize("given", ["-", "/dev/stdin"])
@pytest.mark.parametrize("name", NAMES)
def test_standard_input(files, given, name):
    command = [sys.executable, "-c", PRINT, given]
    with (files / name).open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ROWS
    piped = subprocess.run(command, input=(files / name).read_bytes(), capture_output=True, timeout=120)
    assert json.loads(piped.stdout) == ROWS


def test_empty_standard_input():
    done = subprocess.run([sys.executable, "-c", PRINT, "-"], input=b"", capture_output=True, timeout=120)
    assert b"standard input: it is empty: nothing came" in done.stderr


def test_scores_of_what_is_piped(tmp_path):
    out = tmp_path / "out.parquet"
    command = [sys.executable, "-m", "penpal_fast", "score", "-", "-o", out, "--backend", "native"]
    for _ in range(2):  # The content, not the time, says that it is the same job.
        done = subprocess.run([*command, "--resume"], input=LINES, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert pq.read_table(out)["quality"].null_count == 0
    done = subprocess.run(command, input=b"<html>", capture_output=True, text=False, timeout=120)
    assert done.returncode == 1
    assert b"error: standard input: it is an HTML page" in done.stderr


@pytest.mark.parametrize("name", ["rows.parquet", "rows.parquet.gz"])
def test_parquet_is_copied_from_its_spool(files, tmp_path, scorer, name):
    (files / "rows.parquet.gz").write_bytes(gzip.compress((files / "rows.parquet").read_bytes()))
    with (files / name).open("rb") as file:
        score_dataset(f"/dev/fd/{file.fileno()}", tmp_path / "out.parquet", scorer=scorer)
    score_dataset(files / name, tmp_path / "named.parquet", scorer=scorer)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(["strokes", "text"]).to_pylist() == ROWS
    assert found["quality"].null_count == 0
    assert pq.read_table(tmp_path / "named.parquet").equals(found)


def test_drawings_of_a_name_with_a_query(server, files):
    (files / "ink.xml").write_text("<ink><trace>0 9, 4 0</trace></ink>")
    assert len(read_rows(f"{server}/ink.xml?token=a.b")) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_named_pipe(files, tmp_path, name):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes((files / name).read_bytes()))
    writer.start()
    with within(60):
        assert read_rows(pipe).to_pylist() == ROWS
    writer.join()


def test_a_pipe_that_a_shell_names():
    reading, writing = os.pipe()
    os.write(writing, LINES)
    os.close(writing)
    assert read_rows(f"/dev/fd/{reading}").to_pylist() == ROWS
    os.close(reading)


def test_a_stream_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_BYTES", 1 << 20)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write():
        with contextlib.suppress(BrokenPipeError), pipe.open("wb") as file:
            while True:
                file.write(LINES)

    writer = threading.Thread(target=write)
    writer.start()
    with within(60), pytest.raises(PenpalError, match=r"pipe: over 1,048,576 bytes came"):
        read_rows(pipe)
    writer.join()


def test_spools_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spools"))
    (tmp_path / "spools").mkdir()
    reading, writing = os.pipe()
    os.write(writing, LINES)
    os.close(writing)
    read_rows(f"/dev/fd/{reading}")
    os.close(reading)
    assert list((tmp_path / "spools").iterdir()) == []


@pytest.fixture
def server(files):
    """A web server of Python, which knows no ranges."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_arguments):
            pass

    (files / "login").write_bytes(b"<!doctype html><title>Sign in</title>")
    (files / "unnamed").write_bytes((files / "rows.parquet").read_bytes())
    handler = functools.partial(Handler, directory=str(files))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("name", [*NAMES, "rows.parquet?token=a.b/c", "unnamed"])
def test_the_web(server, tmp_path, name):
    assert read_rows(f"{server}/{name}").to_pylist() == ROWS
    done = convert_dataset(f"{server}/{name}", tmp_path / "out.parquet")
    assert done.rows == 2
    assert set(pq.read_table(tmp_path / "out.parquet")["source_file"].to_pylist()) == {f"{server}/{name}"}


def test_commands_that_take_one_file(server, tmp_path):
    """They take a path, in which two slashes are one."""
    done = run("render", f"{server}/rows.parquet", "--row", "0", "-o", tmp_path / "row.png")
    assert done.exit_code == 0, done.output


def test_what_the_web_refuses_is_said(server):
    for name, message in {"nothing.jsonl": "the server says 404", "login": "it is an HTML page"}.items():
        with pytest.raises(PenpalError) as found:
            read_rows(f"{server}/{name}")
        assert str(found.value).startswith(f"{server}/{name}: ")
        assert message in str(found.value)
    with pytest.raises(PenpalError, match=r"http://127.0.0.1:9/x.jsonl: cannot download it"):
        read_rows("http://127.0.0.1:9/x.jsonl")


@pytest.fixture
def memory(files):
    """The files in a file system of fsspec."""
    made = fsspec.filesystem("memory")
    for name in NAMES:
        made.pipe(f"/rows-of-tests/{name[5:]}/{name}", (files / name).read_bytes())
    yield "memory://rows-of-tests"
    made.rm("/rows-of-tests", recursive=True)


def test_file_systems_of_fsspec(memory):
    for name in NAMES:
        assert read_rows(f"{memory}/{name[5:]}/{name}").to_pylist() == ROWS
        assert read_rows(f"{memory}/{name[5:]}").to_pylist() == ROWS
        assert read_rows(f"{memory}/{name[5:]}/*").to_pylist() == ROWS


def test_addresses_are_printed_as_they_were_given(memory):
    fsspec.filesystem("memory").pipe("/rows-of-tests/bad.jsonl", b"<html>")
    messages = {
        f"{memory}/bad.jsonl": "it is an HTML page",
        f"{memory}/nothing.jsonl": "there is no such file",
        f"{memory}/*.pq": "there are no files whose names end with",
        "nonsense://x/rows.jsonl": "cannot read it",
        "s3://bucket/rows.jsonl": "pip install 'penpal-fast[s3]'",
    }
    for address, message in messages.items():
        if address.startswith("s3") and "s3fs" in sys.modules:
            continue
        with pytest.raises(PenpalError) as found:
            read_rows(address)
        assert str(found.value).startswith(f"{address}: ")
        assert message in str(found.value)


def test_addresses_of_this_machine(files):
    assert read_rows(f"file://{files}/rows.jsonl").to_pylist() == ROWS
