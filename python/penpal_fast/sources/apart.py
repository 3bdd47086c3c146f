"""Outputs apart from inputs: what a job writes must not be what it reads, nor what it would read when run again."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Sequence
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.files import check_is_no_input, parts_folder
from penpal_fast.sources.batch import Source
from penpal_fast.sources.inputs import Inputs


def check_apart(sources: Sequence[Source], inputs: Inputs, output: Path) -> None:
    """Make sure that an output is not an input, neither of this run nor of the next one.

    Raises:
        PenpalError: The output is an input, in an input folder, or matched by an input glob.
    """
    check_is_no_input(output, (source.file.path for source in sources if source.file.path))
    resolved = _followed(output)
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    for folder in (Path(item) for item in given):
        if folder.is_dir() and resolved.is_relative_to(_followed(folder)):
            raise PenpalError(f"{output}: the output would be in the input folder {folder}; choose another place")
    for pattern in (os.fspath(item) for item in given):
        if glob.has_magic(pattern) and not Path(pattern).exists() and _will_match(pattern, output):
            raise PenpalError(f"{output}: the output would match the input {pattern}; choose another place or name")


def _followed(path: Path) -> Path:
    """Follow links as far as they lead; `Path.resolve` raises an error of its own for a loop of links."""
    return Path(os.path.realpath(path))


def _will_match(pattern: str, output: Path) -> bool:
    """Whether a glob matches an output, a part of it, or a folder above them."""
    ends = Path(pattern).absolute().parts
    for target in (output.absolute(), _followed(output)):
        for path in (target / "part-00000.parquet", parts_folder(target) / "part-00000.parquet"):
            if any(_matches(upper.parts, ends) for upper in (path, *path.parents)):
                return True
    return False


def _matches(names: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(_matches(names[skipped:], pattern[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatch.fnmatchcase(names[0], pattern[0]) and _matches(names[1:], pattern[1:])
