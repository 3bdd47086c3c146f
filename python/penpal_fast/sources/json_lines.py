"""JSON lines as streams of record batches.

A file is read twice: once for the types of its columns, once for its rows. PyArrow parses lines that fit what is
known of these types and that it reads as Python does; Python parses all others. Both give the same rows.

A line that is not a JSON object, or whose strokes cannot be drawn, costs that row only. Columns of one kind of scalar
keep it; in any other column strings are kept as they are and the rest as JSON text. Strokes keep their nesting if all
rows nest alike, else they get the penpal schema's.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import zlib
from collections.abc import Iterator
from typing import IO, cast

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.sources import json_rows
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.json_arrow import ArrowParser
from penpal_fast.sources.json_batches import parse_batch
from penpal_fast.sources.json_columns import MAX_COLUMNS, JsonColumns
from penpal_fast.sources.json_rows import Text

FIRST_PASS_ROWS = 1000
"""Rows that the first pass looks at together."""

CHUNK_BYTES = 8 << 20
"""Lines that are looked at together are no longer than this in all, a single line excepted."""


class JsonLinesSource:
    """A file with a JSON object on each line, compressed with gzip if its name ends with .gz.

    Attributes:
        has_strokes: Whether any of its lines has the strokes' name.
    """

    def __init__(self, file: InputFile, columns: JsonColumns) -> None:
        """Read the file once, for the types of its columns and the number of its rows.

        Args:
            file: The file.
            columns: What is known of its columns. Files with the same go on to add to it.

        Raises:
            PenpalError: The file cannot be read.
        """
        self.file = file
        self._columns = columns
        self.rows = 0
        size = 0
        objects, crowded, with_strokes = columns.objects, columns.crowded, columns.with_strokes
        content = hashlib.sha256()
        for texts in self._chunks(FIRST_PASS_ROWS):
            for _, text in texts:
                content.update(text)
            self.rows += len(texts)
            size += sum(len(text) for _, text in texts)
            columns.look_at(texts)
        if columns.objects == objects and columns.crowded > crowded:
            raise PenpalError(
                f"{file.name}: with its names, the JSON lines of the job would have over {MAX_COLUMNS:,} columns"
            )
        if columns.objects == objects:
            raise PenpalError(
                f"{file.name}: each line must be a JSON object with the strokes under {columns.strokes!r}; none is"
            )
        self.has_strokes = columns.with_strokes > with_strokes
        self.fingerprint = content.hexdigest()
        self.row_bytes = max(1, size // max(1, self.rows))

    @property
    def schema(self) -> pa.Schema:
        """The columns of all files that share them."""
        return self._columns.schema()

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the rows from `start` on in order, all their columns, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        schema, parser = self.schema, ArrowParser()
        for texts in self._chunks(rows, start):
            yield parse_batch(texts, schema, self._columns.strokes, parser)

    def _chunks(self, rows: int, start: int = 0) -> Iterator[list[Text]]:
        """Yield lines with their numbers."""
        chunk: list[Text] = []
        size = 0
        for number, text in itertools.islice(self._lines(), start, None):
            chunk.append((number, text))
            size += len(text)
            if len(chunk) == rows or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _lines(self) -> Iterator[Text]:
        """Yield the lines with their numbers, from 1, long ones cut short; blank lines are no rows."""
        try:
            with self._open() as file:
                number = 0
                while text := file.readline(json_rows.MAX_LINE_BYTES):
                    number += 1
                    rest = text
                    while len(rest) == json_rows.MAX_LINE_BYTES and not rest.endswith(b"\n"):
                        rest = file.readline(json_rows.MAX_LINE_BYTES)
                    if text.strip() or rest is not text:
                        yield number, text
        except (OSError, EOFError, zlib.error) as error:
            raise PenpalError(f"{self.file.name}: cannot read it: {error}") from error

    @contextlib.contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        with self.file.open(in_order=True) as file:
            if not self.file.name.lower().endswith(".gz"):
                yield file
                return
            with gzip.open(file, "rb") as unpacked:
                yield cast("IO[bytes]", unpacked)
