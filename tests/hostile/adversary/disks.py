"""Disks that are full and files that may not grow: a reason, nothing half written, and a resume to the same bytes."""

from __future__ import annotations

import contextlib
import random
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from helpers.outputs import content
from hostile.adversary.material import FORMS, job, names, scorer
from hostile.adversary.trials import NotHere
from penpal_fast import PenpalError, filter_dataset


def trial(chance: random.Random, folder: Path) -> None:
    """Fill a disk while a job or a filter writes."""
    limited = chance.choice((_file_limit, _small_disk))
    if chance.random() < 0.7:
        _score(chance, folder, limited)
    else:
        _filter(chance, folder, limited)


def _score(chance: random.Random, folder: Path, limited: object) -> None:
    done = job(chance.choice(FORMS), chance.choice(("out", "out.parquet")))
    size = sum(map(len, done.whole.values()))
    with limited(folder, chance.randrange(1, size + size // 4)) as (disk, lifted):
        target = disk / done.output
        refused = done.resume(target)
        if refused is not None:
            assert "cannot write it" in refused or "No space left" in refused, refused
            assert str(target) in refused, refused
            assert not (target.suffix and target.exists())
            lifted()
            assert done.resume(target) is None
        assert names(disk) == [done.output]
        assert content(target) == done.whole


def _filter(chance: random.Random, folder: Path, limited: object) -> None:
    done = job("encoded", "out.parquet")
    scored = done.lines.with_name(done.output)
    threshold = chance.choice((0.0, 0.1, 0.9))
    with limited(folder, chance.randrange(1, 2 * len(done.whole[""]))) as (disk, lifted):
        for attempt in range(2):
            try:
                kept = filter_dataset(scored, disk / "kept.parquet", threshold=threshold, scorer=scorer())
            except PenpalError as error:
                assert attempt == 0, error
                assert "kept.parquet: cannot write it" in str(error), error
                assert names(disk) == []
                lifted()
            else:
                assert pq.read_metadata(disk / "kept.parquet").num_rows == kept.kept
                assert names(disk) == ["kept.parquet"]
                break


@contextlib.contextmanager
def _file_limit(folder: Path, size: int) -> Iterator[tuple[Path, object]]:
    """Give a folder in which no file may be larger, and what lifts that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lift() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    # What a file loses to a limit must not be this process's own stderr.
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(size, 1), before[1]))
    try:
        yield folder, lift
    finally:
        lift()


@contextlib.contextmanager
def _small_disk(folder: Path, size: int) -> Iterator[tuple[Path, object]]:
    """Give a file system of so many bytes in whole pages, and what makes it large."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={max(size, 4096)}", "tmpfs", str(disk)]
    try:
        is_mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        raise NotHere("mounting a file system needs root")

    def lift() -> None:
        command = ["mount", "-o", "remount,size=64m", str(disk)]
        subprocess.run(command, check=True, capture_output=True)

    try:
        yield disk, lift
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607
