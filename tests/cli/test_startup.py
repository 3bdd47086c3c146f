"""What is loaded for help, the version and wrong usage: nothing that only work needs."""

from __future__ import annotations

import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penpal_fast.interrupts import ending_at_once
from penpal_fast.schema import STROKES

HEAVY = {"numpy", "pyarrow", "mlx", "PIL", "penpal_fast._core", "huggingface_hub", "safetensors"}

UNUSED = {"pydantic", "rich.markdown", "markdown_it", "rich.traceback", "typer._adapters"}
"""What Typer loads unless it is kept from it."""


OTHER_COMMANDS = {"penpal_fast.cli.filter", "penpal_fast.cli.serve", "penpal_fast.cli.train"}


def write_lines(path):
    """Write a file of one row."""
    strokes = pa.array([[[[[0.0, 0.0], [3.0, 4.0], [5.0, 1.0]]]]])
    pq.write_table(pa.table({"strokes": strokes}), path)


def loaded(*arguments, code=0):
    """Names of the modules that a run of Python loads."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines} - loaded_by_python()


def loaded_by_python():
    """Names of the modules that Python and its environment load at every start."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", ""], capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_the_modules_of_a_run_are_seen():
    found = loaded("-c", "import penpal_fast; penpal_fast.render_strokes")
    assert {"penpal_fast", "numpy", "penpal_fast._core"} <= found


def test_the_import_loads_nothing_heavy():
    assert (HEAVY | {"importlib.metadata", "typer", "rich"}) & loaded("-c", "import penpal_fast") == set()


@pytest.mark.parametrize("command", [[], ["score"], ["filter"], ["sheet"], ["explain"], ["serve"], ["train"]])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_loads_nothing_heavy(command, option):
    assert (HEAVY | UNUSED) & loaded("-m", "penpal_fast", *command, option) == set()


def test_only_the_command_that_is_called_is_loaded():
    assert loaded("-c", f"import {', '.join(OTHER_COMMANDS)}") >= OTHER_COMMANDS
    assert (
        OTHER_COMMANDS & (loaded("-m", "penpal_fast", "--help") | loaded("-m", "penpal_fast", "score", "-h")) == set()
    )


def test_a_score_loads_nothing_for_other_jobs(tmp_path):
    lines, scored = str(tmp_path / "lines.parquet"), str(tmp_path / "scored.parquet")
    write_lines(lines)
    found = loaded("-m", "penpal_fast", "score", lines, "-o", scored)
    assert {"penpal_fast.jobs.score", "pyarrow"} <= found
    others = {"penpal_fast.reading.reader", "urllib.request", "huggingface_hub", "PIL", "rich.console"}
    assert (UNUSED | OTHER_COMMANDS | others) & found == set()


def test_a_score_does_not_load_pandas(tmp_path):
    pytest.importorskip("pandas")
    lines = tmp_path / "lines.parquet"
    line = [[{"points": [{"x": 0, "y": 0}, {"x": 3, "y": 4}]}]]
    pq.write_table(pa.table({"strokes": pa.array([line, None, []], STROKES)}), lines)
    for out in ("scored", "scored.parquet"):
        found = loaded("-m", "penpal_fast", "score", str(lines), "-o", str(tmp_path / out))
        assert "pyarrow.parquet" in found
        assert "pandas" not in found


WRONG = [
    ["no-such-command"],
    ["score"],
    ["score", "x.parquet", "-o", "y", "--threads", "0"],
    ["score", "x.parquet", "-o", "y", "--backend", "abacus"],
    ["filter", "x.parquet", "-o", "kept.csv"],
    ["filter", "x.parquet", "-o", "kept.parquet", "--threshold", "7"],
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_loads_nothing_heavy(arguments):
    assert HEAVY & loaded("-m", "penpal_fast", *arguments, code=2) == set()


def test_the_version_loads_neither_numpy_nor_rich():
    found = loaded("-m", "penpal_fast", "--version")
    assert {"penpal_fast._core"} == (HEAVY | {"rich", "rich.console"}) & found


def test_an_interrupt_ends_the_process_while_modules_are_loaded():
    code = (
        "import os, signal; from penpal_fast.interrupts import ending_at_once\n"
        "try:\n"
        "    with ending_at_once():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "except BaseException:\n"
        "    print('seen')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_an_interrupt_is_as_before_once_modules_are_loaded():
    before = signal.getsignal(signal.SIGINT)
    with ending_at_once():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_of_the_caller_stays():
    def handler(_signal, _frame):
        pass

    before = signal.signal(signal.SIGINT, handler)
    try:
        with ending_at_once():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
