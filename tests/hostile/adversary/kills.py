"""Jobs that are killed at any moment, whose files are damaged, and that are resumed: the same bytes, or a reason."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from helpers.outputs import content
from hostile.adversary.material import FORMS, JOB, damaged, job, names

LONGEST = 0.15
"""Seconds from the start of a job to a kill; most jobs of this size end before."""

MAX_REFUSALS = 4


def trial(chance: random.Random, folder: Path) -> None:
    """Kill a job some times, damage what it left, and resume it."""
    done = job(chance.choice(FORMS), chance.choice(("out", "out.parquet")))
    target = folder / done.output
    is_damaged = False
    for _ in range(chance.choice((1, 1, 2))):
        _start_and_kill(done.lines, target, chance.uniform(0, LONGEST))
        if target.suffix and not is_damaged:
            assert not target.exists() or content(target) == done.whole
        if chance.random() < 0.7:
            _damage(folder, chance)
            is_damaged = True
    for _ in range(MAX_REFUSALS):
        refused = done.resume(target)
        if refused is None:
            break
        assert str(target) in refused, refused
        _obey(refused, target)
    assert names(folder) == [done.output]
    assert content(target) == done.whole


def _start_and_kill(lines: Path, target: Path, seconds: float) -> None:
    command = [sys.executable, "-c", JOB, str(lines), str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    process.kill()
    _, said = process.communicate()
    assert b"Traceback" not in said, said.decode()


def _damage(folder: Path, chance: random.Random) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in chance.sample(files, min(len(files), chance.choice((1, 1, 2)))):
        if chance.random() < 0.2:
            path.unlink()
        else:
            path.write_bytes(damaged(path.read_bytes(), chance))


def _obey(refused: str, target: Path) -> None:
    """Remove what the reason of a refusal says is to be removed."""
    lock = re.search(r"(/\S+) is not a lock file of this package; remove it", refused)
    if lock:
        Path(lock[1]).unlink()
        return
    assert "remove" in refused or "the folder is not empty; choose another place" in refused, refused
    _remove(target)
    _remove(target.with_name(f"{target.name}.parts"))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
