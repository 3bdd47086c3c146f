"""JSON lines as streams of record batches.

The file is read twice: once for the types of its columns, once for its rows. PyArrow parses lines that fit what is
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
import json
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penpal_fast._core import Rows
from penpal_fast.bulk.batch import Batch
from penpal_fast.bulk.json_arrow import parse_lines
from penpal_fast.errors import PenpalError
from penpal_fast.json_text import parsed_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from penpal_fast.bulk.inputs import InputFile

MAX_LINE_BYTES = 32 << 20
"""A line with this many or more is a bad row: as Python objects it may take twenty times as much."""

MAX_COLUMNS = 1000
"""A line whose names would make more columns is a bad row: work grows with rows times columns."""

MAX_DEPTH = 500
"""A line with more objects and arrays inside one another is a bad row. Python's own limit depends on who calls."""

LEAST_LINES = 8
"""So many lines are parsed by Python where PyArrow does not take them all; of more, each half is tried again."""

FIRST_PASS_ROWS = 1000
"""Rows that the first pass looks at together."""

CHUNK_BYTES = 8 << 20
"""Lines that are looked at together are no longer than this in all, a single line excepted."""

POINT = pa.struct([("x", pa.float64()), ("y", pa.float64())])
PENPAL_STROKES = pa.list_(pa.list_(pa.struct([("points", pa.list_(POINT))])))

EXACT_INTEGERS = 1 << 53
"""Integers beyond this are not all float64 numbers."""

LARGE_INTEGERS = 1 << 63
"""Integers from this on are not all 64-bit integers."""

_CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError)

Line = dict[str, Any] | str
"""A parsed line, or what is wrong with it."""


class JsonLinesSource:
    """A file with a JSON object on each line, compressed with gzip if its name ends with .gz."""

    def __init__(self, file: InputFile, column: str) -> None:
        """Read the file once, for the types of its columns and the number of its rows.

        Raises:
            PenpalError: The file cannot be read.
        """
        self.file = file
        self._column = column
        self.rows = 0
        size = 0
        columns = _Columns(column)
        content = hashlib.sha256()
        for texts in self._chunks(FIRST_PASS_ROWS):
            for _, text in texts:
                content.update(text)
            self.rows += len(texts)
            size += sum(len(text) for _, text in texts)
            columns.look_at(texts)
        self.schema = columns.schema()
        if not self.schema:
            raise PenpalError(
                f"{file.name}: each line must be a JSON object with the strokes under {column!r}; none is"
            )
        self.fingerprint = content.hexdigest()
        self._names = set(self.schema.names)
        self.row_bytes = max(1, size // max(1, self.rows))

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the rows from `start` on in order, all their columns, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        for texts in self._chunks(rows, start):
            yield self._batch(texts)

    def _batch(self, texts: list[tuple[int, bytes]]) -> Batch:
        """Parse lines, by Python only where it must be."""
        batch = _parsed_by_arrow(texts, self.schema, self._column)
        if batch is not None:
            return Batch(batch)
        if len(texts) <= LEAST_LINES:
            return self._batch_by_python(texts)
        middle = len(texts) // 2
        first, second = self._batch(texts[:middle]), self._batch(texts[middle:])
        table = pa.Table.from_batches([first.data, second.data])
        later = {middle + row: problem for row, problem in second.problems.items()}
        return Batch(table.combine_chunks().to_batches()[0], first.problems | later)

    def _batch_by_python(self, texts: list[tuple[int, bytes]]) -> Batch:
        lines = [self._within_columns(_parsed(text, number), number) for number, text in texts]
        problems = {row: line for row, line in enumerate(lines) if isinstance(line, str)}
        arrays = []
        for field in self.schema:
            values = [line.get(field.name) if isinstance(line, dict) else None for line in lines]
            if field.name == self._column:
                arrays.append(_strokes_array(values, field.type, problems))
            else:
                arrays.append(_array(values, field.type))
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema), problems)

    def _within_columns(self, line: Line, number: int) -> Line:
        """Refuse a line with a name that is no column, which the first pass refused as one too many."""
        if isinstance(line, str) or line.keys() <= self._names:
            return line
        return f"too many columns: line {number} has names beyond the first {MAX_COLUMNS} of the file"

    def _chunks(self, rows: int, start: int = 0) -> Iterator[list[tuple[int, bytes]]]:
        """Yield lines with their numbers."""
        chunk: list[tuple[int, bytes]] = []
        size = 0
        for number, text in itertools.islice(self._lines(), start, None):
            chunk.append((number, text))
            size += len(text)
            if len(chunk) == rows or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines with their numbers, from 1, long ones cut short; blank lines are no rows."""
        try:
            with self._open() as file:
                number = 0
                while text := file.readline(MAX_LINE_BYTES):
                    number += 1
                    rest = text
                    while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
                        rest = file.readline(MAX_LINE_BYTES)
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


class _Columns:
    """What is known of a file's columns."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._kinds: dict[str, set[str]] = {}
        self._strokes_type: pa.DataType | None = None
        self._nest_alike = True

    def schema(self) -> pa.Schema:
        """Columns for all the lines so far."""
        types = {name: _column_type(found) for name, found in self._kinds.items()}
        found = self._kinds.get(self._column, set())
        if "json" in found or found == {"null"}:
            known = self._strokes_type if self._nest_alike else None
            types[self._column] = known or PENPAL_STROKES
        return pa.schema(types)

    def look_at(self, texts: list[tuple[int, bytes]]) -> None:
        """Take note of lines, parsed by Python only where that may tell something new."""
        if self._strokes_type is not None:
            batch = _parsed_by_arrow(texts, self.schema(), self._column)
            if batch is not None and self._known(batch):
                return
        if len(texts) <= LEAST_LINES:
            self._note([_parsed(text, number) for number, text in texts])
            return
        middle = len(texts) // 2
        self.look_at(texts[:middle])
        self.look_at(texts[middle:])

    def _known(self, batch: pa.RecordBatch) -> bool:
        """Take note of rows of known types; False if Python objects could tell more of them."""
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            kinds = self._kinds[name]
            if values.null_count == len(values) or name == self._column:
                continue
            if pa.types.is_string(values.type):
                kinds.add("text")
            elif not pa.types.is_boolean(values.type):
                extremes = pc.min_max(values).as_py()
                largest = LARGE_INTEGERS - 1 if "large integer" in kinds else EXACT_INTEGERS
                if max(-extremes["min"], extremes["max"]) > largest:
                    return False
        return True

    def _note(self, lines: list[Line]) -> None:
        objects = []
        for line in lines:
            if isinstance(line, dict) and len(self._kinds.keys() | line.keys()) <= MAX_COLUMNS:
                objects.append(line)
                for name, value in line.items():
                    self._kinds.setdefault(name, set()).add(_kind(value))
        try:
            self._strokes_type = _merged(
                self._strokes_type, [line[self._column] for line in objects if self._column in line]
            )
        except _CONVERSION_ERRORS:
            self._nest_alike = False


