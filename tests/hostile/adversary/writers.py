"""Several processes that write one output, some of them killed: whoever looks finds a whole one; one writer wins."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from helpers.outputs import content
from helpers.processes import started
from hostile.adversary.material import FORMS, JOB, job, names
from penpal_fast.files import replaced_atomically

SIZE = 1 << 15

SECONDS = 1.0

WRITER = """
import random, sys
from pathlib import Path
from penpal_fast import PenpalError
from penpal_fast.files import replaced_atomically
target, chance = Path(sys.argv[1]), random.Random(sys.argv[2])
print("ready", flush=True)
while True:
    try:
        with replaced_atomically(target) as aside:
            with aside.open("wb") as file:
                for _ in range(8):
                    file.write(bytes([int(sys.argv[3])]) * (1 << 12))
                    file.flush()
            if chance.random() < 0.3:
                raise KeyError
    except KeyError:
        pass
    except PenpalError as error:
        assert " is writing it" in str(error), error
"""


def trial(chance: random.Random, folder: Path) -> None:
    """Start some writers of one kind."""
    if chance.random() < 0.6:
        _files(chance, folder)
    else:
        _jobs(chance, folder)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    _, said = process.communicate()
    assert said == b"", said.decode()


def _files(chance: random.Random, folder: Path) -> None:
    target = folder / "out"
    target.write_bytes(b"\0" * SIZE)
    writers = started(
        WRITER,
        *([target, chance.random(), number + 1] for number in range(chance.choice((2, 3)))),
        stderr=subprocess.PIPE,
    )
    kill = time.monotonic() + chance.uniform(0, SECONDS)
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            seen = target.read_bytes()
            assert (len(seen), len(set(seen))) == (SIZE, 1)
            if time.monotonic() > kill and len(writers) > 1:
                _ended(writers.pop())
        assert [process.poll() for process in writers] == [None] * len(writers)
    finally:
        for process in writers:
            _ended(process)
    with replaced_atomically(target) as aside:
        aside.write_bytes(b"last")
    assert names(folder) == ["out"]
    assert target.read_bytes() == b"last"


def _jobs(chance: random.Random, folder: Path) -> None:
    done = job(chance.choice(FORMS), chance.choice(("out", "out.parquet")))
    target = folder / done.output
    processes = started(JOB, *[[done.lines, target]] * chance.choice((2, 3)), stderr=subprocess.PIPE)
    is_killed = chance.random() < 0.5
    if is_killed:
        time.sleep(chance.uniform(0, 0.1))
        processes[0].kill()
    for process in processes:
        while process.poll() is None:
            if target.suffix and target.exists():
                assert content(target) == done.whole
            time.sleep(0.002)
        _, said = process.communicate()
        assert process.returncode in (0, 1, -9), said.decode()
        assert process.returncode != 1 or b" is writing it" in said, said.decode()
    ends = [process.returncode for process in processes]
    assert is_killed or 0 in ends, ends
    assert done.resume(target) is None
    assert names(folder) == [done.output]
    assert content(target) == done.whole
