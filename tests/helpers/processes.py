"""Processes that run some Python at the same time as a test."""

from __future__ import annotations

import subprocess
import sys


def started(code: str, *arguments: list[object], stderr: int | None = None) -> list[subprocess.Popen[bytes]]:
    """Start processes, one for each list of arguments, and wait until each has printed that it is ready."""
    commands = [[sys.executable, "-c", code, *map(str, given)] for given in arguments]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr) for command in commands]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", process.communicate()
    return processes
