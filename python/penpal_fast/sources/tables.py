"""Files read whole, as tables."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.first_points import with_first_points_dropped
from penpal_fast.layouts.coordinate_columns import has_strokes
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.sources.batch import Source
from penpal_fast.sources.converted import converted_batch, strokes_columns
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs, find_inputs
from penpal_fast.sources.memory import BATCH_ROWS, MEMORY_MB, batch_rows
from penpal_fast.sources.parquet import ParquetSource
from penpal_fast.sources.streams import open_sources
from penpal_fast.sources.suffixes import PARQUET_SUFFIXES

logger = logging.getLogger(__name__)


def read_rows(
    inputs: Inputs,
    *,
    column: str = "strokes",
    each_path: bool = False,
    layout: str | None = None,
    drop_first_point: bool = False,
) -> pa.Table:
    """Read rows of any known format into memory, without scoring them.

    Args:
        inputs: Files, folders, globs and hub addresses, as `score_dataset` takes them; all with the same columns.
        column: Name of the strokes column; formats of ink have their own.
        each_path: Whether each path of an SVG file is a row; else the whole drawing is one.
        layout: Name of the layout of the strokes, such as "offsets", if it should not be told from the type and the
            first rows; see docs/data.md.
        drop_first_point: Return the strokes as `without_first_points` does.

    Returns:
        The rows in order, with all columns. Strokes in a layout that must be converted become words of strokes.
        Formats of ink (InkML, SVG, offsets in NumPy files and the like) have
        `strokes` (words of strokes, float64, y growing downward), `text` and `id`, both null where there is none.

    Raises:
        PenpalError: A file cannot be read, or has other columns than the first. A row of JSON that cannot be drawn is
            no error: a warning is logged, and its strokes are null where their type cannot hold them.
    """
    batches = []
    sources = open_sources(inputs, column, Options(each_path, layout))
    read = _strokes(sources, column, layout)
    for source, strokes in zip(sources, read, strict=True):
        row = 0
        with source.file.unchanged():
            for given in source.batches(batch_rows(MEMORY_MB, source)):
                batch = converted_batch(given, strokes)
                for index, problem in batch.problems.items():
                    logger.warning("%s, row %d: %s", source.file.name, row + index, problem)
                row += len(batch.data)
                batches.append(with_first_points_dropped(batch.data, column) if drop_first_point else batch.data)
    return pa.Table.from_batches(batches, read[0].schema(sources[0].schema))


def parquet_file(path: Path) -> ParquetSource:
    """Open a Parquet file of a stranger.

    Raises:
        PenpalError: It cannot be read.
    """
    if path.is_dir():
        raise PenpalError(f"{path}: cannot read it: it is a folder; name a file")
    try:
        return ParquetSource(find_inputs(path)[0])
    except PenpalError as error:
        if path.name.lower().endswith(PARQUET_SUFFIXES) or not path.exists():
            raise
        raise PenpalError(f"{error}; `penpal-fast convert` makes a Parquet file of rows in other formats") from error


def check_one_of_name(path: Path, names: Sequence[str], name: str) -> None:
    """Make sure that a file has not several columns of a name.

    Raises:
        PenpalError: It has.
    """
    if list(names).count(name) > 1:
        raise PenpalError(f"{path}: it has several columns {name!r}; leave one")


def whole_table(source: ParquetSource, columns: Sequence[str] | None = None) -> pa.Table:
    """Read all rows of a Parquet file, or some of its columns.

    Raises:
        PenpalError: It is damaged.
    """
    batches = [batch.data for batch in source.batches(BATCH_ROWS, columns=None if columns is None else list(columns))]
    return pa.Table.from_batches(batches, None if batches else source.schema)


def _strokes(sources: Sequence[Source], column: str, layout: str | None) -> list[StrokesColumn]:
    """Find how strokes are read; tables without strokes are read as they are."""
    if layout is None and not has_strokes(sources[0].schema, column):
        return [StrokesColumn(column, None) for _ in sources]
    try:
        found = strokes_columns(sources, column, layout)
    except PenpalError as error:
        if layout is not None:
            raise
        logger.warning("the strokes are left as they are: %s", error)
        return [StrokesColumn(column, None) for _ in sources]
    # Tables have one type.
    return found if len({one.layout is None for one in found}) == 1 else [StrokesColumn(column, None) for _ in sources]
