"""What the messages of Arrow IPC claim to hold, read without unpacking anything: a small file can claim much more.

Arrow allocates what a compressed buffer says that it holds, and refuses a buffer that turns out to hold more or less.
So the claims bound what reading takes.
"""

from __future__ import annotations

import functools
import logging
import os
import struct
from collections.abc import Iterator
from typing import IO

from penpal_fast.errors import PenpalError

MAX_METADATA_BYTES = 64 << 20

MAX_EMPTY_ITEMS = 16 << 20
"""Items of a column that take no bytes, such as nulls."""

MANY_BYTES, MAX_RATIO = 1 << 30, 300
"""A batch of more bytes than this may be so many times its packed size; LZ4 packs to 1/255 at best."""

FILE_START, FOOTER_TAIL = 8, struct.Struct("<i6s")
BLOCK, BUFFER, NODE = struct.Struct("<qi4xq"), struct.Struct("<qq"), struct.Struct("<qq")
DICTIONARY, RECORDS = 2, 3
CONTINUATION = -1

END_MARKS = (b"\xff\xff\xff\xff\0\0\0\0", b"\0\0\0\0")
"""What ends a stream, today and before version 0.15 of Arrow."""

MAX_PADDING = 256
"""Bytes that may lie between messages, and after the last one: writers align them."""

logger = logging.getLogger(__name__)


class _Fields:
    """A table of a flatbuffer."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content, self._place = content, place
        self._fields = place - _number(content, "<i", place)
        self._size = _number(content, "<H", self._fields)

    @classmethod
    def root(cls, content: bytes) -> _Fields:
        return cls(content, _number(content, "<I", 0))

    def number(self, field: int, form: str) -> int:
        place = self._of(field)
        return 0 if place is None else _number(self._content, form, place)

    def table(self, field: int) -> _Fields | None:
        place = self._of(field)
        return None if place is None else _Fields(self._content, place + _number(self._content, "<I", place))

    def structs(self, field: int, form: struct.Struct) -> Iterator[tuple[int, ...]]:
        place = self._of(field)
        if place is None:
            return iter(())
        start = place + _number(self._content, "<I", place)
        end = start + 4 + _number(self._content, "<I", start) * form.size
        if end > len(self._content):
            raise PenpalError("it is damaged: a list is longer than what holds it")
        return form.iter_unpack(self._content[start + 4 : end])

    def _of(self, field: int) -> int | None:
        entry = 4 + 2 * field
        offset = _number(self._content, "<H", self._fields + entry) if entry < self._size else 0
        return self._place + offset if offset else None


def _number(content: bytes, form: str, place: int) -> int:
    if not 0 <= place <= len(content) - struct.calcsize(form):
        raise PenpalError("it is damaged: its metadata leads outside itself")
    return int(struct.unpack_from(form, content, place)[0])


def check_claims(opened: IO[bytes], name: str, *, is_file: bool, most_bytes: int | None = None) -> None:
    """Make sure that a file can be read in bounded memory, and would be read whole.

    A stream that may have been cut short is warned of.

    Args:
        opened: An IPC file, or a stream.
        name: The file's name, for the warning.
        is_file: Which of the two it is.
        most_bytes: How much all its batches may hold together; None for no limit.

    Raises:
        PenpalError: A batch claims to hold far more than it does, or all do more than `most_bytes`; or there is more
            in the file than would be read.
    """
    total, number = 0, -1
    for metadata, body in _file_messages(opened) if is_file else _stream_messages(opened, name):
        message = _Fields.root(metadata)
        packed = message.number(3, "<q")
        kind, header = message.number(1, "<B"), message.table(2)
        batch = header.table(1) if kind == DICTIONARY and header is not None else header
        if kind not in (DICTIONARY, RECORDS) or batch is None:
            continue
        number += 1
        held = _held(opened, batch, body, packed)
        if held > MANY_BYTES and held > MAX_RATIO * packed:
            raise PenpalError(f"batch {number} claims to hold {held:,} bytes in {packed:,}; pack it less")
        longest = max((length for length, _ in batch.structs(1, NODE)), default=0)
        longest = max(longest, batch.number(0, "<q"))
        if longest > MAX_EMPTY_ITEMS + 8 * held:
            raise PenpalError(f"batch {number} claims to hold {longest:,} items in {held:,} bytes")
        total += held
        if most_bytes is not None and total > most_bytes:
            raise PenpalError(f"it holds more than {most_bytes:,} bytes, unpacked; at most that many are read here")


def _held(opened: IO[bytes], batch: _Fields, body: int, packed: int) -> int:
    """Return how many bytes the buffers of a batch claim to hold, unpacked."""
    buffers = list(batch.structs(2, BUFFER))
    if batch.table(3) is None:
        return sum(max(length, 0) for _, length in buffers)
    held = 0
    for offset, length in buffers:
        if length < 8 or not 0 <= offset <= packed:
            continue
        opened.seek(body + offset)
        claimed = int.from_bytes(opened.read(8), "little", signed=True)
        held += length - 8 if claimed < 0 else claimed  # -1 is for what is not packed.
    return held


def _file_messages(opened: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the metadata of each message of a file, and where its body is: its footer lists them in any order.

    Raises:
        PenpalError: There are messages that the footer does not list.
    """
    tail = opened.seek(-FOOTER_TAIL.size, os.SEEK_END)
    length, _ = FOOTER_TAIL.unpack(opened.read(FOOTER_TAIL.size))
    if not 0 < length <= min(tail, MAX_METADATA_BYTES):
        raise PenpalError("it is damaged or cut off: its footer is not where it should be")
    opened.seek(tail - length)
    footer = _Fields.root(opened.read(length))
    _check_listed(opened, footer, tail - length)
    for field in (2, 3):
        for offset, size, _ in footer.structs(field, BLOCK):
            opened.seek(max(offset, 0))
            found = _metadata(opened)
            if found:
                yield found, offset + size


