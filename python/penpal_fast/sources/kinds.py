"""What a file is: told by its first bytes where these are clear, and else by the ending of its name."""

from __future__ import annotations

import dataclasses
import io
import re
from typing import TypeAlias

from penpal_fast.errors import PenpalError
from penpal_fast.sources.csv_rows import names_of_columns
from penpal_fast.sources.formats.arrow import ARROW, FEATHER_1_MAGIC, FILE_MAGIC
from penpal_fast.sources.formats.format import Format
from penpal_fast.sources.formats.iam import IAM
from penpal_fast.sources.formats.iam import ROOT as IAM_ROOT
from penpal_fast.sources.formats.inkml import INKML
from penpal_fast.sources.formats.known import FORMATS, format_of
from penpal_fast.sources.formats.npy import NPY, NPZ
from penpal_fast.sources.formats.svg import SVG
from penpal_fast.sources.formats.unipen import UNIPEN
from penpal_fast.sources.formats.xml_events import root_of
from penpal_fast.sources.formats.xopp import XOPP
from penpal_fast.sources.gunzip import MAGIC as GZIP_MAGIC
from penpal_fast.sources.gunzip import Gunzip
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.json_items import is_items
from penpal_fast.sources.json_text import is_json
from penpal_fast.sources.names import SHOWN_SUFFIXES, SUFFIXES
from penpal_fast.sources.packing import UNPACKING_ERRORS, ZSTANDARD_MAGIC, unpacked
from penpal_fast.sources.parquet_footer import MAGIC as PARQUET_MAGIC
from penpal_fast.sources.spool import Spool
from penpal_fast.sources.suffixes import CSV_SUFFIXES, JSON_LINES_SUFFIXES, JSON_SUFFIXES, PARQUET_SUFFIXES
from penpal_fast.sources.text_lines import check_encoding, is_split_by_cr, without_mark

START_BYTES = 64 << 10
"""Bytes of a file that say what it is."""

JSON_STARTS = (b"{", b"[")


@dataclasses.dataclass(frozen=True)
class TextFormat:
    """How rows stand in a text.

    Attributes:
        unit: What a row is: a "line" of JSON, an "item" of JSON, one after the other, or a "row" of CSV.
        is_split_by_cr: Whether lines end with a carriage return alone, as on old Macs.
    """

    unit: str
    is_split_by_cr: bool = False


LINES, ITEMS, CSV = TextFormat("line"), TextFormat("item"), TextFormat("row")


class Parquet:
    """A Parquet file."""


PARQUET = Parquet()

Kind: TypeAlias = TextFormat | Parquet | Format

BINARY: dict[bytes, Kind] = {
    PARQUET_MAGIC: PARQUET,
    FILE_MAGIC: ARROW,
    FEATHER_1_MAGIC: ARROW,
    b"\xff\xff\xff\xff": ARROW,  # A stream.
    b"\x93NUMPY": NPY,
}

PICKLE = "a Python pickle, which is never loaded; save the rows as Parquet or JSON lines"
DATABASE = "save the rows as Parquet or JSON lines"

FOREIGN = {
    rb"PK\x03\x04": "a ZIP archive; unpack it first",
    rb"BZh[1-9]1AY&SY": "packed with bzip2; unpack it first",
    rb"\xfd7zXZ\0": "packed with xz; unpack it first",
    rb"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it first",
    rb"\x89HDF\r\n\x1a\n": f"HDF5; {DATABASE}",
    rb"SQLite format 3\0": f"an SQLite database; {DATABASE}",
    rb"Obj\x01": f"Avro; {DATABASE}",
    rb"\x80[\x02-\x05]": PICKLE,
    rb"%PDF-": "a PDF, which has no pen strokes",
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8": "a picture, which has no pen strokes",
    rb".{257}ustar": "a tar archive; unpack it first",
}
"""Starts of files that are not read, and what to say of them."""

LFS_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/")
LFS_SIZE = re.compile(rb"\nsize (\d{1,18})")
HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body|title)\b", re.I | re.DOTALL)
XML_ERROR = re.compile(rb"<Error>\s*<Code>([^<]{1,100})</Code>")

XML_ROOTS = {"svg": SVG, "ink": INKML, "xournal": XOPP, IAM_ROOT: IAM}
"""Formats in XML, by the name of the first element."""


@dataclasses.dataclass(frozen=True)
class Start:
    """The first bytes of a file.

    Attributes:
        bytes: Unpacked.
        is_packed: Whether they were packed.
        is_gzip: Whether they were packed with gzip.
        is_whole: Whether there is nothing else in the file.
    """

    bytes: bytes
    is_packed: bool = False
    is_gzip: bool = False
    is_whole: bool = False


def kind_of(file: InputFile, column: str) -> tuple[InputFile, Kind]:
    """Find what a file is.

    Args:
        file: The file.
        column: Name of the strokes column.

    Returns:
        The file, or its content if it is packed and has to be read at random places; and what it is.

    Raises:
        PenpalError: It cannot be read, or is of no known kind.
    """
    try:
        start = _start(file)
    except UNPACKING_ERRORS as error:
        raise PenpalError(f"{file.name}: cannot read it: {error}") from error
    try:
        refuse_foreign(start.bytes)
        kind = _kind(file, start, column)
    except PenpalError as error:
        raise PenpalError(f"{file.name}: {error}") from error
    reads_packed = isinstance(kind, TextFormat) or (start.is_gzip and kind in XML_ROOTS.values())
    return file if reads_packed or not start.is_packed else _unpacked_file(file), kind


