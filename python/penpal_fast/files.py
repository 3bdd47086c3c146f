"""Files that appear complete or not at all, and files that are read only up to a limit."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.locks import NoLocksError, locked

ASIDE = ".penpal-"
"""Start of the names of incomplete files and of locks."""

ASIDE_NAME = re.compile(re.escape(ASIDE) + r"[0-9a-f]{16}\.incomplete")
"""Names of incomplete files; they are random, so that nobody can put a link there before."""

ACCESS_LIST = "system.posix_acl_access"
"""Linux's name of what a file grants to users and groups one by one."""

PIECE_BYTES = 1 << 20
"""Bytes of a file that are read at a time."""

LONGEST_NAME = 255
"""Bytes of a name in the usual file systems."""


def check_name(path: str | os.PathLike[str]) -> None:
    """Make sure that a name is one that a file can have.

    Raises:
        PenpalError: It is not a path, is empty, is not UTF-8, or has a null byte.
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise PenpalError(f"the output must be a path, got {type(path).__name__}")
    if not os.fspath(path):
        raise PenpalError("the output's name is empty; name a file")
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
    with open_regular(path) as file:
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    content = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            content.update(piece)
    return content.hexdigest()


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: The file cannot be opened, or is not a regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # Else a pipe would wait for a writer.
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("it is not a regular file")
    return os.fdopen(handle, "rb")


def check_is_no_input(output: Path, inputs: Iterable[Path]) -> None:
    """Make sure that an output would replace none of its inputs, under whatever name.

    Links lead to the same file, and so do names in other capitals on many file systems.

    Raises:
        PenpalError: It would.
    """
    if any(_are_same(output, path) for path in inputs):
        raise PenpalError(f"{output}: the output would replace an input; choose another name")


def _are_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file; not if one leads nowhere, which whoever opens it says better."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def check_writable(target: Path) -> None:
    """Make sure, before any work, that a file can be written at a path, which need not exist.

    Raises:
        PenpalError: As for `checked_target`, or no file can be made in its folder.
    """
    with errors_of_writing(target), made_aside(aside_path(checked_target(target).parent)):
        pass


@contextlib.contextmanager
def errors_of_writing(target: Path) -> Iterator[None]:
    """Name the file in errors of a block that does nothing but write it.

    Raises:
        PenpalError: It cannot be written, such as on a full disk.
    """
    try:
        yield
    except OSError as error:
        raise_if_from_handler(error)
        raise PenpalError(f"{target}: cannot write it: {error.strerror or error}") from error


@contextlib.contextmanager
def replaced_atomically(target: Path, *, wait: float = 0) -> Iterator[Path]:
    """Give the path of an empty file to write to. On success it is synced and renamed to `target`, else removed.

    Only one process at a time is within such a block for a target, so the block may also read it. A kill leaves the
    file behind, and the next call for the same target removes it. A file that is replaced keeps its mode and owner.
    A block that reads other files takes `reserved` and `appears_whole`: here any `OSError` is one of the target.

    Args:
        target: The file to write; if it is a link, the file that it leads to.
        wait: Seconds to wait for another process that is writing the target.

    Raises:
        PenpalError: The target exists and is not a regular file, its folder does not exist, another process is
            writing it, or it cannot be written.
    """
    followed = checked_target(target)
    with errors_of_writing(target), reserved(followed, wait=wait) as aside, appears_whole(followed, aside):
        yield aside


@contextlib.contextmanager
def reserved(target: Path, *, wait: float = 0) -> Iterator[Path]:
    """Keep other processes from writing a target, if the file system has locks; remove what a killed one left.

    Args:
        target: A file, as `checked_target` returns it.
        wait: Seconds to wait for another process.

    Returns:
        Path beside the target for `appears_whole`. The next call for the same target removes it after a kill.

    Raises:
        PenpalError: Another process is writing the target.
    """
    aside = aside_path(target.parent)
    lock = target.parent / f"{ASIDE}{_digest(target.name)}.lock"

    def remove(left: str) -> None:
        if ASIDE_NAME.fullmatch(left):
            target.with_name(left).unlink(missing_ok=True)

    with contextlib.ExitStack() as held:
        with errors_of_writing(target):  # A full disk has no room for the lock's few bytes.
            try:
                held.enter_context(locked(lock, target, note=aside.name, left=remove, wait=wait))
            except NoLocksError:
                pass
            except FileNotFoundError as error:  # As in /proc, or a folder that was just removed.
                raise PenpalError(f"{target}: cannot write it: no file can be made in {target.parent}") from error
        yield aside


@contextlib.contextmanager
def appears_whole(target: Path, aside: Path | None = None, *, synced: bool = True) -> Iterator[Path]:
    """Give the path of an empty file to write to. On success it is synced and renamed to `target`, else removed.

    Args:
        target: The file to write; a link is replaced.
        aside: A path from `aside_path` on the target's file system; None for one beside the target.
        synced: Whether the file must survive a power failure whole.
    """
    aside = aside or aside_path(target.parent)
    before, access = _status(target), _access_list(target)
    # Others may not read what replaces a file that they may not read.
    with made_aside(aside, mode=0o600 if before else 0o666):
        yield aside
        with aside.open("rb+") as file:
            if before:
                _take_over(file.fileno(), before, access)
            if synced:
                os.fsync(file.fileno())
        aside.replace(target)
        if synced:
            sync_folder(target.parent)


@contextlib.contextmanager
def made_aside(path: Path, *, mode: int = 0o666) -> Iterator[None]:
    """Make an empty file at a path that leads to nothing, and remove it after the block if it is still there."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def aside_path(folder: Path) -> Path:
    """Return a path in a folder that nobody can predict."""
    return folder / f"{ASIDE}{secrets.token_hex(8)}.incomplete"


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _take_over(handle: int, before: os.stat_result, access: bytes | None) -> None:
    """Give an open file the owner, access list and mode of the file that it replaces, as far as this process may.

    Where it may not, nobody gets more rights than they had.
    """
    for owner, group in ((before.st_uid, -1), (-1, before.st_gid)):
        with contextlib.suppress(OSError):
            os.fchown(handle, owner, group)
    mode = stat.S_IMODE(before.st_mode) & 0o777
    for_all = mode & ~0o070 | mode & (mode & 0o007) << 3
    if not _has_access_list(handle, access) or os.fstat(handle).st_gid != before.st_gid:
        mode = for_all  # Another group, or one to which the list had given less than the mode says.
    with contextlib.suppress(OSError):
        os.fchmod(handle, mode)


