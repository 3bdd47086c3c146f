"""Files that the page sends: unpacked into a temporary file, and read as `score` reads them."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Sequence

from penpal_fast.checks.check import Check
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.look.serve.source_rows import SourceRows
from penpal_fast.sources.formats.arrow import ARROW, check_unpacked
from penpal_fast.sources.formats.npy import NPZ
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.kinds import PARQUET, TextFormat, kind_of
from penpal_fast.sources.packing import UNPACKING_ERRORS, is_packed, unpacked
from penpal_fast.sources.parquet_footer import ParquetFooter
from penpal_fast.sources.spool import Spool

MAX_UNPACKED_BYTES = 400 << 20
"""What an uploaded file may hold, unpacked; a small file can claim to hold much more."""

MAX_LINES = 1_000_000
"""Lines of an uploaded file of text: a small packed file can claim many millions, which take minutes to read."""

UNNAMED = "the uploaded file"

MAX_NAME = 255


@dataclasses.dataclass(frozen=True)
class Upload:
    """A file that the page has sent.

    Attributes:
        file: The file, whose temporary file is removed with it.
        rows: Its rows.
    """

    file: InputFile
    rows: SourceRows


def opened_upload(content: bytes, name: str, column: str, checks: Sequence[Check]) -> Upload:
    """Open a file of any format that `score` reads.

    Args:
        content: The file's bytes.
        name: Its name, of which the ending counts where the first bytes say too little; may be empty.
        column: Name of the strokes column.
        checks: The checks that score its rows.

    Raises:
        PenpalError: It cannot be read, holds too much, or has no strokes column of this name.
    """
    name = name[-MAX_NAME:] or UNNAMED
    spool = Spool(io.BytesIO(content), name)
    try:
        if is_packed(content):
            spool = _unpacked(_spooled(spool, name))
        return _opened(_spooled(spool, name), column, checks)
    except BaseException:
        spool.remove()  # The error may refer to it for long.
        raise


def _opened(file: InputFile, column: str, checks: Sequence[Check]) -> Upload:
    file, kind = kind_of(file, column)
    if kind is NPZ:
        _check_archive(file)
    if isinstance(kind, TextFormat):
        _check_lines(file)
    if kind is ARROW:
        with errors_about(file.name):
            check_unpacked(file, MAX_UNPACKED_BYTES)
    rows = SourceRows(file, column, checks)
    if kind is PARQUET:
        _check_row_groups(file)
    return Upload(file, rows)


def _spooled(spool: Spool, name: str) -> InputFile:
    return InputFile(name, spool.size, spool.sha256, spool=spool)


def _unpacked(file: InputFile) -> Spool:
    """Unpack a file of gzip or Zstandard into another temporary file."""
    try:
        with unpacked(file) as content:
            spool = Spool(content, file.name, most_bytes=MAX_UNPACKED_BYTES)
    except UNPACKING_ERRORS as error:
        raise PenpalError(f"{file.name}: cannot read it: {error}") from error
    with spool.path.open("rb") as opened:
        if is_packed(opened.read(4)):
            spool.remove()
            raise PenpalError(f"{file.name}: it is packed more than once; unpack it first")
    return spool


def _check_lines(file: InputFile) -> None:
    """Make sure that a file of text does not have too many lines."""
    with file.open(in_order=True) as opened:
        lines = sum(piece.count(b"\n") for piece in iter(lambda: opened.read(1 << 20), b""))
    if lines > MAX_LINES:
        raise PenpalError(
            f"{file.name}: it has {lines:,} lines; at most {MAX_LINES:,} are read here; start the server with it"
        )


def _check_row_groups(file: InputFile) -> None:
    """Make sure that no row group of a Parquet file claims to hold more than is read."""
    with errors_about(file.name), file.open(in_order=False) as opened:
        groups = ParquetFooter(opened).groups
    for index, group in enumerate(groups):
        if group.size > MAX_UNPACKED_BYTES:
            limit = f"{MAX_UNPACKED_BYTES >> 20} MiB of memory"
            raise PenpalError(f"{file.name}: row group {index} takes more than {limit}")


def _check_archive(file: InputFile) -> None:
    """Make sure that a ZIP archive does not claim to hold more than is read."""
    try:
        with file.open(in_order=False) as opened, zipfile.ZipFile(opened) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise PenpalError(f"{file.name}: cannot read this {NPZ.name} file: {error}") from error
    if size > MAX_UNPACKED_BYTES:
        raise PenpalError(f"{file.name}: its arrays have {size:,} bytes; at most {MAX_UNPACKED_BYTES:,} are read here")
