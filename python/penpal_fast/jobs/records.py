"""Which job wrote a file of JSON lines: a hidden file beside it says so, as Parquet files do within their footer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penpal_fast.files import LONGEST_NAME, appears_whole, read_at_most, sha256_of

ENDING = ".penpal"

MAX_BYTES = 4 << 20
"""Maximum size of a record. Most of one is the counts of scores: 10,000 for each check."""


def record_path(target: Path) -> Path:
    """Path of the record of a file. Names that begin with a dot are no inputs."""
    name = f".{target.name}{ENDING}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()}{ENDING}"
    return target.with_name(name)


@contextlib.contextmanager
def recorded(aside: Path, target: Path, job: str) -> Iterator[dict[str, Any]]:
    """Write the record of a file that is complete at the end of the block, before it appears under its name.

    Args:
        aside: Where the file is written.
        target: What it will be called.
        job: The job that writes it.

    Returns:
        What else the record is to say, as JSON; to be filled within the block.
    """
    noted: dict[str, Any] = {}
    yield noted
    content = json.dumps({"job": job, "sha256": sha256_of(aside), **noted}).encode()
    record_path(target).unlink(missing_ok=True)  # Its mode would stay.
    with appears_whole(record_path(target)) as path:
        if target.exists():  # Who may not read the file may not read about it.
            path.chmod(stat.S_IMODE(target.stat().st_mode) & 0o666)
        path.write_bytes(content)


def record_of(target: Path, job: str) -> dict[str, Any]:
    """Return the record of a file; empty if another job wrote the file, or it has changed since, or is not there."""
    noted = _read(target)
    with contextlib.suppress(OSError):
        if noted.get("job") == job and noted.get("sha256") == sha256_of(target):
            return noted
    return {}


def recorded_job(target: Path) -> str | None:
    """Return the job that wrote a file, as its record says; the file may have changed since."""
    return _read(target).get("job")


def _read(target: Path) -> dict[str, Any]:
    try:
        noted = json.loads(read_at_most(record_path(target), MAX_BYTES) or b"")
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}
