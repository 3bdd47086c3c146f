"""Signals at any moment of a command: no trace, the exit status of an end by a signal, nothing half written."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from helpers.outputs import content
from hostile.adversary.material import FORMS, Job, job, names

LONGEST = 1.6
"""Seconds; most commands end before."""

OURS = re.compile(r"Traceback.*(penpal_fast|typer|rich|pyarrow)|Exception ignored|panicked", re.DOTALL)
"""A trace, but not one from Python's own start, before the first line of the package."""

INTERPRETER = "Fatal Python error: init"
"""How Python ends if a signal meets its own start."""

PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
from penpal_fast.jobs import parts
parts.PART_ROWS, parts.COPIED_GROUP_ROWS, parts.GROUP_ROWS = 10, 1, 4
from penpal_fast.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The command line with `small_parts`; until it begins, signals end it as they do in `main`."""


def trial(chance: random.Random, folder: Path) -> None:
    """Start a command, and send it one to three signals."""
    done = job(chance.choice(FORMS), chance.choice(("out", "out.parquet")))
    scored = job("encoded", "out.parquet")
    target = folder / done.output
    score = ["score", done.lines, "-o", target, "--resume", "--backend", "native"]
    commands = [
        score,
        score,
        ["filter", scored.lines.with_name("out.parquet"), "-o", folder / "kept.parquet", "--threshold", "0.1"],
        ["read", done.lines],
        ["explain", scored.lines, "--row", "3"],
        ["--help"],
    ]
    command = chance.choice(commands)
    program = [sys.executable, "-c", PROGRAM, *map(str, command)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(chance.uniform(0.05, LONGEST))
    sent = chance.choice((signal.SIGINT, signal.SIGINT, signal.SIGTERM))
    is_running = process.poll() is None
    for _ in range(chance.choice((1, 2, 3))):
        process.send_signal(sent)
        time.sleep(chance.uniform(0, 0.02))
    said, errors = process.communicate(timeout=60)
    assert not OURS.search(errors), errors
    if INTERPRETER in errors:
        return
    ends = (0, -sent, 128 + sent) if is_running else (0,)
    assert process.returncode in ends, f"{command}: {process.returncode}\n{said}{errors}"
    if command is score:
        _finished(done, folder, target)
    elif command[0] == "filter":
        assert names(folder) in ([], ["kept.parquet"])


def _finished(done: Job, folder: Path, target: Path) -> None:
    assert not (target.suffix and target.exists()) or content(target) == done.whole
    assert done.resume(target) is None
    assert names(folder) == [done.output]
    assert content(target) == done.whole
