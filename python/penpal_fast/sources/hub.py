"""Files of data sets on the Hugging Face hub."""

from __future__ import annotations

from typing import IO, cast

from huggingface_hub import HfFileSystem

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.sources.addresses import HUB
from penpal_fast.sources.file_systems import Known, inputs_inside, inputs_matched, is_glob, opened
from penpal_fast.sources.names import SHOWN_SUFFIXES, SUFFIXES


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
    return opened(HfFileSystem(), address.removeprefix(HUB), in_order=in_order)


def _listed(files: HfFileSystem, path: str) -> dict[str, Known]:
    # Without `expand_info`, huggingface_hub 0.30 also asks for the last commit of each file, which takes much longer.
    if is_glob(path):
        return inputs_matched(files, path, expand_info=False)
    if files.isfile(path):
        if not path.lower().endswith(SUFFIXES):
            raise PenpalError(f"the name must end with one of {SHOWN_SUFFIXES}")
        return {path: files.info(path, expand_info=False)}
    found = cast("dict[str, Known]", files.find(path, detail=True, expand_info=False))
    folder = files.info(path, expand_info=False)["name"]
    return {name: found[name] for name in inputs_inside(found, folder, HUB + path).values()}


def _version(file: Known) -> str:
    lfs = file.get("lfs")
    return str(lfs["sha256"] if lfs else file["blob_id"])
