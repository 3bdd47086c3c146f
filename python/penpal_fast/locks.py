"""Locks against other processes, in files that say who holds them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from penpal_fast.errors import PenpalError

CONTENT = re.compile(rb"(?:(\d{1,19})(?: ([\w.-]{1,64})(?: ([\w.-]{1,64}))?)?)? ?\n?")
"""What a lock file may hold: process, computer and the name of a file, or a beginning of these."""

MAX_BYTES = 200

PAUSE = 0.01
"""Seconds between two attempts to get a lock."""

PATIENCE = 0.1
"""Seconds in which a holder's number must be in the file: it is written after the lock is taken."""


class NoLocksError(OSError):
    """The file system has no locks."""


@contextlib.contextmanager
def locked(
    path: Path,
    about: Path,
    *,
    note: str = "",
    left: Callable[[str], None] = lambda _note: None,
    wait: float = 0,
) -> Iterator[None]:
    """Hold a lock against other processes and threads; the file that carries it is gone after the block.

    A kill frees the lock and leaves the file. Links at the path are not followed.

    Args:
        path: File that carries the lock, in a folder that exists.
        about: What the lock protects, for errors.
        note: Name of a file that a kill would leave behind.
        left: Called with the note of a holder that was killed, while the note is still there for the next holder.
        wait: Seconds to wait for another holder.

    Raises:
        PenpalError: Another process holds the lock, or something else is at the path.
        FileNotFoundError: The folder is gone.
        NoLocksError: The file system has no locks.
    """
    handle = _taken(path, about, wait)
    owner = os.getpid()
    try:
        found = CONTENT.fullmatch(os.pread(handle, MAX_BYTES, 0))
        if found and found[3]:
            left(found[3].decode())
        content = f"{owner} {_computer()} {note}".rstrip().encode() + b"\n"
        os.truncate(handle, 0)  # Whoever looks now sees no name, and looks again.
        os.pwrite(handle, content, 0)
        yield
    finally:
        if os.getpid() == owner:  # Not in a fork, which shares the lock.
            if _names(path, handle):
                with contextlib.suppress(OSError):
                    path.unlink()
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _taken(path: Path, about: Path, wait: float) -> int:
    """Return the handle of the locked file, which the path names."""
    end = time.monotonic() + wait
    patience = max(end, time.monotonic() + PATIENCE)
    while True:
        handle = _opened(path, about)
        try:
            if _locks(path, handle):
                if _names(path, handle):  # Else another process removed it before the lock was taken.
                    taken, handle = handle, -1
                    return taken
                continue
            if _names(path, handle):
                holder, now = _holder(handle), time.monotonic()
                if now >= (end if holder else patience):
                    raise PenpalError(f"{about}: cannot write it: {holder or 'another process'} is writing it")
        finally:
            if handle >= 0:
                os.close(handle)
        time.sleep(PAUSE)


def _opened(path: Path, about: Path) -> int:
    """Open or make a lock file."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        while True:
            with contextlib.suppress(FileNotFoundError):
                handle = os.open(path, flags)
                break
            with contextlib.suppress(FileExistsError):
                handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
                break
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP or path.is_symlink():
            raise PenpalError(f"{about}: cannot write it: {path} is a link; remove it") from error
        raise PenpalError(f"{about}: cannot write it: {error.strerror}, for {path.name} beside it") from error
    status = os.fstat(handle)
    is_ours = stat.S_ISREG(status.st_mode) and status.st_nlink <= 1 and status.st_size <= MAX_BYTES
    if is_ours and CONTENT.fullmatch(os.pread(handle, MAX_BYTES + 1, 0)):
        return handle
    os.close(handle)
    raise PenpalError(f"{about}: cannot write it: {path} is not a lock file of this package; remove it")


def _locks(path: Path, handle: int) -> bool:
    """Lock an open file, or return False if another process did."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:
            return False
        with contextlib.suppress(OSError):
            path.unlink()
        raise NoLocksError(error.errno, error.strerror, str(path)) from error
    return True


def _names(path: Path, handle: int) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(handle))
    except OSError:
        return False


def _holder(handle: int) -> str | None:
    """Name the process that holds a lock; None if the file does not say, or names one that is gone."""
    found = CONTENT.fullmatch(os.pread(handle, MAX_BYTES, 0))
    if not found or not found[2]:
        return None
    process, computer = int(found[1]), found[2].decode()
    if computer != _computer():
        return f"process {process} on {computer}"
    if process == os.getpid():
        return "this process"
    try:
        os.kill(process, 0)
    except PermissionError:
        pass
    except (ProcessLookupError, OverflowError):
        return None
    return f"another process ({process})"


def _computer() -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", os.uname().nodename)[:64] or "-"
