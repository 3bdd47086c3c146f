"""Fields of recipes: their ranges, and objects of JSON as dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.handwriting.lines import is_prefix


def number(default: float, least: float, most: float) -> Any:
    """Make a field for a number from `least` to `most`; for a whole number if the default is one."""
    return dataclasses.field(default=default, metadata={"range": (least, most)})


def share(default: float) -> Any:
    """Make a field for a share, from 0 to 1."""
    return number(default, 0, 1)


def check_ranges(part: Any) -> None:
    """Make sure that the numbers of a part of a recipe are in their ranges.

    Raises:
        PenpalError: One is not.
    """
    for field in dataclasses.fields(part):
        if "range" not in field.metadata:
            continue
        value, (least, most) = getattr(part, field.name), field.metadata["range"]
        whole = isinstance(field.default, int)
        numeric = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not numeric or not least <= value <= most:
            kind = "a whole number" if whole else "a number"
            raise PenpalError(f"recipe: {field.name} must be {kind} from {least:,} to {most:,}, got {value!r}")


def check_prefix(prefix: Any) -> None:
    """Make sure that a recipe's `source_prefix` is null or a number of characters.

    Raises:
        PenpalError: It is something else.
    """
    if not is_prefix(prefix):
        raise PenpalError(
            f"recipe: source_prefix must be a whole number of characters, at least 1, or null for the whole source, "
            f"got {prefix!r}"
        )


def check_names(where: str, values: Any, known: Iterable[str]) -> None:
    """Make sure that a value is a JSON object with known fields only.

    Raises:
        PenpalError: It is not.
    """
    if not isinstance(values, dict):
        raise PenpalError(f"{where} must be an object, got {type(values).__name__}")
    known = sorted(known)
    if unknown := sorted(set(values) - set(known)):
        raise PenpalError(f"{where} has unknown fields {unknown}; the fields are {known}")


def field_names(kind: Any) -> list[str]:
    """Return the names of a dataclass's fields."""
    return [field.name for field in dataclasses.fields(kind)]


def built(kind: Any, where: str, values: Any) -> Any:
    """Make a dataclass from a JSON object; fields that are missing get their defaults."""
    check_names(where, values, field_names(kind))
    return kind(**values)
