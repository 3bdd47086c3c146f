"""Tensors in npz files, read without trusting the file."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most
from penpal_fast.network.weights import MAX_WEIGHTS_BYTES
from penpal_fast.sources.formats.npy import array_header

MAX_DIRECTORY_BYTES = 1 << 16
"""Limit on the file's list of tensors; that of a generator has 1 kB."""

_END, _END_BYTES = b"PK\x05\x06", 22
_LARGE_END, _LARGE_END_BYTES = b"PK\x06\x07", 20

_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    RuntimeError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What `zipfile` and NumPy raise for files that are not as they should be."""


def read_npz(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read an npz file as float32. All sizes are checked before memory is taken.

    Raises:
        PenpalError: The file is missing, not a regular file, not an npz file, too large, truncated or corrupted, or has
            a tensor that is not of floats or not finite.
    """
    try:
        content = read_at_most(path, MAX_WEIGHTS_BYTES)
        if content is None:
            raise ValueError(f"it is larger than {MAX_WEIGHTS_BYTES:,} bytes, too large for a generator")
        _check_directory(content)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = file.infolist()
            if sum(member.file_size for member in members) > MAX_WEIGHTS_BYTES:
                raise ValueError(f"its tensors have more than {MAX_WEIGHTS_BYTES:,} bytes, too many for a generator")
            return {member.filename.removesuffix(".npy"): _tensor(file, member) for member in members}
    except _DAMAGED as error:
        raise PenpalError(f"{path}: cannot read the generator's weights: {error}") from error


def _check_directory(content: bytes) -> None:
    """Bound the number of members, each of which takes memory."""
    end = content.rfind(_END)
    if end < 0 or len(content) - end < _END_BYTES:
        raise ValueError("it is not an npz file, or it is cut short")
    is_large = content[max(0, end - _LARGE_END_BYTES) :].startswith(_LARGE_END)
    if is_large or int.from_bytes(content[end + 12 : end + 16], "little") > MAX_DIRECTORY_BYTES:
        raise ValueError(f"its list of tensors is longer than {MAX_DIRECTORY_BYTES:,} bytes")


def _tensor(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.float32]:
    where = f"tensor {member.filename[:100]!r}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{where} is compressed in a way that NumPy does not write")
    with file.open(member) as stream:
        # Ends at the size that was checked; the end checks the CRC too.
        data = io.BytesIO(stream.read())
    try:
        shape, is_fortran, kind = array_header(data)
    except ValueError as error:
        raise ValueError(f"the header of {where} is {error}") from error
    if kind.kind != "f":
        raise ValueError(f"{where} is of type {kind}, not of floats")
    stored = np.frombuffer(data.getbuffer()[data.tell() :], kind)
    with np.errstate(over="ignore"):
        values = stored.astype(np.float32).reshape(shape, order="F" if is_fortran else "C")
    if not np.isfinite(values).all():
        raise ValueError(f"{where} has values that are NaN or infinite in float32")
    return np.ascontiguousarray(values)