def _parsed_by_arrow(texts: list[tuple[int, bytes]], schema: pa.Schema, column: str) -> pa.RecordBatch | None:
    if any(len(text) == MAX_LINE_BYTES for _, text in texts):
        return None
    return parse_lines([text for _, text in texts], schema, column)


def _parsed(text: bytes, number: int) -> Line:
    if len(text) == MAX_LINE_BYTES:
        return f"too long: line {number} has {MAX_LINE_BYTES} bytes or more"
    if _depth(text) > MAX_DEPTH:
        return f"not JSON: line {number}: more than {MAX_DEPTH} arrays and objects inside one another"
    try:
        content = parsed_json(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: line {number}: {error}"
    if not isinstance(content, dict):
        return f"not JSON: line {number}: expected an object, found {type(content).__name__}"
    return content


def _depth(text: bytes) -> int:
    """How many arrays and objects are inside one another, at most."""
    characters = np.frombuffer(text, np.uint8)
    if (depth := _bracket_depth(characters)) <= MAX_DEPTH:
        return depth
    # Brackets in strings do not count. Without the escaped ones, every second quotation mark ends a string.
    characters = np.frombuffer(text.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    strings = np.cumsum(characters == ord('"'), dtype=np.int32) % 2 == 1
    return _bracket_depth(np.where(strings, 0, characters))


def _bracket_depth(characters: NDArray[np.uint8]) -> int:
    folded = characters | 0x20  # Makes [ and ] the { and } that they differ from by one bit.
    steps = (folded == ord("{")).astype(np.int8) - (folded == ord("}")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _kind(value: Any) -> str:
    """Tell what a column must hold to keep a value as it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if abs(value) <= EXACT_INTEGERS:
            return "integer"
        return "large integer" if abs(value) < LARGE_INTEGERS else "json"
    if isinstance(value, float):
        return "float"
    return "text" if isinstance(value, str) else "json"


def _column_type(kinds: set[str]) -> pa.DataType:
    """Type of a column that loses nothing; string, for JSON text, where no other does."""
    kinds = kinds - {"null"}
    if kinds == {"bool"}:
        return pa.bool_()
    if kinds and kinds <= {"integer", "large integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "float"}:
        return pa.float64()
    return pa.string()


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(values, kind)


def _merged(known: pa.DataType | None, rows: list[Any]) -> pa.DataType | None:
    """Type of the rows that can be drawn, merged with what was known. Rows that nest in different ways have none."""
    bad = {row for row, *_ in Rows(rows).problems()}
    good = [value for row, value in enumerate(rows) if row not in bad]
    kind = _storable(pa.infer_type(good)) if good else None
    if known is not None and kind is not None:
        schemas = [pa.schema([("strokes", one)]) for one in (known, kind)]
        kind = pa.unify_schemas(schemas, promote_options="permissive").field("strokes").type
    if kind is not None and _is_of_points_and_strokes(kind):
        raise TypeError("what is a point in some rows is a stroke in others")
    return kind or known


def _is_of_points_and_strokes(kind: pa.DataType) -> bool:
    while pa.types.is_list(kind):
        kind = kind.value_type
    return pa.types.is_struct(kind) and {"x", "points"} <= {field.name for field in kind}


def _storable(kind: pa.DataType, lists: int = 0) -> pa.DataType | None:
    """Return a type with float64 numbers and without what Parquet or Arrow cannot hold.

    That is fields nested deeper than points are, and structs without fields.
    """
    if pa.types.is_list(kind):
        inner = _storable(kind.value_type, lists + 1) if lists < 5 else None
        return inner and pa.list_(inner)
    if pa.types.is_struct(kind):
        fields = [(field.name, _storable(field.type, lists)) for field in kind]
        fields = [(name, inner) for name, inner in fields if inner is not None]
        return pa.struct(fields) if fields else None
    if pa.types.is_null(kind):
        return None
    return pa.float64() if pa.types.is_integer(kind) else kind


def _strokes_array(values: list[Any], kind: pa.DataType, problems: dict[int, str]) -> pa.Array:
    """Convert strokes; rows that cannot be drawn or converted become null, and what is wrong with them is noted."""
    values = list(values)
    for row, _, _, text in Rows(values).problems():
        if values[row] is not None:
            values[row] = None
            problems[row] = text
    # A row that nests otherwise need not raise an error: PyArrow takes a point for a stroke without points.
    if kind != PENPAL_STROKES:
        with contextlib.suppress(*_CONVERSION_ERRORS):
            return pa.array(values, kind)
    convert = _penpal_row if kind == PENPAL_STROKES else _with_floats
    return pa.concat_arrays([_one_row(value, kind, convert, row, problems) for row, value in enumerate(values)])


def _one_row(
    value: Any, kind: pa.DataType, convert: Callable[[Any], Any], row: int, problems: dict[int, str]
) -> pa.Array:
    try:
        return pa.array([value if value is None else convert(value)], kind)
    except _CONVERSION_ERRORS as error:
        problems[row] = f"wrong type: the strokes are nested unlike those of the file's other rows: {error}"
        return pa.nulls(1, kind)


def _penpal_row(row: list[Any]) -> list[list[dict[str, Any]]]:
    """Nest a row that can be drawn as the penpal schema does; strokes without a word are a word of their own."""
    return [[_penpal_stroke(item)] if _is_stroke(item) else [_penpal_stroke(stroke) for stroke in item] for item in row]


def _is_stroke(item: Any) -> bool:
    return isinstance(item, dict) or any(_is_point(point) for point in item)


def _is_point(item: Any) -> bool:
    if isinstance(item, dict):
        return "x" in item
    return isinstance(item, list) and len(item) == 2 and not isinstance(item[0], (list, dict))


def _penpal_stroke(stroke: Any) -> dict[str, Any]:
    points = stroke["points"] if isinstance(stroke, dict) else stroke
    pairs = [(point["x"], point["y"]) if isinstance(point, dict) else point for point in points]
    return {"points": [{"x": float(x), "y": float(y)} for x, y in pairs]}


def _with_floats(value: Any) -> Any:
    """Make integers floats: Arrow takes no large ones for float64."""
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    return float(value) if type(value) is int else value