def refuse_foreign(start: bytes) -> None:
    """Make sure that a file does not begin as what stands in the place of a file, or holds no rows.

    Raises:
        PenpalError: It does; the error says what it is.
    """
    if LFS_POINTER.match(start):
        size = LFS_SIZE.search(start)
        length = f" of {int(size[1]):,} bytes" if size else ""
        raise PenpalError(f"it is a Git LFS pointer in place of a file{length}; fetch the file with `git lfs pull`")
    if HTML.match(without_mark(start)):
        raise PenpalError(
            "it is an HTML page, such as that of a login or an error, not a file of rows; download the file again"
        )
    if error := XML_ERROR.search(start[:2000]):
        raise PenpalError(
            f"it is the answer of a server that refused ({error[1].decode(errors='replace')}), not a file of rows; "
            "download the file again"
        )


def found_in(start: bytes) -> str | None:
    """Say what a file is that begins so and cannot be read, if that is known."""
    return next((said for magic, said in FOREIGN.items() if re.match(magic, start, re.DOTALL)), None)


def start_of(file: InputFile) -> bytes:
    """Read the first bytes of a file, unpacked as far as they are whole; empty if it cannot be read."""
    try:
        return _start(file).bytes
    except UNPACKING_ERRORS:
        return b""


def _start(file: InputFile) -> Start:
    with file.open(in_order=False) as opened:
        raw = opened.read(START_BYTES)
    if raw.startswith(GZIP_MAGIC):
        with Gunzip(io.BytesIO(raw), None) as content:
            start = _as_far_as_whole(content)
        is_whole = len(raw) == file.size and len(start) < START_BYTES
        return Start(start, is_packed=True, is_gzip=True, is_whole=is_whole)
    if raw.startswith(ZSTANDARD_MAGIC):
        with unpacked(file) as content:
            start = content.read(START_BYTES)
        return Start(start, is_packed=True, is_whole=len(start) < START_BYTES)
    return Start(raw, is_whole=len(raw) == file.size)


def _as_far_as_whole(content: Gunzip) -> bytes:
    start = b""
    try:
        while len(start) < START_BYTES and (more := content.read(START_BYTES)):
            start += more
    except EOFError:
        pass
    return start[:START_BYTES]


def _unpacked_file(file: InputFile) -> InputFile:
    """Unpack a file into a temporary one."""
    try:
        with unpacked(file) as content:
            return dataclasses.replace(file, spool=Spool(content, file.name))
    except UNPACKING_ERRORS as error:
        raise PenpalError(f"{file.name}: cannot read it: {error}") from error


def _kind(file: InputFile, start: Start, column: str) -> Kind:
    for magic, kind in BINARY.items():
        if start.bytes.startswith(magic):
            return kind
    ending = file.ending
    if any(ending.endswith(one.suffixes) for one in FORMATS):
        if found_in(start.bytes) == PICKLE:
            raise PenpalError(f"it is {PICKLE}")
        return format_of(file)
    if said := found_in(start.bytes):
        if start.bytes.startswith(b"PK") and not ending.endswith(SUFFIXES):
            return NPZ
        raise PenpalError(f"it is {said}")
    content = without_mark(start.bytes).lstrip()
    if content.startswith(b"<") and (root := root_of(start.bytes)):
        if root not in XML_ROOTS:
            raise PenpalError(f"it is XML with the first element <{root}>, which is no known format of ink")
        return XML_ROOTS[root]
    check_encoding(start.bytes)
    if ending.endswith(PARQUET_SUFFIXES) and not content.startswith(JSON_STARTS):
        return PARQUET
    has_cr = is_split_by_cr(start.bytes)
    text = _text(ending, content.replace(b"\r", b"\n") if has_cr else content, column, is_whole=start.is_whole)
    if text is None and UNIPEN.begins(start.bytes):
        return UNIPEN
    if text is None and file.spool and not start.bytes:
        raise PenpalError("it is empty: nothing came")
    if text is None and file.spool:
        raise PenpalError("its first bytes are of no known format; give it as a file whose name ends as usual")
    if text is None:
        raise PenpalError(f"the name must end with one of {SHOWN_SUFFIXES}")
    return dataclasses.replace(text, is_split_by_cr=has_cr)


def _text(ending: str, content: bytes, column: str, *, is_whole: bool) -> TextFormat | None:
    """Find how rows stand in a text, given its beginning; None if it is none with rows."""
    if ending.endswith(JSON_SUFFIXES):
        return ITEMS
    if ending.endswith(CSV_SUFFIXES):
        is_object = content.startswith(b"{") and is_json(content.split(b"\n", 1)[0])
        return LINES if is_object else CSV
    if ending.endswith(JSON_LINES_SUFFIXES) or content.startswith(JSON_STARTS):
        return ITEMS if is_items(content, is_whole=is_whole) else LINES
    return CSV if column in names_of_columns(content.splitlines()[0] if content else b"") else None
