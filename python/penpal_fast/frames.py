"""Tables of other libraries as Arrow or plain rows: pandas, Hugging Face datasets, batches as dicts.

None of these libraries is imported; their objects are known by what they can do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast import kernels as pc
from penpal_fast._core import Rows
from penpal_fast.anchors import check_anchors
from penpal_fast.arrow_streams import read_whole
from penpal_fast.errors import PenpalError


def rows_of(data: Any, column: str = "strokes") -> Any:
    """Return rows as `Rows` takes them: the column of a table of another library, anything else as it is.

    Raises:
        PenpalError: The table has no such column, or is not one table, or its strokes have an x and y of their own,
            from which their points count; the error says what to write instead.
    """
    _check_no_coordinate_columns(data, column)
    found = _rows_of(data, column)
    check_anchors(found, column)
    return found


def _rows_of(data: Any, column: str) -> Any:
    data = read_whole(data)
    if _is_arrow(data):
        return data
    _check_one_table(data)
    if _is_dataset(data):
        _check_column(data.column_names, column)
        return data.select_columns([column]).with_format("arrow")[:].column(column)
    if is_frame(data):
        _check_column(list(data.columns), column)
        return _cells(data[column])
    if _is_series(data):
        return _cells(data)
    if (table := _arrow_batch(data)) is not None:
        return table
    if isinstance(data, Mapping):
        _check_column(list(data), column)
        return data[column]
    return data


def column_of(data: Any, column: str = "strokes") -> Any:
    """Return rows that can be taken by their number; see `rows_of`."""
    rows = rows_of(data, column)
    if not isinstance(rows, (pa.RecordBatch, pa.Table, pa.ChunkedArray, pa.Array)):
        if hasattr(rows, "__arrow_c_stream__"):
            rows = pa.chunked_array(rows)
        elif hasattr(rows, "__arrow_c_array__"):
            rows = pa.array(rows)
    if isinstance(rows, (pa.ChunkedArray, pa.Array)) and pa.types.is_struct(rows.type):  # A table, as it came.
        chunks = rows.chunks if isinstance(rows, pa.ChunkedArray) else [rows]
        batches = [pa.RecordBatch.from_struct_array(chunk) for chunk in chunks]
        rows = pa.Table.from_batches(batches, pa.schema(list(rows.type)))
    if isinstance(rows, (pa.RecordBatch, pa.Table)):
        _check_column(rows.schema.names, column)
        return rows.column(column)
    return rows


def row_of(data: Any) -> Any:
    """Return one row in a layout that `Rows` takes: the strokes of a record, anything else as it is.

    Raises:
        PenpalError: It is a table of rows; the error says how to take one.
    """
    _check_one_table(data)
    if is_frame(data):
        raise PenpalError("this is a table of rows; take one row of it, such as frame['strokes'].iloc[0]")
    if _is_dataset(data):
        raise PenpalError("this is a dataset of rows; take one row of it, such as dataset[0]['strokes']")
    if _is_series(data) and "strokes" in data.index:
        return data["strokes"]  # A row of a data frame.
    if _is_series(data) or isinstance(data, pa.ChunkedArray) or (_is_polars_series(data) and data.name):
        one = ".iloc[0]" if _is_series(data) else "[0]"
        raise PenpalError(f"this is a column of rows; take one row of it, such as column{one}")
    if _is_polars_series(data):
        return data.to_list()  # A cell of a column.
    if hasattr(data, "__arrow_c_stream__"):
        raise PenpalError("this is a table of rows; take one row of it, such as table['strokes'][0]")
    row = data["strokes"] if isinstance(data, Mapping) and "strokes" in data else data
    check_anchors([row])
    return row


def table_of(
    data: Any, columns: Iterable[str], strokes: Iterable[str] = (), written: Iterable[str] = ()
) -> pa.RecordBatch | pa.Table | None:
    """Return a table of another library in Arrow; None if it is no table.

    Args:
        data: A data frame, dataset or batch.
        columns: Columns that must be there, and that are enough of a dict.
        strokes: Those of them that hold strokes, which may be nested NumPy arrays.
        written: Further columns that are enough of a data frame of pandas, whose other columns may hold anything.

    Raises:
        PenpalError: A column is missing or cannot become Arrow, or it is not one table.
    """
    data = read_whole(data)
    if isinstance(data, (pa.RecordBatch, pa.Table)):
        return data
    _check_one_table(data)
    if _is_dataset(data):
        return data.with_format("arrow")[:]
    if (table := _arrow_batch(data)) is not None:
        return table
    if is_frame(data):
        return _frame_table(data, list(columns), list(strokes), set(written))
    if isinstance(data, Mapping):
        names = list(columns)
        for name in names:
            _check_column(list(data), name)
        others = {name: _arrow_column(name, data[name]) for name in names if name not in set(strokes)}
        try:
            return _with_strokes(pa.table(others), {name: data[name] for name in strokes}, names)
        except pa.ArrowInvalid as error:
            raise PenpalError(f"the columns of a dict must be of the same length: {error}") from error
    is_column = _is_series(data) or _is_polars_series(data) or isinstance(data, (pa.ChunkedArray, pa.Array))
    return pa.table(data) if hasattr(data, "__arrow_c_stream__") and not is_column else None


def _frame_table(frame: Any, columns: list[str], strokes: list[str], written: set[str]) -> pa.Table:
    for name in columns:
        _check_column(list(frame.columns), name)
    # Where no column is read, the rows are counted all the same.
    names = [name for name in frame.columns if not columns or name in columns or name in written]
    try:
        plain = frame.loc[:, [name in names and name not in strokes for name in frame.columns]]
        table = pa.Table.from_pandas(plain, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        needed = ", ".join(map(repr, columns))
        raise PenpalError(
            f"the data frame cannot become Arrow: {error}; leave columns out, such as with frame[[{needed}]]"
        ) from error
    return _with_strokes(table, {name: _cells(frame[name]) for name in strokes}, names) if strokes else table


def with_empty_texts(table: pa.RecordBatch | pa.Table, name: str) -> pa.RecordBatch | pa.Table:
    """Return a table whose texts are of Arrow's null type if they are floats without a value, which is what data frames
    make of texts that are all missing."""
    index = table.schema.names.index(name) if table.schema.names.count(name) == 1 else None
    if index is None or not pa.types.is_floating(table.schema.field(index).type):
        return table
    texts = table.column(index)
    is_empty = pc.all(pc.is_null(texts, nan_is_null=True), min_count=0).as_py()
    return table.set_column(index, name, pa.nulls(len(texts))) if is_empty else table


def column_names(data: Any) -> list[str]:
    """Return the names of the columns of a table that is no Arrow; none if it is no table."""
    names = data.columns if is_frame(data) else data if is_batch(data) else ()
    return list(map(str, names))


def with_added(frame: Any, added: pa.RecordBatch | pa.Table) -> Any:
    """Return a data frame of pandas with columns at its end, in place of those of the same names.

    Args:
        frame: The frame; its index stays.
        added: The columns, with a row for each row of the frame.
    """
    names = added.schema.names
    made = frame.drop(columns=[name for name in names if name in frame.columns]).copy(deep=False)
    for name in names:  # `assign` takes no column of the name "self".
        made[name] = added.column(name).to_pandas().array
    return made


def is_batch(data: Any) -> bool:
    """Whether data is a dict of columns that has no Arrow table in it."""
    return isinstance(data, Mapping) and _arrow_batch(data) is None


def plain_batch(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dict of columns with lists in place of NumPy arrays of objects, which hold arrays of any shape."""
    return {
        name: _listed(cells) if isinstance(cells, np.ndarray) and cells.dtype == object else cells
        for name, cells in data.items()
    }


