"""Fields of recipes: their ranges, and objects of JSON as dataclasses."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most
from penpal_fast.handwriting.lines import is_prefix

MAX_RECIPE_BYTES = 1 << 20

SHARES_ROUNDING = 1e-6
"""How far a sum of shares may be off."""

LARGEST = 1e300
"""Limit on any number, which leaves room to add a few."""

WHOLE = "the recipe"
"""How errors name what is not a part of a recipe."""

SCALARS: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
"""How errors name the types of fields."""


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
            raise PenpalError(f"recipe: {field.name} must be {kind} from {least:,} to {most:,}, got {shown(value)}")


def check_shares(part: Any) -> None:
    """Make sure that all fields of a part of a recipe are shares and sum to 1.

    Raises:
        PenpalError: They do not.
    """
    check_ranges(part)
    if abs(sum(dataclasses.astuple(part)) - 1) > SHARES_ROUNDING:
        raise PenpalError(f"recipe: the shares must sum to 1, got {dataclasses.asdict(part)}")


def check_prefix(prefix: Any) -> None:
    """Make sure that a recipe's `source_prefix` is null or a number of characters.

    Raises:
        PenpalError: It is something else.
    """
    if not is_prefix(prefix):
        raise PenpalError(
            f"recipe: source_prefix must be a whole number of characters, at least 1, or null for the whole source, "
            f"got {shown(prefix)}"
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
        raise PenpalError(f"{where} has unknown fields {shown(unknown)}; the fields are {known}")


def field_names(kind: Any) -> list[str]:
    """Return the names of a dataclass's fields."""
    return [field.name for field in dataclasses.fields(kind)]


def built(kind: Any, where: str, values: Any) -> Any:
    """Make a dataclass from parsed JSON. Each field must have its annotated type, arrays become tuples and whole
    numbers floats where these are annotated, and fields that are missing get their defaults.

    Args:
        kind: The dataclass.
        where: What the values are in the recipe, for errors.
        values: Parsed JSON of any type.

    Raises:
        PenpalError: They are not an object, or a field is unknown, missing or unusable; the error names it.
    """
    check_names(where, values, field_names(kind))
    if missing := [field.name for field in dataclasses.fields(kind) if _is_needed(field) and field.name not in values]:
        raise PenpalError(f"{where} needs {missing}")
    hints = typing.get_type_hints(kind)
    ranged = {field.name for field in dataclasses.fields(kind) if "range" in field.metadata}  # See `check_ranges`.
    parts = {
        name: value
        if name in ranged
        else _converted(hints[name], name if where == WHOLE else f"{where}: {name}", value)
        for name, value in values.items()
    }
    return kind(**parts)


def read_recipe(kind: Any, path: Path) -> Any:
    """Make a dataclass from a JSON file, as `built` does.

    Raises:
        PenpalError: The file cannot be read or is larger than a MiB, or as for `built`.
    """
    try:
        text = read_at_most(path, MAX_RECIPE_BYTES)
        values = None if text is None else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise PenpalError(f"{path}: cannot read the recipe: {error}") from error
    if text is None:
        raise PenpalError(f"{path}: it is larger than {MAX_RECIPE_BYTES:,} bytes, too large for a recipe")
    try:
        return built(kind, WHOLE, values)
    except PenpalError as error:
        raise PenpalError(f"{path}: {str(error).removeprefix('recipe: ')}") from error


def shown(value: Any) -> str:
    """Return the start of a value's representation, for errors."""
    try:
        return repr(value)[:200]
    except (ValueError, RecursionError):  # A number of more digits than Python converts.
        return f"a {type(value).__name__} that is too large to show"


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _converted(hint: Any, where: str, value: Any) -> Any:
    """Return a value of parsed JSON as an annotated type."""
    kind, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return built(hint, where, value)
    if kind is tuple:
        return _items(arguments, where, value)
    if kind is dict and isinstance(value, dict):
        return {name: _converted(arguments[1], f"{where}: {name[:200]}", one) for name, one in value.items()}
    if kind is typing.Literal and value in arguments:
        return value
    if kind is types.UnionType:  # The dataclass says what else it can be.
        return value
    if hint is float and type(value) in (int, float) and abs(value) < LARGEST:
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    expected = SCALARS.get(hint) or ("an object" if kind is dict else f"one of {list(arguments)}")
    raise PenpalError(f"{where} must be {expected}, got {shown(value)}")


def _items(kinds: tuple[Any, ...], where: str, value: Any) -> tuple[Any, ...]:
    """Return an array of parsed JSON as a tuple with the annotated types."""
    count = None if kinds[-1] is Ellipsis else len(kinds)
    if not isinstance(value, (list, tuple)) or count not in (None, len(value)):
        raise PenpalError(f"{where} must be an array{f' of {count}' if count else ''}, got {shown(value)}")
    each = kinds if count else kinds[:1] * len(value)
    return tuple(
        _converted(kind, f"{where}[{place}]", one) for place, (kind, one) in enumerate(zip(each, value, strict=True))
    )
