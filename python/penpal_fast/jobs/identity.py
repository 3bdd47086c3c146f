"""What a job is: all that its output depends on, how two jobs differ, and which job wrote a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from penpal_fast import __version__
from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import check_columns, score_column
from penpal_fast.errors import PenpalError
from penpal_fast.jobs.notes import noted
from penpal_fast.jobs.opened import OpenedSource
from penpal_fast.jobs.seal import UNSEALED, is_sealed, job_note
from penpal_fast.jobs.selection import SELECTION_KEY
from penpal_fast.sources.batch import Source

FORMAT = 10
"""Increase it when the same job would give a different output than before."""

JOB_KEY = b"penpal_fast"
"""Key of the Parquet metadata that says which job wrote a file."""

Description = dict[str, Any]
"""All that the output of a job depends on, as JSON."""


def described_job(opened: Sequence[OpenedSource], checks: Sequence[Check], column: str) -> Description:
    """Describe a job by its inputs, its checks in order, the strokes column, its layouts and the versions.

    Args:
        opened: The inputs.
        checks: The checks.
        column: Name of the strokes column.

    Raises:
        PenpalError: The identity of a check is not JSON.
    """
    layouts = [one.strokes.name for one in opened]
    description = {
        "format": FORMAT,
        "versions": {"penpal_fast": __version__, "pyarrow": pa.__version__},
        "settings": {"column": column, **({"layouts": layouts} if any(layouts) else {})},
        "checks": [_described_check(check) for check in checks],
        "inputs": [_described_input(one.source) for one in opened],
    }
    # A manifest has lists where a check's identity may have tuples.
    return json.loads(json.dumps(description))


def _described_check(check: Check) -> Description:
    identity = check.identity
    try:
        json.dumps(identity, allow_nan=False)  # NaN differs from itself, so the job could not be resumed.
    except (TypeError, ValueError, RecursionError) as error:
        raise PenpalError(f"the check {check.name!r}: identity must be JSON: {error}") from error
    if not isinstance(identity, dict):
        raise PenpalError(f"the check {check.name!r}: identity must be a dict, got {identity!r}")
    return {
        **dataclasses.asdict(score_column(check)),
        "identity": identity,
        "reads": check.reads,
        "adds": {name: str(kind) for name, kind in check_columns(check).items()},
    }


def _described_input(source: Source) -> Description:
    file = source.file
    return {"name": file.name, "size": file.size, "version": file.version, "fingerprint": source.fingerprint}


def job_id(description: Description) -> str:
    """Return a SHA-256 that differs for jobs whose outputs differ."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def with_job(schema: pa.Schema, job: str | None, *, sealed: bool = False) -> pa.Schema:
    """Note in a schema's metadata which job writes it, or that none does, and leave room for the seal of a file."""
    kept = {key: value for key, value in (schema.metadata or {}).items() if key not in (JOB_KEY, SELECTION_KEY)}
    note = {} if job is None else {JOB_KEY: job_note(job, UNSEALED if sealed else None)}
    return schema.with_metadata({**kept, **note})


def noted_job(path: Path) -> tuple[str, str] | None:
    """Return the job that wrote a single Parquet file, and the file's SHA-256; None if it has none or is damaged."""
    note = noted(path, JOB_KEY)
    try:
        return str(note["job"]), str(note["sha256"])
    except (TypeError, KeyError):
        return None


def is_output(path: Path, job: str) -> bool:
    """Whether a Parquet file is the whole output of a job, with the very bytes that were written."""
    found = noted_job(path)
    try:
        return found is not None and found[0] == job and is_sealed(path, *found)
    except OSError:
        return False


BY_THIS_JOB = "this job wrote it, but it was changed or damaged since"
BY_ANOTHER_JOB = "it was written from another input or model, by other versions or with other settings"


def cannot_resume(path: Path, origin: str) -> PenpalError:
    """Return the error for an output that exists and is not a job's own; `origin` says whose it is."""
    return PenpalError(
        f"{path}: cannot resume: this file exists already; {origin}; remove it, or leave --resume out to overwrite it"
    )


def differences(before: Description, now: Description) -> list[str]:
    """Say how a job differs from the job that was started before; nothing if it is the same."""
    if before["format"] != now["format"]:
        return [f"it was started by another version of this package (format {before['format']}, not {now['format']})"]
    return [
        *_changed_values(before["versions"], now["versions"]),
        *_changed_values(before["settings"], now["settings"]),
        *_changed_items("check", before["checks"], now["checks"]),
        *_changed_items("input", before["inputs"], now["inputs"]),
    ]


def _changed_values(before: Description, now: Description) -> Iterator[str]:
    for name in {**before, **now}:
        if before.get(name) == now.get(name):
            continue
        if name == "model":  # A model is known by its fingerprint, which tells a reader nothing.
            yield "the model changed"
        else:
            yield f"{name} was {before.get(name)!r} and is now {now.get(name)!r}"


def _changed_columns(before: Description, now: Description) -> Iterator[str]:
    """Compare the columns that a check reads and adds; inputs have none."""
    for verb in ("reads", "adds"):
        old, new = (list(item.get(verb, ())) for item in (before, now))
        if old != new:
            yield f"it {verb} {', '.join(new)} and no longer {', '.join(old)}"


def _changed_items(kind: str, before: list[Description], now: list[Description]) -> Iterator[str]:
    """Compare lists of checks or inputs, each of which has a name."""
    old, new = ({item["name"]: item for item in items} for items in (before, now))
    yield from (f"the {kind} {name!r} is gone" for name in old if name not in new)
    yield from (f"the {kind} {name!r} is new" for name in new if name not in old)
    for name in new:
        if name in old and old[name] != new[name]:
            values = [
                *_changed_values(old[name].get("identity", {}), new[name].get("identity", {})),
                *_changed_columns(old[name], new[name]),
            ]
            yield f"the {kind} {name!r}: {', '.join(values)}" if values else f"the {kind} {name!r} changed"
    if old == new and before != now:
        yield f"the {kind}s are in another order or number"
