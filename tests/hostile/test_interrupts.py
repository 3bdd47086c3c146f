"""Ctrl-C at any moment of a command: no trace, and the exit status of an interrupt."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import typer

from penpal_fast.cli.console import Terminated, readable_errors

GUARDED = r'penpal_fast/(?!__init__|(__main__|interrupts)\.py", line \d+, in <module>)'
"""Places in traces that may not be there."""


@pytest.mark.parametrize("times", [1, 2, 3])
def test_ctrl_c_while_a_command_begins_or_ends_shows_no_trace(example_file, tmp_path, times):
    random = np.random.default_rng(times)
    for trial in range(4):
        output = tmp_path / f"{trial}.parquet"
        command = [sys.executable, "-m", "penpal_fast", "score", str(example_file), "-o", str(output)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.05 + random.uniform(0, 0.8))
        interrupted = process.poll() is None
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        said, errors = process.communicate(timeout=60)
        # Python's own start, until the package's main module guards against it, shows a trace.
        assert not re.search(rf"Traceback.*({GUARDED}|typer|rich|pyarrow)", errors, re.DOTALL), errors
        if re.search("Traceback|Fatal Python error", errors):
            continue
        assert process.returncode in ((-signal.SIGINT, 130, 0) if interrupted else (0,)), said + errors


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_the_live_page_while_a_request_comes(times):
    pytest.importorskip("starlette", reason="the extra `look` is not installed")
    command = [sys.executable, "-m", "penpal_fast", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = int(re.search(r":(\d+)/", process.stdout.readline())[1])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
            client.sendall(b"Content-Length: 50\r\n\r\n{")
            time.sleep(1)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.3)
            said, _ = process.communicate(timeout=40)  # The request would wait for a minute.
    finally:
        process.kill()
    assert process.returncode == 0
    assert "stopped" in said
    assert "Traceback" not in said


def test_an_error_that_ctrl_c_causes_in_a_lock_ends_as_ctrl_c_does(capsys):
    def wait(interrupt):
        try:
            raise interrupt
        finally:
            raise RuntimeError("cannot release un-acquired lock")  # As `threading.Condition.wait` does.

    for interrupt, code in ((KeyboardInterrupt(), 130), (Terminated("two rows are kept"), 143)):
        with pytest.raises(typer.Exit) as ended, readable_errors():
            wait(interrupt)
        assert ended.value.exit_code == code
    assert capsys.readouterr().err == "stopped\nstopped: two rows are kept\n"
    with pytest.raises(RuntimeError, match="something else"), readable_errors():
        raise RuntimeError("something else")
