"""Sources opened: inputs with the same columns."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.coordinate_columns import coordinate_columns_of
from penpal_fast.schema import has_json_values
from penpal_fast.sources.batch import Batch, RowStream, Source
from penpal_fast.sources.converted import ConvertedRows, strokes_columns
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import InputFile, Inputs, find_inputs
from penpal_fast.sources.parquet import ParquetSource
from penpal_fast.sources.suffixes import PARQUET_SUFFIXES

if TYPE_CHECKING:
    from penpal_fast.sources.by_content import OpenedByContent


def open_sources(inputs: Inputs, column: str, options: Options | None = None) -> list[Source]:
    """Open files, folders, globs and hub addresses with the same columns.

    Args:
        inputs: Files of any known format; see `find_inputs`. All files of JSON lines get the same columns.
        column: Name of the strokes column.
        options: What is chosen about some formats.

    Raises:
        PenpalError: A file does not exist, is of another kind, cannot be read, or has other columns than the first.
    """
    options = options or Options()
    _check_layout(options.layout)
    sources = _opened(find_inputs(inputs), column, options)
    first, expected = sources[0].file.name, sources[0].schema
    are_several = len(sources) > 1
    for source in sources:
        # A single file gets an error that lists its columns.
        if are_several and source.rows and not (source.has_strokes or coordinate_columns_of(source.schema, column)):
            raise PenpalError(f"{source.file.name}: none of its lines has strokes under {column!r}")
        if not source.schema.equals(expected):
            raise PenpalError(
                f"{source.file.name} and {first} have different columns; give them to separate runs:\n"
                + "\n".join(_differences(source.schema, expected))
            )
    return sources


def _check_layout(name: str | None) -> None:
    if name is not None:
        from penpal_fast.layouts.known import check_layout

        check_layout(name)


def _opened(files: Sequence[InputFile], column: str, options: Options) -> list[Source]:
    """Open files; leave out those of JSON and CSV without rows, which have no columns either.

    Raises:
        PenpalError: One cannot be read, or there are no others.
    """

    @functools.cache
    def by_content() -> OpenedByContent:
        from penpal_fast.sources.by_content import OpenedByContent

        return OpenedByContent(column, options)

    sources = [_parquet_source(file) or by_content().source(file) for file in files]
    filled = [source for source in sources if source.rows or not source.is_text]
    if not filled:
        also = f", nor are there in the {len(sources) - 1:,} other files" if len(sources) > 1 else ""
        raise PenpalError(f"{sources[0].file.name}: there are no rows in it{also}")
    _agree_on_json(filled)
    return filled


def _agree_on_json(sources: Sequence[Source]) -> None:
    """Take a column for JSON of values only where it is so in all sources."""
    named = [{field.name for field in source.schema if has_json_values(field)} for source in sources]
    if texts := set.union(*named) - set.intersection(*named):
        for source in sources:
            source.take_as_texts(texts)


def _parquet_source(file: InputFile) -> Source | None:
    """Open a file that is Parquet as its name says; None if it is not."""
    if not file.ending.endswith(PARQUET_SUFFIXES):
        return None
    try:
        return ParquetSource(file)
    except PenpalError:
        return None


def open_source(path: str | Path, column: str, layout: str | None = None) -> RowStream:
    """Open the rows of a file, or of all files of a folder or glob, in order, with their strokes as checks see them.

    Raises:
        PenpalError: A file does not exist, is of another kind, cannot be read or has no strokes.
    """
    return _joined(open_sources(path, column, Options(layout=layout)), column, layout)


def open_file(file: InputFile, column: str, layout: str | None = None) -> RowStream:
    """Open the rows of one file that was found already; see `open_source`."""
    _check_layout(layout)
    return _joined(_opened([file], column, Options(layout=layout)), column, layout)


def _joined(sources: list[Source], column: str, layout: str | None) -> RowStream:
    found = strokes_columns(sources, column, layout)
    rows: list[RowStream] = [
        source if strokes.layout is None else ConvertedRows(source, strokes, column)
        for source, strokes in zip(sources, found, strict=True)
    ]
    return rows[0] if len(rows) == 1 else _Joined(rows)


class _Joined:
    """The rows of several sources with the same columns; see `RowStream`."""

    def __init__(self, sources: list[RowStream]) -> None:
        self._sources = sources
        self.schema = sources[0].schema
        self.rows = sum(source.rows for source in sources)
        self.row_bytes = max(source.row_bytes for source in sources)
        self.begins_anywhere = all(source.begins_anywhere for source in sources)

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        for source in self._sources:
            if start < source.rows:
                yield from source.batches(rows, start=start, columns=columns)
            start = max(start - source.rows, 0)


def _differences(found: pa.Schema, expected: pa.Schema) -> list[str]:
    """Say which columns differ, one on each line."""
    if sorted(found.names) == sorted(expected.names) and found.names != expected.names:
        return [f"  their order is {', '.join(found.names)} against {', '.join(expected.names)}"]
    names = dict.fromkeys([*found.names, *expected.names])
    pairs = {name: (_described(found, name), _described(expected, name)) for name in names}
    return [f"  {name}: {first} against {second}" for name, (first, second) in pairs.items() if first != second]


def _described(schema: pa.Schema, name: str) -> str:
    fields = [schema.field(index) for index in schema.get_all_field_indices(name)]
    return " and ".join(f"{field.type}{'' if field.nullable else ' not null'}" for field in fields) or "no such column"
