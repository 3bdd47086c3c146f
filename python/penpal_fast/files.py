"""Writing files so that they appear whole or not at all, and reading no more than there should be."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from penpal_fast.errors import PenpalError

ASIDE = ".penpal-"
"""How the names of files begin that are not whole yet."""


def check_name(path: str | os.PathLike[str]) -> None:
    """Make sure that a file can have a name.

    Raises:
        PenpalError: It is not UTF-8, or has a null byte.
    """
    try:
        if b"\0" in os.fspath(path).encode():
            raise PenpalError(f"{os.fspath(path)!r}: the output's name has a null byte; choose another")
    except UnicodeEncodeError as error:
        raise PenpalError(f"{os.fspath(path)!r}: the output's name must be UTF-8; choose another") from error


def read_at_most(path: Path, limit: int) -> bytes | None:
    """Read a file, or return None if it has more than `limit` bytes.

    Raises:
        OSError: It cannot be read, or is no regular file: a pipe may have no end.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


@contextlib.contextmanager
def replaced_atomically(target: Path, *, folder: Path | None = None) -> Iterator[Path]:
    """Give the path of an empty file to write to; on success it is synced and renamed to `target`, else removed.

    What a kill leaves of it is written over by the next that writes the target.

    Args:
        target: The file to write; what it links to if it is a link.
        folder: Folder of the path, on the target's file system; None for the target's.

    Raises:
        PenpalError: The target is there and not a regular file, its folder is not there, or another process is writing
            it.
    """
    target = checked_target(target)
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    aside = (folder or target.parent) / f"{ASIDE}{name}.part"
    with _locked(aside, target):
        try:
            yield aside
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            aside.replace(target)
            sync_folder(target.parent)
        finally:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(aside: Path, target: Path) -> Iterator[None]:
    """Make an empty file that no other process writes, as far as the file system has locks."""
    handle = os.open(aside, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                raise PenpalError(f"{target}: cannot write it: another process is writing it") from error
        os.truncate(handle, 0)
        yield
    finally:
        os.close(handle)


def checked_target(target: Path) -> Path:
    """Return the file that a path leads to, which need not be there.

    Raises:
        PenpalError: It is there and not a regular file, or its folder is not there.
    """
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():
        raise PenpalError(f"{target}: cannot write it: it is there already, and not a regular file")
    if not target.parent.is_dir():
        raise PenpalError(f"{target}: cannot write it: there is no folder {target.parent}")
    return target


def sync_folder(folder: Path) -> None:
    """Make sure that renamed and removed files of a folder stay so."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