def _with_strokes(table: pa.Table, strokes: Mapping[str, Any], order: list[str]) -> pa.Table:
    columns = {name: table.column(name) for name in table.column_names}
    for name, cells in strokes.items():
        columns[name] = _arrow_strokes(cells)
    schema = pa.schema([(str(name), columns[name].type) for name in map(str, order)], table.schema.metadata)
    if table.schema.metadata and b"pandas" in table.schema.metadata:
        schema = schema.remove_metadata()  # It describes the columns that were there before.
    return pa.table([columns[name] for name in map(str, order)], schema=schema)


def _arrow_strokes(cells: Any) -> Any:
    """Return strokes in Arrow: as they are nested, or where rows are nested differently, in the layout of penpal."""
    if _is_arrow(cells):
        return cells
    for some in (cells, map(_listed, cells)):
        with contextlib.suppress(pa.ArrowException, TypeError, ValueError, OverflowError):
            return pa.array(list(some))
    return pa.array(Rows(cells).to_penpal())


def _listed(cell: Any) -> Any:
    """Return a cell with lists in place of NumPy arrays."""
    if isinstance(cell, np.ndarray):
        return [_listed(item) for item in cell] if cell.dtype == object else cell.tolist()
    if isinstance(cell, Mapping):
        return {name: _listed(item) for name, item in cell.items()}
    return [_listed(item) for item in cell] if isinstance(cell, (list, tuple)) else cell


