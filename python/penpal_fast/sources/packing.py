"""Files that are compressed with gzip or Zstandard, read as what is in them."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterator
from typing import IO, cast

import pyarrow as pa

from penpal_fast.sources.gunzip import MAGIC as GZIP_MAGIC
from penpal_fast.sources.gunzip import Gunzip
from penpal_fast.sources.readable_file import ReadableFile

ZSTANDARD_MAGIC = b"\x28\xb5\x2f\xfd"

BUFFER_BYTES = 128 << 10
"""Unpacked bytes that are buffered."""

UNPACKING_ERRORS = (OSError, EOFError, zlib.error, pa.ArrowException)
"""What reading a damaged file raises."""


def is_packed(start: bytes) -> bool:
    """Whether a file begins as those of gzip or Zstandard do."""
    return start.startswith((GZIP_MAGIC, ZSTANDARD_MAGIC))


@contextlib.contextmanager
def unpacked(file: ReadableFile) -> Iterator[IO[bytes]]:
    """Open a file for reading in order; unpack it if it begins as files of gzip or Zstandard do.

    Raises:
        OSError: It cannot be read. Reading it may raise any of `UNPACKING_ERRORS`.
    """
    with file.open(in_order=True) as packed:
        start = packed.read(len(ZSTANDARD_MAGIC))
        packed.seek(0)
        if start.startswith(GZIP_MAGIC):
            with io.BufferedReader(Gunzip(packed, file.name), BUFFER_BYTES) as content:
                yield cast("IO[bytes]", content)
        elif start == ZSTANDARD_MAGIC:
            with pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd") as content:
                yield cast("IO[bytes]", io.BufferedReader(content))
        else:
            yield packed
