"""Files of data sets on the Hugging Face hub."""

from __future__ import annotations

from typing import IO, Any, cast

from huggingface_hub import HfFileSystem

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.sources.addresses import HUB
from penpal_fast.sources.names import SHOWN_SUFFIXES, SUFFIXES, inputs_of

IN_ORDER_BYTES = 8 << 20
"""Bytes that one request fetches of a file that is read in order."""


def list_files(address: str) -> list[tuple[str, int, str]]:
    """List the files of `hf://datasets/OWNER/NAME[@REVISION][/FILE, FOLDER or GLOB]`, by path.

    Returns:
        Address, size in bytes and the id of the content of each file.

    Raises:
        PenpalError: The hub does not answer, or has no such data set, revision or file.
    """
    path = address.removeprefix(HUB)
    try:
        files = _listed(HfFileSystem(), path)
    except Exception as error:
        raise_if_from_handler(error)
        raise PenpalError(f"{address}: cannot list it on the Hugging Face hub: {error}") from error
    return [(HUB + name, int(file["size"]), _version(file)) for name, file in sorted(files.items())]


def open_file(address: str, *, in_order: bool) -> IO[bytes]:
    """Open a file for reading, either in order or at random places.

    Raises:
        OSError: The hub does not answer or has no such file.
    """
    cache = {"cache_type": "readahead" if in_order else "none", "block_size": IN_ORDER_BYTES}
    return cast("IO[bytes]", HfFileSystem().open(address.removeprefix(HUB), "rb", **cache))


def _listed(files: HfFileSystem, path: str) -> dict[str, dict[str, Any]]:
    # Without `expand_info`, huggingface_hub 0.30 also asks for the last commit of each file, which takes much longer.
    how: dict[str, Any] = {"detail": True, "expand_info": False}
    if any(character in path for character in "*?["):
        found = cast("dict[str, dict[str, Any]]", files.glob(path, **how))
        return {
            name: file for name, file in found.items() if file["type"] == "file" and name.lower().endswith(SUFFIXES)
        }
    if files.isfile(path):
        if not path.lower().endswith(SUFFIXES):
            raise PenpalError(f"the name must end with one of {SHOWN_SUFFIXES}")
        return {path: files.info(path, expand_info=False)}
    found = cast("dict[str, dict[str, Any]]", files.find(path, **how))
    start = len(files.info(path, expand_info=False)["name"]) + 1
    chosen = set(inputs_of(HUB + path, (name[start:] for name in found)))
    return {name: file for name, file in found.items() if name[start:] in chosen}


def _version(file: dict[str, Any]) -> str:
    lfs = file.get("lfs")
    return str(lfs["sha256"] if lfs else file["blob_id"])
