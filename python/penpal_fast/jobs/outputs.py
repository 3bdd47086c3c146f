"""What an output's name says: a Parquet file, JSON lines, standard output or a folder of parts."""

from __future__ import annotations

import enum
import mimetypes
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.files import check_name
from penpal_fast.sources.suffixes import CSV_SUFFIXES, JSON_LINES_SUFFIXES, JSON_SUFFIXES, PARQUET_SUFFIXES

STANDARD_OUTPUT = ("-", "/dev/stdout")

StdoutFormat = Literal["arrow", "jsonl"]
"""What is written to standard output: a stream of Arrow IPC, or JSON lines."""

INK = (".svg", ".svgz", ".inkml", ".xopp", ".xoj", ".unp", ".unipen", ".dat")
ARRAYS = (".npy", ".npz", ".arrow", ".ipc", ".feather", ".arrows")
PACKED = (".zst", ".gz", ".bz2", ".xz", ".zip", ".7z", ".rar", ".tar", ".tgz", ".lz4", ".snappy", ".br")
TABLES = (".xlsx", ".xls", ".ods", ".orc", ".avro", ".pickle", ".pkl", ".h5", ".hdf5", ".db", ".sqlite", ".sqlite3")
TEXTS = (".txt", ".md", ".yaml", ".yml", ".toml", ".ini", ".log", ".html", ".htm", ".xml", ".msgpack")

OTHER_SUFFIXES = (*CSV_SUFFIXES, *JSON_SUFFIXES, *INK, *ARRAYS, *PACKED, *TABLES, *TEXTS)
"""Endings that say what a file is. A folder of such a name would surprise whoever asked for the file."""


class Kind(enum.Enum):
    """What is written."""

    PARQUET = "Parquet file"
    JSON_LINES = "JSON lines"
    STREAM = "standard output"
    FOLDER = "folder"


ANY_KIND = tuple(Kind)
NO_FOLDER = (Kind.PARQUET, Kind.JSON_LINES, Kind.STREAM)
FILES = (Kind.PARQUET, Kind.JSON_LINES)

CHOICES = {
    Kind.PARQUET: ".parquet (or .pq)",
    Kind.JSON_LINES: ".jsonl, .jsonl.gz or .jsonl.zst",
    Kind.STREAM: "or - for standard output",
    Kind.FOLDER: "or a folder, whose name has no such ending",
}
"""What to write for each kind, after "a file that ends with"."""


def output_kind(output: str | os.PathLike[str], kinds: Collection[Kind]) -> Kind:
    """Tell from its name what an output is.

    Args:
        output: The name; "-" is standard output.
        kinds: What it may be.

    Raises:
        PenpalError: Nothing of this name can be written; the error says what can.
    """
    check_name(output)
    text = os.fspath(output)
    name = Path(text).name.lower()
    choices = "write a file that ends with " + ", ".join(CHOICES[kind] for kind in Kind if kind in kinds)
    if text in STANDARD_OUTPUT:
        kind = Kind.STREAM
    elif name.endswith(PARQUET_SUFFIXES):
        kind = Kind.PARQUET
    elif name.endswith(JSON_LINES_SUFFIXES):
        kind = Kind.JSON_LINES
    elif ending := _other_ending(name):
        raise PenpalError(f"{text}: cannot write {ending} files; {choices}")
    else:
        kind = Kind.FOLDER
    if kind in kinds:
        return kind
    if kind is Kind.FOLDER:
        raise PenpalError(f"{text}: the name does not say what to write; {choices}")
    raise PenpalError(f"{text}: cannot write {kind.value} here; {choices}")


def _other_ending(name: str) -> str | None:
    """Return the ending of a name that says that it is a file of another kind."""
    if ending := next((suffix for suffix in OTHER_SUFFIXES if name.endswith(suffix)), None):
        return ending
    suffix = Path(name).suffix
    # Without the lists of this machine, so that a name is refused everywhere or nowhere.
    return suffix if suffix in mimetypes.MimeTypes(filenames=()).types_map[1] else None


def check_stdout(form: StdoutFormat | None, kind: Kind, *, resume: bool = False) -> StdoutFormat:
    """Return what to write to standard output, if that is the output.

    Raises:
        UsageError: It is not one of the formats, the output is a file, or the job is to be resumed.
        PenpalError: Standard output is closed, or is a terminal, which would show bytes.
    """
    if form not in (None, "arrow", "jsonl"):
        raise UsageError(f"the format of standard output is arrow or jsonl, got {form!r}")
    if kind is not Kind.STREAM:
        if form is not None:
            raise UsageError(
                "--format (stdout_format=) is for standard output, -o -; the name of a file says what it is, such as "
                "lines.jsonl"
            )
        return "arrow"
    if resume:
        raise UsageError(
            "standard output is a stream and cannot be resumed; write to a file or folder, or leave --resume out"
        )
    if sys.stdout is None:
        raise PenpalError("standard output is closed; name a file")
    if form != "jsonl" and sys.stdout.isatty():
        raise PenpalError(
            "Arrow IPC is not for a terminal; send it to a program or file, or ask for text with --format jsonl "
            "(stdout_format='jsonl')"
        )
    return form or "arrow"