def _check_listed(opened: IO[bytes], footer: _Fields, end: int) -> None:
    """Make sure that nothing lies between the messages that a footer lists, from the schema on to the footer.

    Raises:
        PenpalError: Something does; PyArrow would leave it out.
    """
    opened.seek(FILE_START)
    _metadata(opened)
    last = opened.tell()
    blocks = sorted((offset, size + body) for field in (2, 3) for offset, size, body in footer.structs(field, BLOCK))
    for offset, size in [*blocks, (end, 0)]:
        if offset - last > MAX_PADDING:
            raise PenpalError(
                f"its footer does not list what the {offset - last:,} bytes from byte {last:,} on hold; if files were "
                "joined into one, give each by itself"
            )
        last = max(last, offset + size)


def _stream_messages(opened: IO[bytes], name: str) -> Iterator[tuple[bytes, int]]:
    """Yield the metadata of each message of a stream, and where its body is.

    Raises:
        PenpalError: More follows after the mark of its end.
    """
    place = 0
    while True:
        opened.seek(place)
        metadata = _metadata(opened)
        if not metadata:
            _check_end(opened, place, name)
            return
        body = opened.tell()
        yield metadata, body
        place = body + max(_Fields.root(metadata).number(3, "<q"), 0)


def _check_end(opened: IO[bytes], place: int, name: str) -> None:
    """Make sure that a stream's end is here, or warn; nothing may follow it.

    Raises:
        PenpalError: Something does; PyArrow would leave it out.
    """
    opened.seek(place)
    found = opened.read(len(END_MARKS[0]))
    mark = next((mark for mark in END_MARKS if found.startswith(mark)), None)
    if mark is None:
        if not found:
            _warn(name)
        return  # PyArrow refuses anything else.
    rest = opened.seek(0, os.SEEK_END) - place - len(mark)
    if rest > MAX_PADDING:
        raise PenpalError(
            f"{rest:,} bytes follow the end of its stream; if files were joined into one, give each by itself"
        )


@functools.lru_cache(maxsize=1000)  # A file is read more than once.
def _warn(name: str) -> None:
    logger.warning("%s: the stream has no mark of its end, so it may have been cut short", name)


def _metadata(opened: IO[bytes]) -> bytes:
    """Read the metadata of the message that begins here; empty at the end."""
    length = int.from_bytes(opened.read(4), "little", signed=True)
    if length == CONTINUATION:
        length = int.from_bytes(opened.read(4), "little", signed=True)
    if length > MAX_METADATA_BYTES:
        raise PenpalError(f"it is damaged: a message has {length:,} bytes of metadata")
    metadata = opened.read(max(length, 0))
    return metadata if len(metadata) == length else b""
