"""Thrift's compact encoding, to write Parquet footers that no library writes.

A struct is a dict of field number to (kind, value); a list or set is (kind of its items, items).
"""

from __future__ import annotations

import io
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12

Struct = dict[int, tuple[int, Any]]


def read_struct(source: io.BytesIO) -> Struct:
    fields: Struct = {}
    number = 0
    while head := source.read(1)[0]:
        number = number + (head >> 4) if head >> 4 else _integer(source)
        fields[number] = (head & 15, _value(source, head & 15))
    return fields


def struct_bytes(fields: Struct) -> bytes:
    content = b""
    before = 0
    for number, (kind, value) in fields.items():
        step = number - before
        content += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + integer_bytes(number)
        content += _value_bytes(kind, value)
        before = number
    return content + b"\0"


def integer_bytes(value: int) -> bytes:
    return varint_bytes((value << 1 ^ value >> 63) & (2**64 - 1))


def varint_bytes(value: int) -> bytes:
    content = b""
    while value > 127:
        content += bytes([value & 127 | 128])
        value >>= 7
    return content + bytes([value])


def _varint(source: io.BytesIO) -> int:
    value = shift = 0
    while True:
        byte = source.read(1)[0]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value


def _integer(source: io.BytesIO) -> int:
    value = _varint(source)
    return value >> 1 ^ -(value & 1)


def _value(source: io.BytesIO, kind: int) -> Any:
    if kind in (TRUE, FALSE):
        return None
    if kind in (BYTE, DOUBLE):
        return source.read(1 if kind == BYTE else 8)
    if kind in (I16, I32, I64):
        return _integer(source)
    if kind == BINARY:
        return source.read(_varint(source))
    if kind == LIST:
        head = source.read(1)[0]
        size = head >> 4 if head >> 4 < 15 else _varint(source)
        return head & 15, [_value(source, head & 15) for _ in range(size)]
    assert kind == STRUCT
    return read_struct(source)


def _value_bytes(kind: int, value: Any) -> bytes:
    if kind in (TRUE, FALSE):
        return b""
    if kind in (BYTE, DOUBLE):
        return value
    if kind in (I16, I32, I64):
        return integer_bytes(value)
    if kind == BINARY:
        return varint_bytes(len(value)) + value
    if kind in (LIST, SET):
        inner, items = value
        return bytes([240 | inner]) + varint_bytes(len(items)) + b"".join(_value_bytes(inner, item) for item in items)
    return struct_bytes(value)
