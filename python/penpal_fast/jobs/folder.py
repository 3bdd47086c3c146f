"""The folder of a job: its finished parts, a manifest that says which job it is, and a journal of finished parts."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.files import ASIDE, ASIDE_NAME, appears_whole, read_at_most, sha256_of, sync_folder
from penpal_fast.jobs.identity import Description, differences, job_id
from penpal_fast.jobs.parts import Part
from penpal_fast.locks import NoLocksError, locked

logger = logging.getLogger(__name__)

MANIFEST = "_manifest.json"
"""Engines that read a folder of Parquet files skip names that begin with an underscore."""

JOURNAL = "_written.jsonl"
"""Has a line for each part finished since the manifest was written. Rewriting the manifest for each part would take
longer the more parts there are."""

LOCK = f"{ASIDE}job.lock"
"""Carries the lock of the process that writes the folder."""


class JobFolder:
    """The folder of one job. A part is finished if its file is there and matches its checksum.

    Attributes:
        path: The folder.
        is_single: Whether its parts become a single file.
        job: Id of the job.
        is_synced: Whether finished parts must survive a power failure. The only part of a file need not: it takes
            seconds to write again, and the disk more to sync it than all else takes for a few rows.
    """

    def __init__(self, path: Path, description: Description, parts: list[Part], *, is_single: bool = False) -> None:
        """Take the path of the folder, which need not exist, and whether its parts become a single file."""
        self.path = path
        self.is_single = is_single
        self.job = job_id(description)
        self.is_synced = not is_single or len(parts) > 1
        self._description = description
        self._parts = parts
        self._written: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def opened(
        self, *, resume: bool, mode: int = 0o777, again: str = "run it again with --resume (resume=True)"
    ) -> Iterator[None]:
        """Create the folder or resume its job, with a lock against other processes.

        Args:
            resume: Resume the job that was started there, if one was.
            mode: Mode of a new folder, of which the umask is taken off.
            again: How a user goes on after an error.

        Raises:
            PenpalError: It exists without `resume`, belongs to another job, has other files, or is in use.
            KeyboardInterrupt: Ctrl-C; it says how many rows are kept.
        """
        with contextlib.ExitStack() as held:
            self._make(held, mode)
            is_new = self._is_new(resume=resume)
            try:
                self._remove_asides()
                if is_new or (self.path / JOURNAL).exists():
                    self.write_manifest(None)
                yield
            except KeyboardInterrupt as error:
                error.args = (self._leave(again),)
                raise
            except BaseException:
                left = self._leave(again)
                if self._kept_rows():
                    logger.warning("%s: %s", self.path, left)
                raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if self.path.is_symlink():
            raise PenpalError(f"{self.path}: it is a link; remove it")
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.path / LOCK, self.path))
            except NoLocksError as error:
                raise PenpalError(f"{self.path}: cannot lock it: {error}; choose a place with file locks") from error
            yield

    def _make(self, held: contextlib.ExitStack, mode: int) -> None:
        """Create and lock the folder; another job may remove it in between."""
        while True:
            if not self.path.exists():
                with contextlib.suppress(FileExistsError):  # Another job's, which may be gone again.
                    self.path.mkdir(mode)
                if self.is_synced:
                    sync_folder(self.path.parent)
            try:
                held.enter_context(self._locked())
            except FileNotFoundError:
                continue
            return

    def _is_new(self, *, resume: bool) -> bool:
        """Whether the folder is empty, so that the job starts in it."""
        if all(path.name == LOCK or self._is_started_manifest(path) for path in self.path.iterdir()):
            return True
        if (self.path / MANIFEST).is_file():
            if not resume:
                raise PenpalError(
                    f"{self.path}: a job was started here; resume it with --resume (resume=True), or remove the folder"
                )
            self._read_manifest()
            return False
        raise PenpalError(f"{self.path}: the folder is not empty; choose another place")

    def _is_started_manifest(self, path: Path) -> bool:
        """Whether a file is an incomplete manifest of this very job, from a run that was killed.

        Under its own name it is only after a power failure, which may leave zeros in place of its end.
        """
        manifest = self._manifest(None)
        with contextlib.suppress(OSError):
            is_named = ASIDE_NAME.fullmatch(path.name) or path.name == MANIFEST
            content = read_at_most(path, len(manifest)) if is_named else None
            is_started = content is not None and manifest.startswith(content.rstrip(b"\0"))
            return is_started and (path.name != MANIFEST or content != manifest)
        return False

    def _remove_asides(self) -> None:
        for path in self.path.iterdir():
            if ASIDE_NAME.fullmatch(path.name):
                path.unlink()

    def _kept_rows(self) -> int:
        """Count the rows of finished parts."""
        return sum(part.rows for part in self._parts if self.file(part).exists())

    def _leave(self, again: str) -> str:
        """After an error, remove the folder unless a part is finished, and say what is kept."""
        if kept := self._kept_rows():
            return f"{kept:,} of {sum(part.rows for part in self._parts):,} rows are kept; {again}"
        self.remove()
        most = max(part.rows for part in self._parts)
        return f"no rows are kept, as no part was complete; a part of this job has up to {most:,} rows"

    def _read_manifest(self) -> None:
        path = self.path / MANIFEST
        try:
            manifest = json.loads(path.read_bytes())
            changes = differences(manifest["job"], self._description)
            self._written = {part["file"]: part["written"] for part in manifest["parts"] if part["written"]}
            self._written.update(self._journal())
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PenpalError(f"{path}: cannot read it: {error}; remove {self.path} to start again") from error
        if changes:
            raise PenpalError(
                f"{self.path}: cannot resume the job that was started here: {'; '.join(changes)}. "
                "Undo the change, write to another place, or remove the folder to start again"
            )

    def _journal(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the parts in the journal; a kill may have cut its last line off."""
        journal = self.path / JOURNAL
        for line in journal.read_bytes().splitlines() if journal.is_file() else []:
            with contextlib.suppress(ValueError):
                noted = json.loads(line)
                yield noted["file"], noted["written"]

    def write_manifest(self, summary: dict[str, Any] | None) -> None:
        """Write what the job is and which parts are finished, and the summary once all are."""
        with appears_whole(self.path / MANIFEST, synced=self.is_synced) as aside:
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
        """Note in the journal that a part is finished, and its checksum."""
        self._written[part.file] = _checksum(self.file(part))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(self.path / JOURNAL, flags, 0o666), "ab") as journal:
            line = {"file": part.file, "written": self._written[part.file]}
            journal.write(json.dumps(line).encode() + b"\n")
            journal.flush()
            if self.is_synced:
                os.fsync(journal.fileno())

    def file(self, part: Part) -> Path:
        """Path of a finished part."""
        return self.path / part.file

    def has(self, part: Part) -> bool:
        """Whether a part is finished and its checksum matches."""
        path = self.file(part)
        if path.is_symlink() or not path.is_file():
            return False
        if self._written.get(part.file) != _checksum(path):
            logger.warning("%s: checksum mismatch, or no checksum was noted; this part is written again", path)
            return False
        return True

    def remove(self) -> None:
        """Remove the files of the job, and the folder unless it has other files.

        The manifest goes last: after a kill, the rest can still be recognised as the job's.
        """
        if not self.path.is_dir():
            return
        for part in self._parts:
            self.file(part).unlink(missing_ok=True)
        self._remove_asides()
        for name in (JOURNAL, MANIFEST, LOCK):
            (self.path / name).unlink(missing_ok=True)
        try:
            self.path.rmdir()
        except OSError as error:
            logger.warning("%s: the folder is kept: %s", self.path, error.strerror)
        if self.is_synced:
            sync_folder(self.path.parent)

    def remove_rest(self) -> None:
        """Remove what remains of a finished job after a kill.

        Raises:
            PenpalError: The folder belongs to another job, or is in use.
        """
        with self._locked():
            self._is_new(resume=True)
            self.remove()


def _checksum(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
