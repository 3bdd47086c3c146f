"""The seal of a single output file: a SHA-256 of all its bytes, within its footer."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from penpal_fast.files import PIECE_BYTES
from penpal_fast.sources.parquet_footer import END_BYTES, MAGIC

UNSEALED = "0" * 64
"""Stands in the place of the SHA-256 while it is computed."""


def job_note(job: str, digest: str | None = None) -> bytes:
    """What a file's metadata says of the job that wrote it, and the file's SHA-256 if the file is sealed."""
    return json.dumps({"job": job} if digest is None else {"job": job, "sha256": digest}).encode()


class Content:
    """The bytes of a Parquet file before its footer, read from the files that its row groups were copied from.

    Attributes:
        size: Number of bytes, with the letters at the beginning of a file.
        sha256: Their hash.
    """

    def __init__(self, places: Iterable[tuple[Path, int, int]]) -> None:
        """Read bytes of files, each from a place up to another.

        Raises:
            OSError: A file cannot be read.
        """
        self.size = len(MAGIC)
        self.sha256 = hashlib.sha256(MAGIC)
        for path, start, stop in places:
            with path.open("rb") as file:
                _add(self.sha256, file, start, stop)
            self.size += stop - start


def row_group_places(files: Sequence[Path]) -> Iterator[tuple[Path, int, int]]:
    """Yield where the row groups of Parquet files are: the files without their beginnings and footers.

    Raises:
        OSError: A file cannot be read.
    """
    for path in files:
        with path.open("rb") as file:
            start, _ = _footer(file)
        yield path, len(MAGIC), start


def seal(path: Path, job: str, content: Content | None = None) -> None:
    """Put the SHA-256 of a Parquet file into its note, which must be `job_note(job, UNSEALED)`.

    Args:
        path: The file.
        job: Id of the job that wrote it.
        content: Its bytes before the footer, if they were read already.

    Raises:
        ValueError: The footer does not have the note once.
    """
    with path.open("rb+") as file:
        start, footer = _footer(file)
        note = job_note(job, UNSEALED)
        if footer.count(note) != 1:
            raise ValueError("the footer does not have the job's note once")
        if content and content.size == start:
            whole = content.sha256.copy()
            whole.update(footer)
            digest = whole.hexdigest()
        else:
            digest = _digest(file, start, footer)
        file.seek(start + footer.index(note))
        file.write(job_note(job, digest))


def is_sealed(path: Path, job: str, digest: str) -> bool:
    """Whether a Parquet file has the bytes that it was sealed with.

    Raises:
        OSError: The file cannot be read.
    """
    note = job_note(job, digest)
    with path.open("rb") as file:
        start, footer = _footer(file)
        return footer.count(note) == 1 and _digest(file, start, footer.replace(note, job_note(job, UNSEALED))) == digest


def _footer(file: IO[bytes]) -> tuple[int, bytes]:
    """Return the place of the footer and its bytes, with the ending."""
    size = file.seek(-END_BYTES, os.SEEK_END) + END_BYTES
    length = int.from_bytes(file.read(4), "little") + END_BYTES
    start = max(size - length, 0)
    file.seek(start)
    return start, file.read()


def _digest(file: IO[bytes], start: int, footer: bytes) -> str:
    """Return the SHA-256 of all bytes before the footer, and of the footer."""
    content = hashlib.sha256()
    _add(content, file, 0, start)
    content.update(footer)
    return content.hexdigest()


def _add(content: hashlib._Hash, file: IO[bytes], start: int, stop: int) -> None:
    """Add the bytes of a file from `start` up to `stop` to a hash."""
    file.seek(start)
    while piece := file.read(min(PIECE_BYTES, stop - file.tell())):
        content.update(piece)
