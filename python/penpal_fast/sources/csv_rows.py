"""The rows of CSV, with strokes as JSON in one column, as objects of JSON. The other columns are texts."""

from __future__ import annotations

import collections
import csv
import json
import re
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from penpal_fast.errors import PenpalError
from penpal_fast.sources.json_text import is_json
from penpal_fast.sources.text_lines import Line, check_encoding, rejoined

DELIMITERS = (",", ";", "\t")

QUOTED = re.compile(r'(^|[,;\t])"(?:[^"]|"")*"')
"""A cell in quotes. Quotes within other cells are part of them."""

MAX_NAMES_BYTES = 1 << 20
"""Maximum length of the line with the names of the columns."""


def csv_rows(file: IO[bytes], strokes: str, most: int) -> Iterator[Line]:
    """Yield the rows as objects of JSON. An empty cell without quotes is null.

    Args:
        file: The file, in UTF-8, with the names of the columns in its first line.
        strokes: Name of the column of strokes.
        most: Maximum length of a row in bytes.

    Raises:
        PenpalError: The first line has no names, columns share one, or a row has more or fewer cells than there are
            columns, or is too long.
    """
    first = file.readline(MAX_NAMES_BYTES)
    names, delimiter = _names(first)
    for name, times in collections.Counter(names).items():
        if name.lstrip().startswith(("[", "{")) and is_json(name.encode()):
            raise PenpalError(
                "its first line has values, not the names of the columns; put a line with names before it, such as "
                "strokes,text"
            )
        if times > 1:
            raise PenpalError(f"there is more than one column {name!r}")
    number = 0
    for batch in _batches(file, names, delimiter, most):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            row = {name: json.dumps(cell) for name, cell in zip(names, cells, strict=True)}
            place = names.index(strokes) if strokes in names else None
            if place is not None and cells[place] is not None and is_json(cells[place].encode()):
                row[strokes] = cells[place]
            yield (
                number,
                ("{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in row.items()) + "}").encode(),
            )


def names_of_columns(line: bytes) -> list[str]:
    """Return the names of columns in the first line of a file; none if it is no such line."""
    try:
        return _names(line)[0]
    except PenpalError:
        return []


def _names(line: bytes) -> tuple[list[str], str]:
    """Return the names of the columns, and what is between them."""
    check_encoding(line)
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        delimiter = max(DELIMITERS, key=QUOTED.sub(r"\1", text).count)
        return next(csv.reader([text], delimiter=delimiter), []), delimiter
    except (UnicodeDecodeError, csv.Error) as error:
        raise PenpalError(f"its first line must have the names of the columns, in UTF-8: {error}") from error


def _batches(file: IO[bytes], names: list[str], delimiter: str, most: int) -> Iterator[pa.RecordBatch]:
    try:
        reader = arrow_csv.open_csv(
            rejoined(b"", file),  # PyArrow would look for the beginning of the file itself.
            arrow_csv.ReadOptions(use_threads=False, block_size=most, column_names=names),
            arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise
    yield from reader
