"""The folder of a job's finished parts, with a manifest that says which job it is."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.files import ASIDE, replaced_atomically, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penpal_fast.bulk.parts import Part

logger = logging.getLogger(__name__)

MANIFEST = "_manifest.json"
"""Engines that read a folder of Parquet files pass over names that begin like this."""

JOB_KEY = b"penpal_fast"
"""Key of the Parquet metadata that says which job wrote a file."""

Description = dict[str, Any]
"""All that the content of the output depends on, as JSON."""


def job_id(description: Description) -> str:
    """Return a SHA-256 that differs for jobs whose outputs differ."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


class JobFolder:
    """A folder with the parts of one job; a part is whole if it is there."""

    def __init__(self, path: Path, description: Description, parts: list[Part]) -> None:
        """Take the folder of a job, which need not be there."""
        self.path = path
        self._description = description
        self._parts = parts
        self.job = job_id(description)

    @contextlib.contextmanager
    def opened(self, *, resume: bool) -> Iterator[None]:
        """Make the folder, or go on in it, while no other process does.

        Raises:
            PenpalError: It is there without `resume`, belongs to another job, has other files, or is in use.
        """
        self.path.mkdir(exist_ok=True)
        lock = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise PenpalError(f"{self.path}: another process is at work on it") from error
            is_new = self._is_new(resume=resume)
            try:
                if is_new:
                    self.write_manifest(None)
                yield
            except BaseException:
                self._leave()
                raise
        finally:
            os.close(lock)

    def _is_new(self, *, resume: bool) -> bool:
        """Whether the job begins, in an empty folder."""
        for left in self.path.glob(f"{ASIDE}*"):
            left.unlink()
        if (self.path / MANIFEST).is_file():
            if not resume:
                raise PenpalError(
                    f"{self.path}: a job was begun here; go on with --resume (resume=True), or remove the folder"
                )
            self._compare()
            return False
        if any(self.path.iterdir()):
            raise PenpalError(f"{self.path}: the folder is not empty; choose another place")
        return True

    def _leave(self) -> None:
        """After an error, remove the folder if nothing in it is worth keeping."""
        there = sum(self.file(part).exists() for part in self._parts)
        if there:
            logger.warning(
                "%d of %d parts are done and kept in %s; the same again with --resume (resume=True) does the rest",
                there,
                len(self._parts),
                self.path,
            )
        else:
            self.remove()

    def _compare(self) -> None:
        path = self.path / MANIFEST
        try:
            found = json.loads(path.read_bytes())["job"]
            differences = list(_differences(found, self._description))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PenpalError(f"{path}: cannot read it: {error}; remove {self.path} to start again") from error
        if differences:
            raise PenpalError(
                f"{self.path}: cannot resume the job that was begun here, since {'; '.join(differences)}. "
                "Undo that, write to another place, or remove the folder to start again"
            )

    def write_manifest(self, summary: dict[str, Any] | None) -> None:
        """Write what the job is, and what it did once it is complete."""
        parts = [
            {"file": part.file, "input": part.source, "first_row": part.start, "rows": part.rows}
            for part in self._parts
        ]
        content = {"complete": summary is not None, "job": self._description, "parts": parts, "summary": summary}
        with replaced_atomically(self.path / MANIFEST) as aside:
            aside.write_text(json.dumps(content, indent=1) + "\n")

    def file(self, part: Part) -> Path:
        """Where a part is when it is done."""
        return self.path / part.file

    def has(self, part: Part) -> bool:
        """Whether a part is done.

        Raises:
            PenpalError: There is something else in its place.
        """
        path = self.file(part)
        if not path.exists():
            return False
        if job_of(path) != self.job or pq.read_metadata(path).num_rows != part.rows:
            raise PenpalError(f"{path}: this is not what the job wrote; remove it, and --resume writes it again")
        return True

    def remove(self) -> None:
        """Remove the folder; its manifest last, so that what is left after a kill is still known as the job's."""
        for part in self._parts:
            self.file(part).unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        sync_folder(self.path.parent)


def job_of(path: Path) -> str | None:
    """Which job wrote a Parquet file, None if it is not known."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return json.loads(metadata[JOB_KEY])["job"]
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError):
        return None


def with_job(schema: pa.Schema, job: str) -> pa.Schema:
    """Note in a schema's metadata which job writes it."""
    return schema.with_metadata({**(schema.metadata or {}), JOB_KEY: json.dumps({"job": job}).encode()})


def _differences(found: Description, expected: Description) -> Iterator[str]:
    """Say in what a job differs from the one that was begun."""
    if found["format"] != expected["format"]:
        yield f"it was begun by another version of this package (format {found['format']}, not {expected['format']})"
        return
    for key in ("versions", "settings"):
        before, now = found[key], expected[key]
        for name in now:
            if before.get(name) != now[name]:
                yield f"{name} was {before.get(name)!r} and is now {now[name]!r}"
    if found["model"] != expected["model"]:
        yield "the model is another one"
    before_files = {file["name"]: file for file in found["inputs"]}
    now_files = {file["name"]: file for file in expected["inputs"]}
    for name in before_files.keys() - now_files.keys():
        yield f"the input {name} is gone"
    for name in now_files.keys() - before_files.keys():
        yield f"the input {name} is new"
    for name in sorted(before_files.keys() & now_files.keys()):
        if before_files[name] != now_files[name]:
            yield f"the input {name} was changed"
    if list(found["inputs"]) != list(expected["inputs"]) and before_files == now_files:
        yield "the inputs are in another order"
