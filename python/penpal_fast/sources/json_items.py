"""The rows of a `.json` file: the items of an array, objects one after the other, or an object on each line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

import numpy as np

from penpal_fast.sources.json_text import PYTHON_START, is_json
from penpal_fast.sources.text_lines import Line, check_encoding, rejoined, text_lines, without_mark

CHUNK_BYTES = 1 << 20
"""Bytes of an array that are looked at at a time."""

LONGEST_LIST_BYTES = 16 << 20
"""A first line with a list is looked at up to here, to see whether there is a list on the next line too."""

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
    start, is_whole = beginning(file)
    if is_array(start):
        rest = rejoined(start, file)
        yield from _array_items(rest.read(CHUNK_BYTES), rest, most)
    elif is_items(start, is_whole=is_whole):
        yield from _objects(start, file, most)
    else:
        yield from text_lines(rejoined(start, file), most)


def beginning(file: IO[bytes]) -> tuple[bytes, bool]:
    """Read the beginning of a text, and of the next line if the first begins with a list.

    Returns:
        The beginning without a byte-order mark and spaces, and whether this is all of the text.

    Raises:
        PenpalError: The text is in another encoding.
    """
    chunk = file.read(CHUNK_BYTES)
    check_encoding(chunk)
    start = without_mark(chunk).lstrip()
    pieces, length = [start], len(start)
    _, newline, after = start.partition(b"\n")
    while start.startswith(b"[") and chunk and length < LONGEST_LIST_BYTES and not after.strip():
        chunk = file.read(CHUNK_BYTES)
        _, newline, after = (b"", newline, chunk) if newline else chunk.partition(b"\n")
        pieces.append(chunk)
        length += len(chunk)
    return b"".join(pieces), len(chunk) < CHUNK_BYTES


def is_array(start: bytes) -> bool:
    """Whether a text is one array, and not a list on each line.

    Args:
        start: Its beginning, without a byte-order mark and spaces.
    """
    first, _, rest = start.partition(b"\n")
    return start.startswith(b"[") and not (rest.lstrip().startswith(b"[") and is_json(first))


def is_items(start: bytes, *, is_whole: bool) -> bool:
    """Whether a text is an array of rows or has objects over many lines, rather than an object on each line.

    Args:
        start: Its beginning, without a byte-order mark and spaces.
        is_whole: Whether this is all of it.
    """
    first, _, rest = start.partition(b"\n")
    if not start.startswith((b"[", b"{")) or PYTHON_START.match(start):
        return False
    if is_json(first):  # An array on a line of its own is a bad row, unless it is the whole file.
        return start.startswith(b"[") and is_whole and not rest.strip()
    if is_whole and start.startswith(b"["):
        return is_json(start) or not _has_whole_line(rest)
    if start.startswith(b"["):
        return first.rstrip().endswith((b"[", b"{", b",")) or not _has_whole_line(rest)
    _, ends = _Scan().look_at(start)
    if ends:
        after = start[ends[0] + 1 : len(first)].strip()
        # What follows on the line, other than an object, makes the line a bad row.
        return is_json(start[: ends[0] + 1]) and (not after or after.startswith(b"{"))
    return not is_whole and first != start and not _has_whole_line(rest)


def _has_whole_line(content: bytes) -> bool:
    """Whether some line is an object, so that the others may be bad rows; those inside an object are indented."""
    return any(is_json(line) for line in content.split(b"\n") if line.startswith(b"{"))


class _Scan:
    """Where the commas between the items of an array are, chunk by chunk."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = self._escapes = False

    def look_at(self, chunk: bytes) -> tuple[list[int], list[int]]:
        """Return the places of the commas, and of the ends of what is inside nothing else."""
        plain = b"_" + chunk[1:] if self._escapes else chunk
        plain = ESCAPED.sub(b"__", plain)
        self._escapes = plain.endswith(b"\\")
        letters = np.frombuffer(plain, np.uint8)
        outside = (np.cumsum(letters == ord('"')) + self._in_text) % 2 == 0
        opening = outside & ((letters == ord("[")) | (letters == ord("{")))
        closing = outside & ((letters == ord("]")) | (letters == ord("}")))
        depth = self._depth + np.cumsum(opening.astype(np.int64) - closing)
        self._depth, self._in_text = int(depth[-1]), not outside[-1]
        commas = outside & (letters == ord(",")) & (depth == 1)
        return np.flatnonzero(commas).tolist(), np.flatnonzero(closing & (depth <= 0)).tolist()


def _array_items(start: bytes, file: IO[bytes], most: int) -> Iterator[Line]:
    scan = _Scan()
    number = 1
    item = b""
    chunk, skipped = start, 1
    while chunk:
        commas, ends = scan.look_at(chunk)
        end = ends[0] if ends else None
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


def _objects(start: bytes, file: IO[bytes], most: int) -> Iterator[Line]:
    """Yield objects that stand one after the other, as indented JSON; what does not end is an item too."""
    scan = _Scan()
    number, item, chunk = 1, b"", start
    while chunk:
        begin = 0
        for end in scan.look_at(chunk)[1]:
            yield number, (item + chunk[begin : end + 1]).lstrip()[:most]
            number, item, begin = number + 1, b"", end + 1
        item = (item + chunk[begin:]).lstrip()[:most]
        chunk = file.read(CHUNK_BYTES)
    if item.strip():
        yield number, item


def _has_more(file: IO[bytes]) -> bool:
    return any(chunk.strip() for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))
