"""Packages that only some parts of this one need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from penpal_fast.errors import PenpalError


@contextlib.contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Say what to install where an import within fails.

    Raises:
        PenpalError: A package of the extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise PenpalError(
            f"this needs the package {error.name!r}, which is not installed: pip install 'penpal-fast[{extra}]'"
        ) from error
