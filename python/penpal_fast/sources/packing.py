"""Files that are compressed with gzip or Zstandard, read as what is in them."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import IO, cast

import pyarrow as pa

from penpal_fast.sources.inputs import InputFile

UNPACKING_ERRORS = (OSError, EOFError, zlib.error, pa.ArrowException)
"""What reading a damaged file raises."""


@contextlib.contextmanager
def unpacked(file: InputFile) -> Iterator[IO[bytes]]:
    """Open a file for reading in order; unpack it if its name ends with .gz or .zst.

    Raises:
        OSError: It cannot be read. Reading it may raise any of `UNPACKING_ERRORS`.
    """
    with file.open(in_order=True) as packed:
        name = file.name.lower()
        if name.endswith(".gz"):
            with gzip.open(packed, "rb") as content:
                yield cast("IO[bytes]", content)
        elif name.endswith(".zst"):
            with pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd") as content:
                yield cast("IO[bytes]", io.BufferedReader(content))
        else:
            yield packed
