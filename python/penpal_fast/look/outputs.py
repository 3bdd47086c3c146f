"""Outputs of what looks at rows, checked before any work."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from penpal_fast.files import check_is_no_input, check_writable
from penpal_fast.sources.addresses import LOCAL
from penpal_fast.sources.inputs import Inputs, find_inputs
from penpal_fast.sources.spool import is_stream


def check_output(output: Path, inputs: Inputs) -> None:
    """Make sure that a file can be written, and that it would replace no input: a Parquet file may have any name.

    Raises:
        PenpalError: It cannot, or it would.
    """
    check_writable(output)
    if output.exists():  # Else it is no input, which need not be listed then.
        check_is_no_input(output, _files(inputs))


def _files(inputs: Inputs) -> list[Path]:
    """Return the files of inputs that are on this machine and can be read again."""
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    here = [one for one in given if _is_here(os.fspath(one))]
    return [file.path for file in find_inputs(here) if file.path] if here else []


def _is_here(given: str) -> bool:
    if given.startswith(LOCAL.rstrip("/")):
        return True
    if "://" in given:  # An address may have a question mark.
        return False
    return not is_stream(given) and (Path(given).exists() or glob.has_magic(given))
