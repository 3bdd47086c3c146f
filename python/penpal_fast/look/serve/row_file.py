"""Parquet files whose rows are looked at, a page at a time."""

from __future__ import annotations

import io
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.checks.check import Check, outcomes_of
from penpal_fast.checks.columns import prepare
from penpal_fast.errors import PenpalError
from penpal_fast.schema import check_strokes_column
from penpal_fast.sources.parquet_footer import ParquetFooter
from penpal_fast.strokes import words_of

MOST_PAGE_ROWS = 60
BATCH_ROWS = 64

MOST_POINTS = 20_000
"""Points of a row that is sent to the page."""

MOST_GROUP_BYTES = 400 << 20
"""What a row group of an uploaded file may take in memory; a few bytes can claim to hold more."""

MOST_UPLOADED_FILES = 4


class RowFile:
    """A Parquet file of rows, with or without scores."""

    def __init__(self, content: Path | bytes, name: str, column: str, checks: Sequence[Check]) -> None:
        """Open a file, or the content of one.

        Raises:
            PenpalError: It is not a Parquet file, or has no such column of strokes.
        """
        self.name = name
        self._column = column
        self._checks = checks
        self._lock = threading.Lock()
        try:
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as opened:
                footer = ParquetFooter(opened)
            self._groups = footer.groups
            source = pa.BufferReader(content) if isinstance(content, bytes) else content
            self._file = pq.ParquetFile(
                source,
                metadata=footer.described().metadata,
                pre_buffer=False,
                buffer_size=1 << 20,
                page_checksum_verification=True,
            )
            schema = self._file.schema_arrow
        except (OSError, pa.ArrowException, UnicodeDecodeError, PenpalError) as error:
            raise PenpalError(f"{name}: cannot read it as a Parquet file: {error}") from error
        try:
            check_strokes_column(schema, column)
            prepare(checks, schema)
        except PenpalError as error:
            raise PenpalError(f"{name}: {error}") from error
        self._has_text = schema.names.count("text") == 1 and pa.types.is_string(schema.field("text").type)
        self.rows = sum(group.rows for group in self._groups)

    def check_size(self) -> None:
        """Refuse a file with a row group that takes too much memory.

        Raises:
            PenpalError: It has one.
        """
        for index, group in enumerate(self._groups):
            if group.size > MOST_GROUP_BYTES:
                raise PenpalError(
                    f"{self.name}: row group {index} takes more than {MOST_GROUP_BYTES >> 20} MB of memory"
                )

    def page(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return rows as JSON: row, words, text, and the first check's score and error.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        try:
            with self._lock:
                return list(self._rows(start, start + count))
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{self.name}: the Parquet file is damaged: {error}") from error

    def _rows(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        first, groups = self._groups_from(start)
        read = {name for check in self._checks for name in check.reads}
        columns = [*{self._column, *read, *(["text"] if self._has_text else [])}]
        for batch in self._file.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=columns):
            if first >= end:
                return
            shown = batch.slice(max(start - first, 0), end - max(start, first))
            if len(shown):
                yield from self._described(shown, max(start, first))
            first += len(batch)

    def _groups_from(self, start: int) -> tuple[int, list[int]]:
        """Return the first row of the row group that holds a row, and the numbers of the groups from there on."""
        counts = [group.rows for group in self._groups]
        ends = np.cumsum(counts)
        group = int(np.searchsorted(ends, start, side="right"))
        return int(sum(counts[:group])), list(range(group, len(counts)))

    def _described(self, rows: pa.RecordBatch, first: int) -> Iterator[dict[str, Any]]:
        strokes = rows.column(self._column)
        outcomes = outcomes_of(self._checks, rows, {})
        texts = rows.column("text").to_pylist() if self._has_text else [None] * len(rows)
        for index in range(len(rows)):
            error = outcomes[0].problems.get(index)
            words = [] if error else words_of(strokes[index])
            if sum(len(stroke) for word in words for stroke in word) > MOST_POINTS:
                words, error = [], f"too long to show: it has more than {MOST_POINTS:,} points"
            yield {
                "row": first + index,
                "words": [[stroke.tolist() for stroke in word] for word in words],
                "text": texts[index],
                "score": None if error else float(outcomes[0].scores[index]),
                "error": error,
            }


class UploadedFiles:
    """The files that were uploaded last, by a key that cannot be guessed."""

    def __init__(self) -> None:
        """Start with none."""
        self._files: OrderedDict[str, RowFile] = OrderedDict()

    def add(self, file: RowFile) -> str:
        """Keep a file, forget the oldest of too many, and return the key."""
        key = secrets.token_urlsafe(12)
        self._files[key] = file
        while len(self._files) > MOST_UPLOADED_FILES:
            self._files.popitem(last=False)
        return key

    def get(self, key: str) -> RowFile | None:
        """Return a file that is still kept."""
        return self._files.get(key)
