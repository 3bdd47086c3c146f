"""JSON lines as streams of record batches.

The file is read twice: once for the types of its columns, once for its rows. A line that is not a JSON object, or whose
strokes are nested unlike the first good line's, costs that row only.
"""

from __future__ import annotations

import gzip
import json
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from penpal_fast._core import Rows
from penpal_fast.bulk.batch import Batch
from penpal_fast.canvas import CANVAS_SHAPE, LINE_WIDTH
from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE_BYTES = 256 << 20
INFERENCE_ROWS = 1000
"""Rows whose types are inferred together in the first pass."""

POINT = pa.struct([("x", pa.float64()), ("y", pa.float64())])
PENPAL_STROKES = pa.list_(pa.list_(pa.struct([("points", pa.list_(POINT))])))

_CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError)

Line = dict[str, Any] | str
"""A parsed line, or what is wrong with it."""


class JsonLinesSource:
    """A file with a JSON object on each line, compressed with gzip if its name ends with .gz."""

    def __init__(self, path: Path, column: str) -> None:
        """Read the file once, for the types of its columns and the number of its rows.

        Raises:
            PenpalError: The file cannot be read.
        """
        self.path = path
        self._column = column
        self.rows = 0
        types: dict[str, pa.DataType] = {}
        strokes_type: pa.DataType | None = None
        for lines in self._chunks(INFERENCE_ROWS):
            self.rows += len(lines)
            objects = [line for line in lines if isinstance(line, dict)]
            for name in dict.fromkeys(name for line in objects for name in line):
                if name == column:
                    strokes_type = strokes_type or _strokes_type([line.get(name) for line in objects])
                    types.setdefault(name, pa.null())
                else:
                    types[name] = _unified(types.get(name), [line.get(name) for line in objects])
        if column in types:
            types[column] = strokes_type or PENPAL_STROKES
        self.schema = pa.schema(types)

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield the rows in order, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        for lines in self._chunks(rows):
            problems = {row: line for row, line in enumerate(lines) if isinstance(line, str)}
            arrays = []
            for field in self.schema:
                values = [line.get(field.name) if isinstance(line, dict) else None for line in lines]
                if field.name == self._column:
                    arrays.append(_strokes_array(values, field.type, problems))
                else:
                    arrays.append(_array(values, field.type))
            yield Batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema), problems)

    def _chunks(self, rows: int) -> Iterator[list[Line]]:
        chunk: list[Line] = []
        for line in self._lines():
            chunk.append(line)
            if len(chunk) == rows:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _lines(self) -> Iterator[Line]:
        """Parse line by line; blank lines are no rows."""
        try:
            with self._open() as file:
                number = 0
                while text := file.readline(MAX_LINE_BYTES):
                    number += 1
                    if not text.endswith(b"\n") and len(text) == MAX_LINE_BYTES:
                        raise PenpalError(f"{self.path}: line {number} is longer than {MAX_LINE_BYTES} bytes")
                    if text.strip():
                        yield _parsed(text, number)
        except (OSError, EOFError) as error:
            raise PenpalError(f"{self.path}: cannot read it: {error}") from error

    def _open(self) -> IO[bytes]:
        return cast("IO[bytes]", gzip.open(self.path, "rb")) if self.path.suffix == ".gz" else self.path.open("rb")


def _parsed(text: bytes, number: int) -> Line:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: line {number}: {error}"
    if not isinstance(content, dict):
        return f"not JSON: line {number}: expected an object, found {type(content).__name__}"
    return content


def _strokes_type(values: list[Any]) -> pa.DataType | None:
    """Type of the first row that can be drawn, with float64 coordinates."""
    canvas = np.empty((1, *CANVAS_SHAPE), dtype=np.float32)
    for value in values:
        if not Rows([value]).render_into(canvas, 0, LINE_WIDTH, 1):
            try:
                return _with_float64(pa.infer_type([value]))
            except _CONVERSION_ERRORS:
                continue
    return None


def _with_float64(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_with_float64(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _with_float64(field.type)) for field in kind])
    return pa.float64() if pa.types.is_integer(kind) else kind


def _strokes_array(values: list[Any], kind: pa.DataType, problems: dict[int, str]) -> pa.Array:
    try:
        return pa.array(values, kind)
    except _CONVERSION_ERRORS:
        pass
    kept = list(values)
    for row, value in enumerate(values):
        try:
            pa.array([value], kind)
        except _CONVERSION_ERRORS as error:
            kept[row] = None
            problems[row] = f"wrong type: the strokes are not nested like those of the file's first good row: {error}"
    return pa.array(kept, kind)


def _unified(known: pa.DataType | None, values: list[Any]) -> pa.DataType:
    """Type that holds both what was known and these values; string, for JSON text, where nothing else does."""
    try:
        kinds = [pa.schema([("value", kind)]) for kind in (known, pa.infer_type(values)) if kind is not None]
        kind = pa.unify_schemas(kinds, promote_options="permissive").field("value").type
        pa.array(values, kind)
    except _CONVERSION_ERRORS:
        return pa.string()
    return kind


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(values, kind)
