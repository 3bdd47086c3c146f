"""The texts to write, with their sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.files import open_regular
from penpal_fast.schema import has_texts, texts_of
from penpal_fast.sources.suffixes import CSV_SUFFIXES, JSON_LINES_SUFFIXES, JSON_SUFFIXES, PARQUET_SUFFIXES
from penpal_fast.sources.tables import check_one_of_name, parquet_file, whole_table

LONG_LINE = (45, 75)
"""Letters of a long line; at most 75."""

SOURCE_COLUMNS = ("source", "file")
"""Columns that may name the source of a line or its text."""


@dataclasses.dataclass(frozen=True)
class Text:
    """A line of text."""

    words: tuple[str, ...]
    source: str
    """Where the text comes from, such as a form. Texts of one source stay on one side of a split."""


def read_texts(path: Path) -> list[Text]:
    """Read texts from a Parquet file (column `text`, and `source` or `file` if it has one) or the lines of a text file.

    A text without a source is its own source.

    Raises:
        PenpalError: The file cannot be read or has no text.
    """
    try:
        open_regular(path).close()
        if path.name.lower().endswith(PARQUET_SUFFIXES):
            lines, sources = _columns(path)
        elif path.name.lower().endswith((*JSON_LINES_SUFFIXES, *JSON_SUFFIXES, *CSV_SUFFIXES)):
            raise PenpalError(
                f"{path}: texts come from a Parquet file or from the lines of a text file; `penpal-fast convert` makes "
                "a Parquet file of rows in other formats"
            )
        else:
            lines = list(path.read_text(encoding="utf-8-sig").splitlines())  # A byte-order mark is no letter.
            sources = lines
    except (OSError, UnicodeError) as error:
        raise PenpalError(f"{path}: cannot read the texts: {error}") from error
    texts = [
        Text(tuple(str(line).split()), str(source))
        for line, source in zip(lines, sources, strict=True)
        if line and str(line).split()
    ]
    if not texts:
        raise PenpalError(f"{path}: there is no text in this file")
    return texts


def _columns(path: Path) -> tuple[list[str | None], list[str | None]]:
    """Return the texts of a Parquet file, and their sources."""
    file = parquet_file(path)
    columns = file.schema.names
    source = next((name for name in SOURCE_COLUMNS if name in columns), "text")
    if "text" not in columns:
        raise PenpalError(f"{path}: there is no column 'text'; the columns are {columns}")
    for name in (source, "text"):
        check_one_of_name(path, columns, name)
        if not (has_texts(file.schema, name) or pa.types.is_integer(file.schema.field(name).type)):
            raise PenpalError(f"{path}: the column {name!r} does not hold texts but {file.schema.field(name).type}")
    table = whole_table(file, list({"text", source}))
    return texts_of(table["text"].combine_chunks()), texts_of(table[source].combine_chunks())


def run_of_words(text: Text, random: np.random.Generator, *, longest: int) -> str:
    """Return 1 to `longest` neighbouring words of a text."""
    count = int(random.integers(1, min(longest, len(text.words)) + 1))
    first = int(random.integers(0, len(text.words) - count + 1))
    return " ".join(text.words[first : first + count])


def long_line(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Return texts one after another, cut to 45 to 75 letters."""
    words: list[str] = []
    most = int(random.integers(LONG_LINE[0], LONG_LINE[1] + 1))
    while len(" ".join(words)) <= most:
        words += texts[int(random.integers(len(texts)))].words
    return " ".join(words)[: most + 1].rpartition(" ")[0]
