"""The rows of a `.json` file: the items of an array, a single object, or an object on each line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO

import numpy as np

from penpal_fast.sources.json_text import is_json
from penpal_fast.sources.text_lines import Line, check_encoding, rejoined, text_lines

CHUNK_BYTES = 1 << 20
"""Bytes of an array that are looked at at a time."""

ESCAPED = re.compile(rb"\\.", re.DOTALL)


def json_items(file: IO[bytes], most: int) -> Iterator[Line]:
    """Yield the rows as texts.

    Args:
        file: The file, in UTF-8.
        most: Bytes after which an item is cut short.

    Raises:
        EOFError: An array does not end, or there is something after its end.
        PenpalError: The file is in another encoding.
    """
    start = file.read(CHUNK_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    check_encoding(start)
    if start.startswith(b"["):
        yield from _array_items(start, file, most)
        return
    first = start.split(b"\n", 1)[0]
    if not is_json(first) and first != start:
        content = start + file.read(max(0, most - len(start)))
        if is_json(content) or not _has_whole_line(content):
            yield 1, content[:most]
            return
        start = content
    yield from text_lines(rejoined(start, file), most)


def _has_whole_line(content: bytes) -> bool:
    """Whether some line is an object, so that the others may be bad rows; those inside an object are indented."""
    return any(is_json(line) for line in content.split(b"\n") if line.startswith(b"{"))


class _Scan:
    """Where the commas between the items of an array are, chunk by chunk."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = self._escapes = False

    def look_at(self, chunk: bytes) -> tuple[list[int], int | None]:
        """Return the places of the commas, and of the end of the array if it is in this chunk."""
        plain = b"_" + chunk[1:] if self._escapes else chunk
        plain = ESCAPED.sub(b"__", plain)
        self._escapes = plain.endswith(b"\\")
        letters = np.frombuffer(plain, np.uint8)
        outside = (np.cumsum(letters == ord('"')) + self._in_text) % 2 == 0
        opening = outside & ((letters == ord("[")) | (letters == ord("{")))
        closing = outside & ((letters == ord("]")) | (letters == ord("}")))
        depth = self._depth + np.cumsum(opening.astype(np.int64) - closing)
        self._depth, self._in_text = int(depth[-1]), not outside[-1]
        ends = np.flatnonzero(closing & (depth <= 0))
        end = int(ends[0]) if len(ends) else None
        return np.flatnonzero(outside & (letters == ord(",")) & (depth == 1)).tolist(), end


def _array_items(start: bytes, file: IO[bytes], most: int) -> Iterator[Line]:
    scan = _Scan()
    number = 1
    item = b""
    chunk, skipped = start, 1
    while chunk:
        commas, end = scan.look_at(chunk)
        for comma in commas:
            if end is not None and comma > end:
                break
            yield number, (item + chunk[skipped:comma])[:most]
            number, item, skipped = number + 1, b"", comma + 1
        if end is not None:
            item += chunk[skipped:end]
            if item.strip() or number > 1:
                yield number, item[:most]
            if chunk[end + 1 :].strip() or _has_more(file):
                raise EOFError("there is something after the end of the array")
            return
        item = (item + chunk[skipped:])[:most]
        chunk, skipped = file.read(CHUNK_BYTES), 0
    raise EOFError("the array does not end: the file was cut short")


def _has_more(file: IO[bytes]) -> bool:
    return any(chunk.strip() for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))
