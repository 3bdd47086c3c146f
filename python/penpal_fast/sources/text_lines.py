"""Lines of text files in UTF-8, and files of which the beginning was read already."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, Any

from penpal_fast.errors import PenpalError

OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""How files in UTF-16 and UTF-32 begin; the mark of little-endian UTF-32 begins with the mark of UTF-16."""

Line = tuple[int, bytes]
"""The number of a line, from 1, and the line itself, cut short if it is too long."""


WITHOUT_MARK = re.compile(rb"\0[^\0]\0[^\0]|[^\0]\0[^\0]\0|[^\0]\0\0\0|\0\0\0[^\0]", re.DOTALL)
"""How texts in Latin letters begin in UTF-16 and UTF-32 without a mark."""


def check_encoding(start: bytes) -> None:
    """Make sure that a file does not begin as one in another encoding.

    Raises:
        PenpalError: It does.
    """
    if start.startswith(OTHER_ENCODINGS) or WITHOUT_MARK.match(start):
        raise PenpalError("it is UTF-16 or UTF-32; convert it to UTF-8 first")


def without_mark(start: bytes) -> bytes:
    """Return the beginning of a file without a byte-order mark."""
    return start.removeprefix(codecs.BOM_UTF8)


def is_split_by_cr(start: bytes) -> bool:
    """Whether the lines of a file that begins so end with a carriage return alone."""
    return b"\r" in start.rstrip() and b"\n" not in start


def text_lines(file: IO[bytes], most: int) -> Iterator[Line]:
    """Yield the lines with their numbers, those of `most` bytes or more cut short. Blank lines are skipped.

    Raises:
        PenpalError: The file is in another encoding.
    """
    number = 0
    while text := file.readline(most):
        number += 1
        if number == 1:
            check_encoding(text)
        rest = text
        while len(rest) == most and not rest.endswith(b"\n"):
            rest = file.readline(most)
        if without_mark(text).strip() or rest is not text:
            yield number, text


def with_newlines(file: IO[bytes]) -> io.BufferedReader:
    """Return a file with newlines in place of its carriage returns."""
    return io.BufferedReader(_WithNewlines(file))


class _WithNewlines(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(content)] = content
        return len(content)


def rejoined(start: bytes, file: IO[bytes]) -> io.BufferedReader:
    """Return a file whose first bytes were read already, from its beginning."""
    return io.BufferedReader(_Rejoined(start, file))


class _Rejoined(io.RawIOBase):
    def __init__(self, start: bytes, file: IO[bytes]) -> None:
        self._start = start
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._start[: len(buffer)] or self._file.read(len(buffer))
        self._start = self._start[len(content) :]
        buffer[: len(content)] = content
        return len(content)
