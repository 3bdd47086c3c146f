"""JSON from strangers."""

from __future__ import annotations

import json
from typing import Any


def is_utf8(content: bytes) -> bool:
    """Whether bytes are text as JSON and Parquet have it."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def parsed_json(content: bytes, **options: Any) -> Any:
    """Parse JSON whose texts can be kept: half a surrogate pair is no text in any file or answer.

    Args:
        content: UTF-8, or what else `json.loads` detects.
        options: For `json.loads`, which by itself takes half surrogate pairs, as escapes and as bytes.

    Raises:
        ValueError: It is not such JSON.
        RecursionError: It is nested too deep.
    """
    parsed = json.loads(content.decode(json.detect_encoding(content)), **options)
    if b"\\u" in content:
        json.dumps(parsed, ensure_ascii=False).encode()
    return parsed