def _access_list(target: Path) -> bytes | None:
    """Read the POSIX access list of a file; None if it has none, and where Python cannot read it."""
    if hasattr(os, "getxattr"):
        with contextlib.suppress(OSError):
            return os.getxattr(target, ACCESS_LIST, follow_symlinks=False)
    return None


def _has_access_list(handle: int, access: bytes | None) -> bool:
    """Give an open file an access list, or take away what it has from its folder; return whether that is so now."""
    if not hasattr(os, "setxattr"):
        return True
    try:
        if access is None:
            os.removexattr(handle, ACCESS_LIST)
        else:
            os.setxattr(handle, ACCESS_LIST, access)
    except OSError as error:
        return access is None and error.errno in (errno.ENODATA, errno.EOPNOTSUPP)
    return True


def checked_target(target: Path) -> Path:
    """Return the file that a path leads to, which need not exist.

    Raises:
        PenpalError: It exists and is not a regular file, its folder does not exist, or no file can have this name.
    """
    target, status = _followed(target)
    if status and not stat.S_ISREG(status.st_mode):
        raise PenpalError(f"{target}: cannot write it: it exists already and is not a regular file")
    return target


def checked_folder(target: Path) -> Path:
    """Return the folder that a path leads to, which need not exist.

    Raises:
        PenpalError: It exists and is not a folder, its own folder does not exist, or no folder can have this name.
    """
    target, status = _followed(target)
    if status and not stat.S_ISDIR(status.st_mode):
        raise PenpalError(f"{target}: cannot write it: it exists already and is not a folder")
    return target


def _followed(target: Path) -> tuple[Path, os.stat_result | None]:
    """Follow links to a file or folder; return its path, and its status if it exists."""
    check_name(target)
    followed = Path(os.path.realpath(target))
    check_name(followed)
    try:
        try:
            return followed, followed.stat()
        except FileNotFoundError:
            if not stat.S_ISDIR(followed.parent.stat().st_mode):
                raise NotADirectoryError from None
            return followed, None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PenpalError(f"{target}: cannot write it: there is no folder {followed.parent}") from error
    except OSError as error:
        raise PenpalError(f"{target}: cannot write it: {error.strerror}") from error


def made_folder(path: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        PenpalError: It cannot be made, or something else has its name.
    """
    check_name(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PenpalError(f"{path}: cannot make this folder: {error.strerror}") from error


def parts_folder(target: Path) -> Path:
    """Path of the folder beside a file that holds its parts until all are finished."""
    name = f"{target.name}.parts"
    if len(os.fsencode(name)) > LONGEST_NAME:
        beginning = os.fsencode(target.name)[: LONGEST_NAME - 23].decode(errors="ignore")
        name = f"{beginning}-{_digest(target.name)}.parts"
    return target.with_name(name)


def parts_mode(target: Path) -> int:
    """Mode of the folder of a file's parts: nobody may look into it who may not read the file."""
    before = _status(target)
    if before is None:
        return 0o777
    is_for_all = before.st_mode & 0o044 == 0o044 and _access_list(target) is None
    return 0o755 if is_for_all else 0o700  # The folder may have another group than the file.


def _digest(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def sync_folder(folder: Path) -> None:
    """Make renames and removals of files in a folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
