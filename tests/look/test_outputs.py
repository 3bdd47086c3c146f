"""Outputs of `sheet`, `render`, `explain` and `report`: checked before any work, and named if they fail."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from helpers.commands import run
from helpers.rights import without_rights
from helpers.scored_lines import scored_table
from penpal_fast import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.look import outputs

WRITERS = {
    "sheet": ("x.png", []),
    "render": ("x.png", ["--row", "0"]),
    "explain": ("x.html", ["--row", "0"]),
    "report": ("x.html", []),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name):
    pq.write_table(scored_table(np.linspace(0, 1, 20)), name)
    with open(name, "rb") as file:  # noqa: PTH123
        return file.read()


@pytest.mark.parametrize("command", WRITERS)
@pytest.mark.parametrize("kind", ["file", "link", "link in a folder", "address", "glob"])
def test_an_input_is_never_replaced(here, command, kind):
    """A Parquet file may have any name."""
    name, options = WRITERS[command]
    source, output = {
        "file": (name, name),
        "link": (name, f"link-{name}"),
        "link in a folder": ("folder", name),
        "address": (f"file://{here}/{name}", name),
        "glob": ("folder/*.parquet", name),
    }[kind]
    content = written(name)
    (here / f"link-{name}").symlink_to(name)
    (here / "folder").mkdir()
    (here / "folder" / "lines.parquet").symlink_to(here / name)
    done = run(command, source, *options, "-o", output)
    assert done.exit_code == 1, done.output
    assert done.output.replace("\n", " ").strip() == (
        f"error: {output}: the output would replace an input; choose another name"
    )
    assert (here / name).read_bytes() == content


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(here, monkeypatch, command):
    name, options = WRITERS[command]
    written("lines.parquet")

    def fail(*_arguments, **_settings):
        raise AssertionError("a file was opened")

    for module in ("sheet_rows", "scored_file"):
        monkeypatch.setattr(f"penpal_fast.look.{module}.open_source", fail)
    monkeypatch.setattr("penpal_fast.sources.one_row.open_source", fail)
    done = run(command, "lines.parquet", *options, "-o", f"nofolder/{name}")
    assert (done.exit_code, "there is no folder" in done.output.replace("\n", " ")) == (1, True), done.output
    (here / "shut").mkdir(mode=0o555)
    with without_rights():
        done = run(command, "lines.parquet", *options, "-o", f"shut/{name}")
    assert (done.exit_code, done.output) == (1, f"error: shut/{name}: cannot write it: Permission denied\n")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", WRITERS)
def test_a_file_that_becomes_too_large_is_named(command):
    name, options = WRITERS[command]
    written("lines.parquet")
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY)); "
        "sys.argv[0] = 'penpal-fast'; from penpal_fast.__main__ import main; main()"
    )
    command_line = [sys.executable, "-c", program, command, "lines.parquet", *options, "-o", name]
    done = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: {name}: cannot write it: File too large\n"
    assert os.listdir() == ["lines.parquet"]  # noqa: PTH208


def test_a_full_disk_is_an_error_of_the_file(tmp_path):
    with pytest.raises(PenpalError, match=r"x\.png: cannot write it: No space left on device"):  # noqa: SIM117
        with replaced_atomically(tmp_path / "x.png"):
            raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_a_lock_is_an_error_of_the_file(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(PenpalError, match=r"x\.png: cannot write it: File too large"):  # noqa: SIM117
            with replaced_atomically(tmp_path / "x.png"):
                pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "address", ["https://example.org/x.parquet?download=true", "hf://datasets/owner/name/*.parquet"]
)
def test_what_is_elsewhere_is_not_listed_for_an_output(here, monkeypatch, address):
    """No output replaces it, and it would be downloaded twice."""
    (here / "x.html").write_text("")
    monkeypatch.setattr(outputs, "find_inputs", lambda given: pytest.fail(f"{given} was looked for"))
    outputs.check_output(here / "x.html", address)
