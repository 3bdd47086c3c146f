"""Parsing of JSON from untrusted files."""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import Any

import jiter

from penpal_fast.layouts.json_texts import is_python


def is_utf8(content: bytes) -> bool:
    """Whether bytes are text as JSON and Parquet have it."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_json(content: bytes, *, infinities: bool = True) -> bool:
    """Whether bytes are JSON as `parsed_json` takes it, by default infinities included."""
    try:
        parsed_json(content, infinities=infinities)
    except ValueError:
        return False
    return True


PYTHON_START = re.compile(rb"[\s{\[(]*[{\[(]\s*['(]")


def described(start: bytes) -> str:
    """Say what a text that is not JSON seems to be, given its beginning."""
    if is_python(start):
        return "these are Python literals; write rows with json.dumps, not with str or print"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError as error:
        return f"it is not UTF-8, but perhaps Latin-1: {error}; convert it to UTF-8 first"
    return f"the first is {start[:60].decode(errors='replace')!r}"


def json_text(value: Any) -> str:
    """Return JSON of a value. What is infinite becomes 1e999, NaN null, and what JSON has not its text."""
    try:
        return json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        return _with_odd_numbers(value)


def _with_odd_numbers(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_with_odd_numbers(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_with_odd_numbers, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "null" if math.isnan(value) else "1e999" if value > 0 else "-1e999"
    return json.dumps(value, default=str)


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
