"""Options and arguments whose values are right as they are.

Typer converts each value with Pydantic, which takes longer to load than the rest of the command line.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin


class NotPlainError(Exception):
    """A value that has to be converted or checked."""


def quick(parameter: Any) -> None:
    """Let a parameter of Typer take plain values as they are, and let Typer convert the others."""
    if not hasattr(parameter, "type_descriptor"):
        return  # This version of Typer converts without Pydantic.
    if not isinstance(parameter.process_value, functools.partial):
        parameter.process_value = functools.partial(_process, parameter, parameter.process_value)


def _process(parameter: Any, usual: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    about = parameter.type_descriptor.parameter_info
    try:
        if _is_checked(about) or (parameter.required and parameter.value_is_missing(value)):
            raise NotPlainError
        found = _plain(value, parameter.type_descriptor.annotation, default=parameter.default)
    except NotPlainError:
        return usual(context, value)
    return found if parameter.callback is None else parameter.callback(context, parameter, found)


def _is_checked(about: Any) -> bool:
    """Whether a parameter has a parser of its own, or files with more conditions than that they can be read."""
    if about.parser is not None or not (about.file_okay and about.dir_okay):
        return True
    return any((about.exists, about.resolve_path, about.writable, about.path_type))


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
    elif isinstance(value, str) and value.isascii():
        if kind is str:
            return value
        if kind is Path and (not os.path.lexists(value) or os.access(value, os.R_OK)):
            return Path(value)
    raise NotPlainError
