"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def replaced_atomically(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write to; on success it is synced and renamed to `target`, else removed.

    Raises:
        PenpalError: The target is there and not a regular file, or its folder is not there.
    """
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():
        raise PenpalError(f"{target}: cannot write it: it is there already, and not a regular file")
    if not target.parent.is_dir():
        raise PenpalError(f"{target}: cannot write it: there is no folder {target.parent}")
    aside = target.with_name(f".penpal-{secrets.token_hex(8)}.part")
    try:
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
