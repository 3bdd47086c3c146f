"""The script that draws the charts, with all that it needs."""

from __future__ import annotations

import functools
import importlib.util
import json
import signal
import subprocess
import sys

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


@functools.cache
def chart_library() -> str:
    """Return the script. The first call takes seconds.

    It is built by JavaScript's V8, which ends its whole process when it gets no memory or no files. So it has a process
    of its own.

    Raises:
        PenpalError: That process failed.
    """
    # Isolated from the current folder, and with the same packages as this process.
    command = [sys.executable, "-I", "-c", PROGRAM, json.dumps(sys.path)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise PenpalError(f"cannot start Python for the library of charts: {error}") from error
    script = done.stdout.decode(errors="replace")
    if done.returncode != 0 or not script:
        raise PenpalError(
            f"cannot build the library of charts: vl-convert ended with {_ending(done.returncode)}; it needs some 70 "
            "GB of addresses, of which it uses little (ulimit -v), and 32 open files (ulimit -n)"
        )
    return script


def _ending(code: int) -> str:
    try:
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
