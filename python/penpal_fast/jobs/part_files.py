"""The files of parts: encoded, or with columns copied from the source."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast import _core
from penpal_fast.errors import PenpalError
from penpal_fast.files import aside_path, made_aside
from penpal_fast.sources.memory import held_bytes
from penpal_fast.sources.parquet import ParquetSource

MAX_WAITING_BYTES = 512 << 20
"""Maximum memory of the rows of a row group: four times what the inputs' metadata promises on average."""


class EncodedFile:
    """Encodes rows into a Parquet file with row groups of fixed size; the bytes do not depend on the batches.

    Leaving the `with` block completes the file, unless there was an error.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, group_rows: int, about: str, *, may_be_huge: bool = False
    ) -> None:
        """Take the output's path and schema, the rows of a row group, and the file's name for errors.

        Where rows may be huge, a row group ends early rather than to take too much memory.
        """
        self._may_be_huge = may_be_huge
        self._file = _new_file(path)
        try:
            self._writer = pq.ParquetWriter(self._file, schema, **encoding(schema))
        except BaseException:
            self._file.close()  # PyArrow refers to it for long.
            raise
        self._group_rows = group_rows
        self._about = about
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows.

        Raises:
            PenpalError: They are much larger than the inputs' metadata says; a row group would not fit in memory.
        """
        while len(rows):
            taken = rows.slice(0, self._group_rows - self._rows)
            rows = rows.slice(len(taken))
            self._waiting.append(taken)
            self._rows += len(taken)
            self._bytes += held_bytes(taken)
            if self._may_be_huge and self._bytes > MAX_WAITING_BYTES // 2:
                self._write_group()
            elif self._bytes > max(MAX_WAITING_BYTES, 2 * held_bytes(taken)):
                raise PenpalError(
                    f"{self._about}: a row group of {self._group_rows:,} rows would take more than "
                    f"{MAX_WAITING_BYTES >> 20} MB of memory, far more than its metadata says. Some rows may be much "
                    "larger than others, or long texts may repeat, which Parquet stores once. Remove such rows"
                )
            if self._rows == self._group_rows:
                self._write_group()

    def note(self, key: bytes, value: str) -> None:
        """Put a text into the file's metadata."""
        self._writer.add_key_value_metadata({key: value})

    def __enter__(self) -> EncodedFile:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        """Complete the file, or close it after an error."""
        with self._file:
            if kind is None:
                if self._waiting:
                    self._write_group()
                self._writer.close()
            else:
                with contextlib.suppress(OSError, pa.ArrowException):
                    self._writer.close()

    def _write_group(self) -> None:
        # One piece: otherwise the pages would end where the batches do.
        table = pa.Table.from_batches(self._waiting).cast(self._writer.schema).combine_chunks()
        self._waiting, self._rows, self._bytes = [], 0, 0
        self._writer.write_table(table, row_group_size=self._group_rows)


class AddedFile:
    """Encodes the columns that checks add to row groups of a source, in row groups of as many rows.

    Leaving the `with` block writes the file, unless there was an error.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, source: ParquetSource, groups: tuple[int, int], added: Sequence[str]
    ) -> None:
        """Take the output's path, the schema of all columns, the source, its row groups, and what columns are added."""
        self._path = path
        self._schema = schema
        self._source = source
        self._groups = groups
        self._names = list(added)
        self._added_schema = pa.schema([schema.field(name) for name in added])
        self._added: list[pa.RecordBatch] = []

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows. Only their added columns are kept, as the source has the others."""
        self._added.append(pa.record_batch([rows.column(name) for name in self._names], schema=self._added_schema))

    def __enter__(self) -> AddedFile:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        """Write the file, unless there was an error."""
        if kind is None:
            self._write()

    def _write(self) -> None:
        self._encode(self._path)

    def _encode(self, path: Path) -> None:
        table = pa.Table.from_batches(self._added, self._added_schema).combine_chunks()
        with _new_file(path) as file, pq.ParquetWriter(file, table.schema, compression="zstd") as writer:
            start = 0
            for rows in self._source.group_rows[slice(*self._groups)]:
                writer.write_table(table.slice(start, rows), row_group_size=max(rows, 1))
                start += rows


class CopiedFile(AddedFile):
    """Copies the encoded columns of a source's row groups too."""

    def _write(self) -> None:
        added = aside_path(self._path.parent)
        with made_aside(added):
            self._encode(added)
            pieces = [(str(self._source.file.path), *self._groups, str(added))]
            _core.append_columns(pieces, file_metadata(self._schema), str(self._path))


PartFile: TypeAlias = EncodedFile | AddedFile


def encoding(schema: pa.Schema) -> dict[str, object]:
    """Settings of a Parquet writer for these columns.

    Coordinates hardly ever repeat. Split by byte they take 1.8 kB a row instead of the 2.2 kB of a dictionary, in two
    fifths of its time.
    """
    stored = _empty_file(schema).schema
    leaves = [stored.column(index) for index in range(len(stored))]
    split = {leaf.path for leaf in leaves if leaf.physical_type in ("FLOAT", "DOUBLE")}
    return {
        "compression": "zstd",
        "use_dictionary": [leaf.path for leaf in leaves if leaf.path not in split],
        "column_encoding": dict.fromkeys(split, "BYTE_STREAM_SPLIT"),
    }


def _new_file(path: Path) -> pa.NativeFile:
    """Open a file to write. A writer that opens it itself leaves it open if the disk is full, and its space taken."""
    return pa.OSFile(os.fsencode(path), "wb")


def file_metadata(schema: pa.Schema) -> list[tuple[str, str]]:
    """Return the metadata that PyArrow would store, with its own description of the columns."""
    found: dict[bytes, bytes] = _empty_file(schema).metadata.metadata or {}
    return [(key.decode(), value.decode()) for key, value in found.items()]


def _empty_file(schema: pa.Schema) -> pq.ParquetFile:
    buffer = io.BytesIO()
    try:
        pq.write_table(pa.Table.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema), buffer)
    except pa.ArrowNotImplementedError as error:
        if len(schema) == 1:
            raise PenpalError(
                f"the column {schema.names[0]!r} has the type {schema.types[0]}, which cannot be written; cast it "
                "first, or leave it out"
            ) from error
        for field in schema:
            _empty_file(pa.schema([field]))
        raise
    return pq.ParquetFile(buffer)
