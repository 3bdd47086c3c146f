"""What is loaded for help, the version and wrong usage: nothing that only work needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.paths import ROOT
from penpal_fast.engines import gpu
from penpal_fast.schema import STROKES
from penpal_fast.startup import ending_at_once

HEAVY = {"numpy", "pyarrow", "mlx", "PIL", "penpal_fast._core", "huggingface_hub", "safetensors"}

UNUSED = {"pydantic", "rich.markdown", "markdown_it", "rich.traceback", "typer._adapters"}
"""What Typer loads unless it is kept from it."""


OTHER_COMMANDS = {"penpal_fast.cli.filter", "penpal_fast.cli.serve", "penpal_fast.cli.train"}


def write_lines(path):
    """Write a file of three rows, one of them null and one empty."""
    line = [[{"points": [{"x": 0, "y": 0}, {"x": 3, "y": 4}]}]]
    pq.write_table(pa.table({"strokes": pa.array([line, None, []], STROKES), "text": ["a", "b", "c"]}), path)


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


NOT_FOR_PARQUET = {
    "penpal_fast.sources.kinds",
    "penpal_fast.sources.json_lines",
    "penpal_fast.sources.formats.known",
    "penpal_fast.sources.formats.svg",
    "penpal_fast.layouts.known",
}
"""Readers of other files, and layouts of which drawn strokes have none."""

OF_OTHER_JOBS = {"urllib.request", "huggingface_hub", "rich.console", "pandas._libs", "mlx.core"}


def has_gpu():
    return gpu._may_be_there()


def needless(found, *others):
    """What a run loaded that it did not need."""
    unused = UNUSED | OF_OTHER_JOBS | NOT_FOR_PARQUET | set(others)
    return (unused - {"mlx.core"} if has_gpu() else unused) & found


def test_a_score_loads_nothing_for_other_jobs(tmp_path):
    lines, scored = str(tmp_path / "lines.parquet"), str(tmp_path / "scored.parquet")
    write_lines(lines)
    found = loaded("-m", "penpal_fast", "score", lines, "-o", scored, "--threads", "2")
    assert {"penpal_fast.jobs.score", "pyarrow"} <= found
    assert needless(found, "penpal_fast.reading.reader", "PIL", "pyarrow.compute", *OTHER_COMMANDS) == set()


JOBS = [
    ["filter", "LINES", "-o", "OUT.parquet", "--threshold", "0.4"],
    ["filter", "LINES", "-o", "OUT.parquet", "--keep-rejected", "OUT-REST.parquet"],
    ["score", "LINES", "-o", "OUT", "--text", "text", "--reading"],
    ["read", "LINES", "--limit", "1"],
    ["explain", "LINES", "--row", "0"],
    ["sheet", "LINES", "-o", "OUT.png"],
    ["render", "LINES", "--row", "0", "-o", "OUT.png"],
    ["convert", "LINES", "-o", "OUT.parquet"],
]


@pytest.mark.parametrize("job", JOBS, ids=" ".join)
def test_a_job_loads_nothing_for_other_jobs(tmp_path, job):
    write_lines(tmp_path / "LINES.parquet")
    command = [name.replace("LINES", str(tmp_path / "LINES.parquet")) for name in job]
    found = loaded("-m", "penpal_fast", *[str(tmp_path / name) if "OUT" in name else name for name in command])
    assert "pyarrow.parquet" in found
    assert needless(found) == set()


def printed(code: str) -> str:
    """What a program prints that ends well."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_commands_of_the_package_work_without_pandas_only_in_their_own_process():
    pytest.importorskip("pandas")
    code = (
        "import sys; from penpal_fast.__main__ import main; sys.argv = ['penpal-fast', '--version']\n"
        "try: main()\n"
        "except SystemExit: import pandas; print('loaded')"
    )
    assert printed(code).endswith("loaded\n")


def test_a_command_may_look_for_pandas_and_cannot_import_it():
    # PyTorch looks for modules that it does not need, and skips those of no file.
    program = (
        "import importlib.util; import penpal_fast.__main__ as main\n"
        "def command():\n"
        "    print(importlib.util.find_spec('pandas').origin)\n"
        "    try: import pandas\n"
        "    except ModuleNotFoundError as error: print(error)\n"
        "main.main = command\n"
        "main.run()"
    )
    assert printed(program) == "None\nthe command line works without pandas\n"


def test_scores_in_python_load_nothing_for_other_jobs():
    code = "import penpal_fast; penpal_fast.Scorer().score([[[(0, 0), (3, 4)], [(1, 1), (5, 5)]]] * 3)"
    found = loaded("-c", code)
    assert "penpal_fast.engines.native" in found
    assert needless(found, "pyarrow.compute", "pyarrow.parquet", "typer", "penpal_fast.sources") == set()


@pytest.mark.parametrize(("last", "code"), [("0", 0), ("3", 3), ("None", 0), ("'said'", 1), ("True", 1), ("259", 3)])
def test_the_process_ends_with_the_code_of_the_command(last, code):
    program = (
        "import atexit, sys, threading, time; import penpal_fast.__main__ as main\n"
        "said = threading.Event()\n"
        f"def command():\n    print('printed', end=''); said.set(); raise SystemExit({last})\n"
        "main.main = command\n"
        "threading.Thread(target=lambda: (said.wait(), time.sleep(0.1), print(' thread', end=''))).start()\n"
        "try:\n    main.run()\n"
        "finally:\n    atexit.register(lambda: print(' atexit', end=''))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "printed thread atexit")
    assert done.stderr == ("said\n" if last == "'said'" else "")


def test_what_was_registered_before_the_command_line_is_called_at_the_end():
    """Such as by coverage, which starts before a program."""
    code = (
        "import atexit, sys; from penpal_fast.__main__ import run; sys.argv = ['penpal-fast', '--version']\n"
        "atexit.register(lambda: print('atexit'))\n"
        "run()"
    )
    assert printed(code).endswith("\natexit\n")


def test_an_output_that_cannot_be_flushed_is_said():
    program = (
        "import penpal_fast.__main__ as main\n"
        "def command():\n    print('printed'); raise SystemExit\n"
        "main.main = command; main.run()"
    )
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{program}"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 120
    assert "No space left on device" in done.stderr


FILE = str(ROOT / "examples/lines.parquet")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["score", "-h"], ["read", FILE]], ids=" ".join)
def test_a_full_standard_output_is_named(arguments):
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "penpal_fast", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: standard output: cannot write to it: No space left on device\n"


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
        "import os, signal; from penpal_fast.startup import ending_at_once\n"
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


def test_loaded_modules_are_not_searched_for_garbage():
    code = (
        "import gc; from penpal_fast.startup import ending_at_once\n"
        "with ending_at_once(): import decimal\n"
        "assert gc.isenabled() and not any(one is decimal for one in gc.get_objects())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed in /proc")
@pytest.mark.parametrize(("said", "threads"), [(None, 1), ("2", 2)])
def test_numpy_starts_no_threads_for_scores(said, threads):
    code = (
        "import os; from penpal_fast.cli.numpy_threads import no_numpy_threads\n"
        "with no_numpy_threads(): import numpy\n"
        "print(len(os.listdir('/proc/self/task')), os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {} if said is None else {"OPENBLAS_NUM_THREADS": said}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    found, variable = done.stdout.split()
    assert variable == str(said)
    assert int(found) == min(threads, len(os.sched_getaffinity(0)))
