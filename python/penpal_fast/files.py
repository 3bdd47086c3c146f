"""Files that appear complete or not at all, and files that are read only up to a limit."""

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
"""Start of the names of incomplete files."""


def check_name(path: str | os.PathLike[str]) -> None:
    """Make sure that a name is one that a file can have.

    Raises:
        PenpalError: The name is not UTF-8, or has a null byte.
    """
    try:
        if b"\0" in os.fspath(path).encode():
            raise PenpalError(f"{os.fspath(path)!r}: the output's name has a null byte; choose another")
    except UnicodeEncodeError as error:
        raise PenpalError(f"{os.fspath(path)!r}: the output's name must be UTF-8; choose another") from error


def read_at_most(path: Path, limit: int) -> bytes | None:
    """Read a file, or return None if it has more than `limit` bytes.

    Raises:
        OSError: The file cannot be read, or is not a regular file, such as a pipe, which may have no end.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


@contextlib.contextmanager
def replaced_atomically(target: Path, *, folder: Path | None = None) -> Iterator[Path]:
    """Give the path of an empty file to write to. On success it is synced and renamed to `target`, else removed.

    A kill leaves it behind, and the next call for the same target overwrites it.

    Args:
        target: The file to write; if it is a link, the file that it leads to.
        folder: Folder of the path, on the target's file system; None for the target's folder.

    Raises:
        PenpalError: The target exists and is not a regular file, its folder does not exist, or another process is
            writing it.
    """
    target = checked_target(target)
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    aside = (folder or target.parent) / f"{ASIDE}{name}.incomplete"
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
    """Make an empty file, with a lock against other processes if the file system has locks."""
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
    """Return the file that a path leads to, which need not exist.

    Raises:
        PenpalError: It exists and is not a regular file, or its folder does not exist.
    """
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():
        raise PenpalError(f"{target}: cannot write it: it exists already and is not a regular file")
    if not target.parent.is_dir():
        raise PenpalError(f"{target}: cannot write it: there is no folder {target.parent}")
    return target


def sync_folder(folder: Path) -> None:
    """Make renames and removals of files in a folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
