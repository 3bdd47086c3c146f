"""How many threads are started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from penpal_fast import PenpalError, Scorer

COUNT = """
import os, sys, time
import numpy as np
import penpal_fast

if len(sys.argv) > 1:
    os.sched_setaffinity(0, {int(sys.argv[1])})
out = np.empty((8, 256, 256, 1), dtype=np.float32)
penpal_fast.render_into([[[(0, 0), (1, 1)]]] * 8, out)

def named():  # A thread takes its name itself, once it runs.
    names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
    return sum(name.startswith("penpal-") for name in names)

found, seen = named(), -1
while found != seen:
    time.sleep(1)
    found, seen = named(), found
print(found)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc, which Linux has")


def started(*arguments, variable=None):
    """How many threads a process starts that renders a batch."""
    environment = {name: value for name, value in os.environ.items() if name != "RAYON_NUM_THREADS"}
    if variable is not None:
        environment["RAYON_NUM_THREADS"] = variable
    command = [sys.executable, "-c", COUNT, *arguments]
    return int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def test_the_variable_is_obeyed_up_to_a_limit():
    assert started(variable="3") == 3
    assert started(variable="99999") == 1024


def test_only_processors_that_the_process_may_use_count():
    allowed = sorted(os.sched_getaffinity(0))
    assert started(str(allowed[0])) == 1
    assert started() <= len(allowed)


@pytest.mark.parametrize("threads", [0, -1, 1025, 99_999, 2.0, "2"])
def test_impossible_numbers_are_refused(threads):
    with pytest.raises(PenpalError, match="threads must be from 1 to 1024, or None for one for each processor"):
        Scorer(threads=threads)
