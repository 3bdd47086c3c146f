"""gzip, read as far as it is whole."""

from __future__ import annotations

import functools
import io
import logging
import zlib
from typing import IO, Any

MAGIC = b"\x1f\x8b"

CHUNK_BYTES = 64 << 10
"""Packed bytes that are read at a time."""

GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""The largest window, with the header and the checksum of gzip."""

logger = logging.getLogger(__name__)


class Gunzip(io.RawIOBase):
    """The content of all members of a gzip file. Other bytes after a whole member end it, with a warning.

    Reading raises EOFError if the last member was cut short, and `zlib.error` if it is damaged.
    """

    def __init__(self, packed: IO[bytes], name: str | None) -> None:
        """Begin to read; `name` is the file's, for the warning. With None there is none, as for the start of a file."""
        self._packed = packed
        self._name = name
        self._waiting = b""
        self._member: Any = None
        self._is_at_end = False
        self._is_first = True

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack up to the length of a buffer."""
        content = b""
        while not content and not self._is_at_end:
            if self._member is None:
                self._begin_member()
            else:
                content = self._unpacked(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _begin_member(self) -> None:
        while len(self._waiting.lstrip(b"\0")) < len(MAGIC) and (more := self._packed.read(CHUNK_BYTES)):
            self._waiting = self._waiting.lstrip(b"\0") + more  # gzip files on tapes are padded with zeros.
        self._waiting = self._waiting.lstrip(b"\0")
        if self._is_first or self._waiting.startswith(MAGIC):
            self._member = zlib.decompressobj(GZIP_WINDOW) if self._waiting else None
            self._is_first = False
        elif self._waiting and self._name is not None:
            _warn(self._name)
        self._is_at_end = self._member is None

    def _unpacked(self, most: int) -> bytes:
        waiting = self._waiting or self._packed.read(CHUNK_BYTES)
        content: bytes = self._member.decompress(waiting, most)
        if self._member.eof:
            self._waiting, self._member = self._member.unused_data, None
        else:
            self._waiting = self._member.unconsumed_tail
            if not (waiting or content):
                raise EOFError("the file was cut short: its gzip data does not end")
        return content


@functools.lru_cache(maxsize=1000)  # A file is read more than once.
def _warn(name: str) -> None:
    logger.warning("%s: what follows the end of its gzip data is left out", name)