def _arrow_column(name: str, values: Any) -> Any:
    if isinstance(values, (str, bytes)):
        raise PenpalError(f"the column {name!r} must have a value for each row, got one {type(values).__name__}")
    if _is_arrow(values):
        return values
    with contextlib.suppress(pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array(values)
    try:
        return pa.array(values, from_pandas=True)  # A data frame as a dict has NaN where a text is missing.
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise PenpalError(f"the column {name!r} cannot become Arrow: {error}") from error


def _cells(series: Any) -> Any:
    """Return a column of pandas as Arrow if it is that already, or else as a list with None where nothing is."""
    if type(series.dtype).__name__ == "ArrowDtype":
        return pa.array(series)
    return [None if is_missing(cell) else cell for cell in series]


def is_missing(cell: Any) -> bool:
    """Whether a cell is what pandas puts where nothing is: NaN or NA."""
    return type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, (float, np.floating)) and cell != cell)


def _check_one_table(data: Any) -> None:
    if isinstance(data, Mapping) and data and all(map(_is_dataset, data.values())):
        splits = ", ".join(map(repr, data))
        raise PenpalError(f"this is a dict of datasets; choose one of {splits}, such as data[{next(iter(data))!r}]")
    if _is_dataset(data) and not hasattr(data, "__len__"):
        raise PenpalError(
            "this dataset is a stream; score it batch by batch with "
            'data.with_format("arrow").map(ArrowScorer(), batched=True)'
        )
    if hasattr(data, "collect") and hasattr(data, "collect_schema"):
        raise PenpalError("this is a lazy frame, whose rows are not there yet; give frame.collect()")


def _check_column(names: Iterable[Any], column: str) -> None:
    found = list(names)
    if found.count(column) != 1:
        count = "more than one column" if column in found else "no column"
        raise PenpalError(
            f"{count} {column!r}; name the one that is meant with column=\nthe columns are {', '.join(map(str, found))}"
        )


def _check_no_coordinate_columns(data: Any, column: str) -> None:
    """Make sure that a table has no coordinate columns in place of strokes: functions for rows do not take them."""
    names = _names(data)
    if column in names:
        return
    plain = {name.lower().replace("_", ""): name for name in names}
    for pair, what in ((("dx", "dy"), "offsets"), (("x", "y"), "points")):
        if plain.keys() >= set(pair):
            found = " and ".join(repr(plain[name]) for name in pair)
            converts = "; strokes_from_offsets converts those of one row" if what == "offsets" else ""
            raise PenpalError(
                f"no column {column!r}, but {found}: {what} in several columns are read by ArrowScorer()(table), and "
                f"in files by score_dataset{converts}\nthe columns are {', '.join(names)}"
            )


def _names(data: Any) -> list[str]:
    """The names of the columns of a table of any library; none if it is no table."""
    if isinstance(data, (pa.RecordBatch, pa.Table)):
        return list(data.schema.names)
    if _is_dataset(data):
        names = data.column_names
    elif isinstance(data, Mapping):
        names = list(data)
    elif is_frame(data) or (hasattr(data, "__arrow_c_stream__") and hasattr(data, "columns")):
        names = data.columns
    else:
        return []
    return [name for name in names if isinstance(name, str)] if not isinstance(names, Mapping) else []


def _is_arrow(data: Any) -> bool:
    return isinstance(data, (pa.Array, pa.ChunkedArray, pa.RecordBatch, pa.Table))


def is_frame(data: Any) -> bool:
    """Whether data is a data frame of pandas."""
    return hasattr(data, "iloc") and hasattr(data, "columns")


def _is_series(data: Any) -> bool:
    return hasattr(data, "iloc") and hasattr(data, "dtype") and not hasattr(data, "columns")


def _is_polars_series(data: Any) -> bool:
    return hasattr(data, "__arrow_c_stream__") and hasattr(data, "to_list") and not hasattr(data, "iloc")


def _is_dataset(data: Any) -> bool:
    return hasattr(data, "with_format") and hasattr(data, "features") and hasattr(data, "column_names")


def _arrow_batch(data: Any) -> pa.Table | None:
    """Return the Arrow table within a batch of `Dataset.map`."""
    table = getattr(data, "pa_table", None) if isinstance(data, Mapping) else None
    return table if isinstance(table, pa.Table) else None
