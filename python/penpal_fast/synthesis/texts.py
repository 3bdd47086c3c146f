"""What is to be written: lines of text with where they came from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError

SOURCE_COLUMNS = ("source", "file")
"""Columns that may say where a line, or its text, comes from."""


@dataclasses.dataclass(frozen=True)
class Text:
    """A line of text."""

    words: tuple[str, ...]
    source: str
    """What it belongs to, such as a form; texts of one source never fall on both sides of a split."""


def read_texts(path: Path) -> list[Text]:
    """Read the texts of a Parquet file (columns `text`, and `source` or `file` if there) or of a text file, one a line.

    Where nothing says what a text belongs to, it belongs to itself.

    Raises:
        PenpalError: The file cannot be read or has no text.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            columns = pq.read_schema(path).names
            source = next((name for name in SOURCE_COLUMNS if name in columns), "text")
            if "text" not in columns:
                raise PenpalError(f"{path}: there is no column 'text'; it has {columns}")
            table = pq.read_table(path, columns=list({"text", source}))
            lines, sources = table["text"].to_pylist(), table[source].to_pylist()
        else:
            lines = path.read_text(encoding="utf-8").splitlines()
            sources = lines
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise PenpalError(f"{path}: cannot read the texts: {error}") from error
    texts = [
        Text(tuple(str(line).split()), str(source))
        for line, source in zip(lines, sources, strict=True)
        if line and str(line).split()
    ]
    if not texts:
        raise PenpalError(f"{path}: there is no text in it")
    return texts


def run_of_words(text: Text, random: np.random.Generator, *, longest: int) -> str:
    """Return 1 to `longest` neighbouring words of a text."""
    count = int(random.integers(1, min(longest, len(text.words)) + 1))
    first = int(random.integers(0, len(text.words) - count + 1))
    return " ".join(text.words[first : first + count])
