"""Reading `config.json` into a dataclass: bounded, and each field checked against the type of its default."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most

MAX_CONFIG_BYTES = 1 << 20


def read_fields(kind: Any, path: Path, what: str) -> dict[str, Any]:
    """Read the fields of a dataclass from a file; `what` names the configuration in errors.

    Raises:
        PenpalError: The file is missing or too large, or as for `parse_fields`.
    """
    try:
        text = read_at_most(path, MAX_CONFIG_BYTES)
    except OSError as error:
        raise PenpalError(f"{path}: cannot read the {what}: {error}") from error
    if text is None:
        raise PenpalError(f"{path}: it is larger than {MAX_CONFIG_BYTES:,} bytes, too large for a {what}")
    return parse_fields(kind, text, str(path), what)


def parse_fields(kind: Any, text: bytes, source: str, what: str) -> dict[str, Any]:
    """Parse the fields of a dataclass from JSON text. Other keys are ignored; missing fields get their defaults.

    Raises:
        PenpalError: The text is not a JSON object, or has an unusable field.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PenpalError(f"{source}: cannot read the {what}: {error}") from error
    if not isinstance(content, dict):
        raise PenpalError(f"{source}: a {what} must be a JSON object, got {type(content).__name__}")
    return {field.name: _checked(source, field, content) for field in dataclasses.fields(kind)}


def _checked(source: str, field: dataclasses.Field[Any], content: dict[str, Any]) -> Any:
    """Take a field from parsed JSON and check that it has the type of its default."""
    value = content.get(field.name, field.default)
    kind = type(field.default)
    if kind is tuple:
        if isinstance(value, (list, tuple)) and all(type(item) is int for item in value):
            return tuple(value)
    elif kind is float and type(value) in (int, float) and abs(value) < 1e300:
        return float(value)
    elif type(value) is kind:
        return value
    try:
        found = json.dumps(value)[:200]
    except RecursionError:
        found = "a value that is nested hundreds of levels deep"
    raise PenpalError(f"{source}: {field.name} must be a value like {json.dumps(field.default)}, got {found}")
