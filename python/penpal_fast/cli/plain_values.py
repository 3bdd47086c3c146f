"""Options and arguments whose values are right as they are.

Typer converts each value with Pydantic, which takes longer to load than the rest of the command line.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

NUMBERS = {int: re.compile(r"[0-9]{1,9}"), float: re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")}
"""How plain numbers are written, by their type."""


class NotPlainError(Exception):
    """A value that has to be converted or checked."""


def quick(parameter: Any) -> None:
    """Let a parameter of Typer take plain values as they are, and let Typer convert the others."""
    if not hasattr(parameter, "type_descriptor"):
        return  # This version of Typer converts without Pydantic.
    if not isinstance(parameter.process_value, functools.partial):
        parameter.process_value = functools.partial(_process, parameter, parameter.process_value)


def _process(parameter: Any, usual: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    try:
        if parameter.required and parameter.value_is_missing(value):
            raise NotPlainError
        found = _found(parameter, value)
    except NotPlainError:
        return usual(context, value)
    return found if parameter.callback is None else parameter.callback(context, parameter, found)


def _found(parameter: Any, value: Any) -> Any:
    """The value that a parameter gets.

    Raises:
        NotPlainError: Something may be wrong with it.
    """
    about, kind = parameter.type_descriptor.parameter_info, parameter.type_descriptor.annotation
    if value is None and parameter.nargs == 1 and not parameter.multiple:
        return None
    if about.parser is not None and isinstance(value, str) and get_origin(kind) is not list:
        try:
            return about.parser(value)
        except ValueError as error:
            raise NotPlainError from error
    if about.parser is not None or _is_checked(about):
        raise NotPlainError
    found = _plain(value, kind, default=parameter.default)
    if type(found) in NUMBERS and not _is_in_range(found, about):
        raise NotPlainError
    return found


def _is_checked(about: Any) -> bool:
    """Whether a parameter has files with more conditions than that they can be read."""
    is_checked = any((about.exists, about.resolve_path, about.writable, about.path_type))
    return is_checked or not (about.file_okay and about.dir_okay)


def _is_in_range(number: float, about: Any) -> bool:
    return (about.min is None or about.min <= number) and (about.max is None or number <= about.max)


def _plain(value: Any, kind: Any, *, default: Any) -> Any:
    """The value as its type, if nothing can be wrong with it.

    Raises:
        NotPlainError: Something can be.
    """
    if get_origin(kind) is list:
        if isinstance(value, (list, tuple)) and value:
            return [_plain(one, get_args(kind)[0], default=None) for one in value]
    elif value is None or (type(value) is kind and value == default):
        return value
    elif isinstance(value, str) and is_utf8(value):
        if kind is str:
            return value
        if kind in NUMBERS and NUMBERS[kind].fullmatch(value):
            return kind(value)
        if kind is Path and (not os.path.lexists(value) or os.access(value, os.R_OK)):
            return Path(value)
    raise NotPlainError


def is_utf8(text: str) -> bool:
    """Whether a text can be written; half a surrogate pair, as of a file name in another encoding, cannot."""
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False
