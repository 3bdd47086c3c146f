"""The script that draws the charts, with all that it needs."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Iterator

from penpal_fast.errors import PenpalError

PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
import vl_convert
sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())
"""

# Names what is not installed before any file is read.
if importlib.util.find_spec("vl_convert") is None:
    raise ModuleNotFoundError("No module named 'vl_convert'", name="vl_convert")


_started: list[subprocess.Popen[bytes]] = []
"""Processes of `being_built` that nobody waits for yet."""


@contextlib.contextmanager
def being_built() -> Iterator[None]:
    """Build the script while the block does something else, until `chart_library` waits for it.

    Raises:
        PenpalError: No process can be started.
    """
    if chart_library.cache_info().currsize:
        yield
        return
    process = _start()
    _started.append(process)
    try:
        yield
    finally:
        if process in _started:
            _started.remove(process)
            process.kill()
            process.communicate()


@functools.cache
def chart_library() -> str:
    """Return the script. The first call takes seconds.

    Raises:
        PenpalError: The process that builds it failed.
    """
    process = _started.pop() if _started else _start()
    with process:
        output, _ = process.communicate()
    script = output.decode(errors="replace")
    if process.returncode != 0 or not script:
        raise PenpalError(
            f"cannot build the library of charts: vl-convert ended with {_ending(process.returncode)}; it needs some "
            "70 GB of addresses, of which it uses little (ulimit -v), and 32 open files (ulimit -n)"
        )
    return script


def _start() -> subprocess.Popen[bytes]:
    """Start a process that builds the script: JavaScript's V8 ends its own when it gets no memory or no files."""
    # Isolated from the current folder, and with the same packages as this process.
    command = [sys.executable, "-I", "-c", PROGRAM, json.dumps(sys.path)]
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    except OSError as error:
        raise PenpalError(f"cannot start Python for the library of charts: {error}") from error


def _ending(code: int) -> str:
    try:
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
