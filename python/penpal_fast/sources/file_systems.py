"""Files of file systems of fsspec, of which the Hugging Face hub is one: listed by glob or folder, and opened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, cast

from penpal_fast.sources.names import SUFFIXES, inputs_of

IN_ORDER_BYTES = 8 << 20
"""Bytes that one request fetches of a file that is read in order."""

Known = dict[str, Any]
"""What a file system knows of a file."""


def is_glob(path: str) -> bool:
    """Whether a path stands for the files that it matches."""
    return any(character in path for character in "*?[")


def inputs_matched(files: Any, path: str, **how: Any) -> dict[str, Known]:
    """Return the inputs that a glob matches, by path; `how` goes to the file system."""
    found = cast("dict[str, Known]", files.glob(path, detail=True, **how))
    return {name: one for name, one in found.items() if one["type"] == "file" and name.lower().endswith(SUFFIXES)}


def inputs_inside(found: Iterable[str], folder: str, address: str) -> dict[str, str]:
    """Choose the inputs among all files of a folder.

    Args:
        found: Their paths.
        folder: Its path.
        address: Its address, for a warning.

    Returns:
        The paths of the inputs, by their paths in the folder.
    """
    inside = {path.removeprefix(f"{folder}/"): path for path in found}
    return {name: inside[name] for name in inputs_of(address, inside)}


def opened(files: Any, path: str, *, in_order: bool) -> IO[bytes]:
    """Open a file for reading, either in order or at random places."""
    cache_type = "readahead" if in_order else "none"
    return cast("IO[bytes]", files.open(path, "rb", cache_type=cache_type, block_size=IN_ORDER_BYTES))
