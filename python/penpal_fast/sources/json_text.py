"""Parsing of JSON from untrusted files."""

from __future__ import annotations

import codecs
from typing import Any

import jiter


def is_utf8(content: bytes) -> bool:
    """Whether bytes are text as JSON and Parquet have it."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_json(content: bytes) -> bool:
    """Whether bytes are JSON as `parsed_json` takes it, infinities included."""
    try:
        parsed_json(content, infinities=True)
    except ValueError:
        return False
    return True


def parsed_json(content: bytes, *, infinities: bool = False) -> Any:
    """Parse JSON in UTF-8, with a byte-order mark or without. Integers are exact.

    Args:
        content: The JSON. Of fields with the same name, the last counts.
        infinities: Whether NaN, Infinity and -Infinity are numbers, as Python writes them.

    Raises:
        ValueError: It is not such JSON, has half a surrogate pair in a text, an integer of more than 4,300 digits, or
            more than 200 arrays and objects inside one another.
    """
    return jiter.from_json(content.removeprefix(codecs.BOM_UTF8), allow_inf_nan=infinities, cache_mode="keys")
