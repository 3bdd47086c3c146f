"""Temporary files for what can be read only once, in order: pipes, standard input, downloads."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import IO

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler

STANDARD_INPUT = "-"

STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Starts of the paths of what is open already. A shell names pipes so: `<(zcat lines.jsonl.gz)`."""

MAX_BYTES = 256 << 30
"""Maximum length of what is spooled; a stream may have no end."""

WRITER_SECONDS = 10.0
"""How long nobody may have opened a named pipe for writing: perhaps nobody ever will."""

LOOK_SECONDS = 0.05
"""Time between looks for a writer."""

CHUNK_BYTES = 1 << 20


class Spool:
    """A temporary file, which is removed when nothing refers to it any more.

    Attributes:
        path: Where it is.
        remove: Removes it now.
        size: Its size in bytes.
        sha256: Of its content.
    """

    def __init__(self, stream: IO[bytes], name: str, start: bytes = b"", *, most_bytes: int | None = None) -> None:
        """Read a stream to its end; `start` was read from it already. It may have `MAX_BYTES`, or as many as given.

        Raises:
            PenpalError: It cannot be read, or is longer than fits.
        """
        handle, place = tempfile.mkstemp(prefix="penpal-", suffix=".spool")
        self.path = Path(place)
        self.remove = weakref.finalize(self, self.path.unlink, missing_ok=True)
        try:
            with os.fdopen(handle, "wb") as file:
                self.size, self.sha256 = _copied(
                    stream, name, start, file, MAX_BYTES if most_bytes is None else most_bytes
                )
        except BaseException:
            self.remove()  # The error may refer to it for long.
            raise


def _copied(stream: IO[bytes], name: str, start: bytes, target: IO[bytes], most_bytes: int) -> tuple[int, str]:
    """Copy a stream, and return its length and SHA-256."""
    size = 0
    digest = hashlib.sha256()
    try:
        while chunk := start or stream.read(CHUNK_BYTES):
            start = b""
            size += len(chunk)
            if size > most_bytes:
                raise PenpalError(f"{name}: over {most_bytes:,} bytes came; write them to a file first")
            digest.update(chunk)
            target.write(chunk)
        target.flush()
    except OSError as error:
        raise_if_from_handler(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PenpalError(
                f"{name}: its {size:,} bytes so far do not fit into {tempfile.gettempdir()}; choose a larger folder "
                "for temporary files with TMPDIR"
            ) from error
        raise PenpalError(f"{name}: cannot read it: {error}") from error
    return size, digest.hexdigest()


def is_stream(given: str) -> bool:
    """Whether a path is standard input, something else that is open already, or a named pipe."""
    if given == STANDARD_INPUT or given.startswith(STREAMS):
        return True
    try:
        return stat.S_ISFIFO(os.stat(given).st_mode)  # noqa: PTH116 - Path("-") may be a file.
    except (OSError, ValueError):
        return False


_standard_inputs: dict[int, tuple[IO[bytes], Spool]] = {}
"""What was read, by the id of the stream, which is kept so that no other gets its id."""


def spooled_stream(given: str) -> Spool:
    """Read a stream to its end. Standard input is read once for all that name it.

    Raises:
        PenpalError: It cannot be read.
    """
    if given in (STANDARD_INPUT, STREAMS[0], f"{STREAMS[1]}0", f"{STREAMS[2]}0"):
        stream = sys.stdin.buffer if sys.stdin else None
        if stream is None or stream.isatty():
            raise PenpalError("standard input: nothing is piped into it; name a file, or pipe rows into this command")
        if id(stream) not in _standard_inputs:
            _standard_inputs[id(stream)] = stream, Spool(stream, "standard input")
        return _standard_inputs[id(stream)][1]
    try:
        handle = os.open(given, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise PenpalError(f"{given}: cannot read it: {error.strerror}") from error
    with os.fdopen(handle, "rb") as stream:
        kind = os.fstat(handle).st_mode
        if not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind)):
            raise PenpalError(f"{given}: cannot read it: it is not a regular file")
        start = _first_bytes(handle, given) if stat.S_ISFIFO(kind) else b""
        os.set_blocking(handle, True)
        return Spool(stream, given, start)


def _first_bytes(handle: int, given: str) -> bytes:
    """Wait until somebody has opened a pipe for writing; return what has come by then."""
    for _ in range(int(WRITER_SECONDS / LOOK_SECONDS)):
        try:
            if start := os.read(handle, CHUNK_BYTES):
                return start
        except BlockingIOError:  # There is a writer, who has not written yet.
            return b""
        time.sleep(LOOK_SECONDS)
    raise PenpalError(f"{given}: cannot read it: nothing writes to this pipe, and it is not a regular file")
