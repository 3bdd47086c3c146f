"""Files that are not Parquet by their name: what they are is told by their first bytes."""

from __future__ import annotations

from penpal_fast.sources.batch import Source
from penpal_fast.sources.format_source import FormatSource
from penpal_fast.sources.formats.format import Format, Options
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.json_columns import JsonColumns
from penpal_fast.sources.json_lines import JsonLinesSource
from penpal_fast.sources.kinds import TextFormat, kind_of
from penpal_fast.sources.parquet import ParquetSource


class OpenedByContent:
    """Opens the files of a job, of which those of JSON and CSV get the same columns."""

    def __init__(self, column: str, options: Options) -> None:
        """Take the name of the strokes column, and what is chosen about some formats."""
        self._columns = JsonColumns(column, options.layout)
        self._options = options

    def source(self, file: InputFile) -> Source:
        """Open a file.

        Raises:
            PenpalError: It cannot be read, or is of no known kind.
        """
        file, kind = kind_of(file, self._columns.strokes)
        if isinstance(kind, TextFormat):
            return JsonLinesSource(file, self._columns, kind)
        return FormatSource(file, kind, self._options) if isinstance(kind, Format) else ParquetSource(file)
