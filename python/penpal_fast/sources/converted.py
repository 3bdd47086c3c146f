"""Sources as checks look at them: the layout of each file's strokes is found once, from its type and first rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pyarrow as pa

from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.layouts.coordinate_columns import read_columns
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.sources.batch import Batch, RowStream, Source
from penpal_fast.sources.memory import MEMORY_MB, batch_rows

logger = logging.getLogger(__name__)


def strokes_columns(sources: Sequence[Source], column: str, layout: str | None = None) -> list[StrokesColumn]:
    """Find how the strokes of each source are read.

    A file whose rows fit several layouts is read as the other files of the job are.

    Args:
        sources: Files with the same columns.
        column: Name of the strokes column.
        layout: Name of the layout, if it is known.

    Raises:
        PenpalError: There is no such column, or it holds no strokes, or it may have several layouts.
    """
    found: list[StrokesColumn | PenpalError] = []
    for source in sources:
        try:
            found.append(_strokes_column(source, column, layout))
        except PenpalError as error:
            found.append(error)
    known = [one for one in found if isinstance(one, StrokesColumn) and one.is_told]
    if len({one.layout for one in known}) != 1 and (errors := [one for one in found if isinstance(one, PenpalError)]):
        raise errors[0]
    return [one if isinstance(one, StrokesColumn) else known[0] for one in found]


def _strokes_column(source: Source, column: str, layout: str | None) -> StrokesColumn:
    if source.is_ink:
        layout = None  # The reader of the format has read it so already.
    with errors_about(source.file.name):
        found = StrokesColumn.found(source.schema, column, _first_rows(source, column), layout)
    found.read_as = list(source.read_as)
    if found.layout is not None and found.is_told:
        held = ", ".join(map(repr, found.coordinate_columns or [column]))
        logger.info("%s: %s: %s", source.file.name, held, found.layout.description)
    return found


def _first_rows(source: Source, column: str) -> Iterator[pa.RecordBatch]:
    from penpal_fast.layouts.choice import ENOUGH_ROWS

    names = read_columns(source.schema, column)
    is_there = set(names) <= set(source.schema.names)
    rows = min(ENOUGH_ROWS, batch_rows(MEMORY_MB, source))
    for batch in source.batches(rows, columns=names if is_there else None):
        yield batch.data


def converted_batch(batch: Batch, strokes: StrokesColumn) -> Batch:
    """Return a batch as checks see it."""
    data, problems = strokes.converted(batch.data)
    return Batch(data, {**problems, **batch.problems}) if strokes.layout is not None else batch


def named_layouts(strokes: Sequence[StrokesColumn]) -> list[str]:
    """Say which layouts were converted, each once; also those that the reader of a format converted."""
    found = [one.read_as if one.layout is None or not one.is_told else [one.layout.description] for one in strokes]
    return list(dict.fromkeys(name for names in found for name in names))


class ConvertedRows:
    """Rows with their strokes as checks see them; see `RowStream`."""

    def __init__(self, rows: RowStream, strokes: StrokesColumn, column: str) -> None:
        """Take the rows, how their strokes are read, and the name of their column."""
        self._rows = rows
        self._strokes = strokes
        self._column = column
        self.schema = strokes.schema(rows.schema)
        self.rows = rows.rows
        self.row_bytes = rows.row_bytes
        self.begins_anywhere = rows.begins_anywhere

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        """Yield batches of the rows from `start` on, in order."""
        if columns is not None:
            names = [self._strokes.coordinate_columns or [name] if name == self._column else [name] for name in columns]
            columns = list(dict.fromkeys(name for some in names for name in some))
        for batch in self._rows.batches(rows, start=start, columns=columns):
            yield converted_batch(batch, self._strokes)
