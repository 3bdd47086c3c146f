"""The folder of a job's finished parts, with a manifest that says which job it is and a journal of what is done."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.files import ASIDE, replaced_atomically, sync_folder
from penpal_fast.jobs.parts import Part

logger = logging.getLogger(__name__)

MANIFEST = "_manifest.json"
"""Engines that read a folder of Parquet files pass over names that begin like this."""

JOURNAL = "_written.jsonl"
"""Has a line for each part that is done since the manifest was written, which takes longer the more parts there are."""

ASIDE_NAME = re.compile(re.escape(ASIDE) + r"[0-9a-f]{16}\.part(\.added)?")
"""Files that were not whole yet when a run was killed."""

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
        self._written: dict[str, dict[str, Any]] = {}
        self.job = job_id(description)

    @contextlib.contextmanager
    def opened(self, *, resume: bool) -> Iterator[None]:
        """Make the folder, or go on in it, while no other process does.

        Raises:
            PenpalError: It is there without `resume`, belongs to another job, has other files, or is in use.
        """
        if not self.path.exists():
            self.path.mkdir(exist_ok=True)
            sync_folder(self.path.parent)
        with self._locked():
            is_new = self._is_new(resume=resume)
            try:
                self._remove_asides()
                if is_new or (self.path / JOURNAL).exists():
                    self.write_manifest(None)
                yield
            except BaseException:
                self._leave()
                raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno == errno.EWOULDBLOCK:
                    raise PenpalError(f"{self.path}: another process is at work on it") from error
                raise PenpalError(f"{self.path}: cannot lock it: {error}; choose a place that can be") from error
            yield
        finally:
            os.close(lock)

    def _is_new(self, *, resume: bool) -> bool:
        """Whether the job begins, in an empty folder."""
        if (self.path / MANIFEST).is_file():
            if not resume:
                raise PenpalError(
                    f"{self.path}: a job was begun here; go on with --resume (resume=True), or remove the folder"
                )
            self._compare()
            return False
        if not all(self._is_begun_manifest(path) for path in self.path.iterdir()):
            raise PenpalError(f"{self.path}: the folder is not empty; choose another place")
        return True

    def _is_begun_manifest(self, path: Path) -> bool:
        """Whether this is what a kill left of writing the manifest of this very job."""
        return bool(ASIDE_NAME.fullmatch(path.name)) and self._manifest(None).startswith(path.read_bytes())

    def _remove_asides(self) -> None:
        for path in self.path.iterdir():
            if ASIDE_NAME.fullmatch(path.name):
                path.unlink()

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
            manifest = json.loads(path.read_bytes())
            differences = list(_differences(manifest["job"], self._description))
            self._written = {part["file"]: part["written"] for part in manifest["parts"] if part["written"]}
            self._written.update(self._noted())
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PenpalError(f"{path}: cannot read it: {error}; remove {self.path} to start again") from error
        if differences:
            raise PenpalError(
                f"{self.path}: cannot resume the job that was begun here, since {'; '.join(differences)}. "
                "Undo that, write to another place, or remove the folder to start again"
            )

    def _noted(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the parts in the journal; a kill may have cut its last line off."""
        journal = self.path / JOURNAL
        for line in journal.read_bytes().splitlines() if journal.exists() else []:
            with contextlib.suppress(ValueError):
                noted = json.loads(line)
                yield noted["file"], noted["written"]

    def write_manifest(self, summary: dict[str, Any] | None) -> None:
        """Write what the job is, which parts are done, and what it did once it is complete."""
        with replaced_atomically(self.path / MANIFEST) as aside:
            aside.write_bytes(self._manifest(summary))
        (self.path / JOURNAL).unlink(missing_ok=True)

    def _manifest(self, summary: dict[str, Any] | None) -> bytes:
        parts = [
            {
                "file": part.file,
                "input": part.source,
                "first_row": part.start,
                "rows": part.rows,
                "written": self._written.get(part.file),
            }
            for part in self._parts
        ]
        content = {"complete": summary is not None, "job": self._description, "parts": parts, "summary": summary}
        return json.dumps(content, indent=1).encode() + b"\n"

    def note_written(self, part: Part) -> None:
        """Note in the journal that a part is there, and what is in it."""
        self._written[part.file] = _content(self.file(part))
        with (self.path / JOURNAL).open("ab") as journal:
            line = {"file": part.file, "written": self._written[part.file]}
            journal.write(json.dumps(line).encode() + b"\n")
            journal.flush()
            os.fsync(journal.fileno())

    def file(self, part: Part) -> Path:
        """Where a part is when it is done."""
        return self.path / part.file

    def has(self, part: Part) -> bool:
        """Whether a part is done, and is what was written."""
        path = self.file(part)
        if not path.is_file():
            return False
        if self._written.get(part.file) != _content(path):
            logger.warning("%s: this is not all that the job wrote, or not known to be; it is made anew", path)
            return False
        return True

    def remove(self) -> None:
        """Remove the files of the job, which has been opened, and the folder unless others are in it.

        The manifest goes last, so that what is left after a kill is still known as the job's.
        """
        for part in self._parts:
            self.file(part).unlink(missing_ok=True)
        self._remove_asides()
        for name in (JOURNAL, MANIFEST):
            (self.path / name).unlink(missing_ok=True)
        try:
            self.path.rmdir()
        except OSError as error:
            logger.warning("%s: this folder stays: %s", self.path, error.strerror)
        sync_folder(self.path.parent)

    def remove_left(self) -> None:
        """Remove what a kill after the end of the job left, if it is the job's and no other process is at work on it.

        Raises:
            PenpalError: It is not, or one is.
        """
        with self._locked():
            self._is_new(resume=True)
            self.remove()


def _content(path: Path) -> dict[str, Any]:
    """Describe what a file holds, well enough to see any change."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


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
        yield from _changed(found[key], expected[key])
    for name in found["checks"].keys() ^ expected["checks"].keys():
        yield f"the check {name!r} is {'gone' if name in found['checks'] else 'new'}"
    for name in expected["checks"].keys() & found["checks"].keys():
        yield from _changed(found["checks"][name], expected["checks"][name])
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


def _changed(before: Description, now: Description) -> Iterator[str]:
    for name in now:
        if before.get(name) == now[name]:
            continue
        if name == "model":  # Known by its checksum, which tells a reader nothing.
            yield "the model changed"
        else:
            yield f"{name} was {before.get(name)!r} and is now {now[name]!r}"
