"""JSON lines as streams of record batches.

The file is read twice: once for the types of its columns, once for its rows. A line that is not a JSON object, or
whose strokes cannot be drawn, costs that row only. Columns of one kind of scalar keep it; in any other column strings
are kept as they are and the rest as JSON text. Strokes keep their nesting if all rows nest alike, else they get the
penpal schema's.
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

from penpal_fast._core import Rows
from penpal_fast.bulk.batch import Batch
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

FIRST_PASS_ROWS = 1000
"""Rows that the first pass looks at together."""

CHUNK_BYTES = 8 << 20
"""Lines that are looked at together are no longer than this in all, a single line excepted."""

POINT = pa.struct([("x", pa.float64()), ("y", pa.float64())])
PENPAL_STROKES = pa.list_(pa.list_(pa.struct([("points", pa.list_(POINT))])))

EXACT_INTEGERS = 1 << 53
"""Integers beyond this are not all float64 numbers."""

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
        kinds: dict[str, set[str]] = {}
        strokes_type: pa.DataType | None = None
        nest_alike = True
        content = hashlib.sha256()
        for texts in self._chunks(FIRST_PASS_ROWS):
            for _, text in texts:
                content.update(text)
            self.rows += len(texts)
            size += sum(len(text) for _, text in texts)
            lines = [_parsed(text, number) for number, text in texts]
            objects = []
            for line in lines:
                if isinstance(line, dict) and len(kinds.keys() | line.keys()) <= MAX_COLUMNS:
                    objects.append(line)
                    for name, value in line.items():
                        kinds.setdefault(name, set()).add(_kind(value))
            try:
                strokes_type = _merged(strokes_type, [line[column] for line in objects if column in line])
            except _CONVERSION_ERRORS:
                nest_alike = False
        types = {name: _column_type(found) for name, found in kinds.items()}
        if "json" in kinds.get(column, ()) or kinds.get(column) == {"null"}:
            types[column] = strokes_type if strokes_type and nest_alike else PENPAL_STROKES
        elif not types:
            raise PenpalError(
                f"{file.name}: each line must be a JSON object with the strokes under {column!r}; none is"
            )
        self.fingerprint = content.hexdigest()
        self.schema = pa.schema(types)
        self._names = set(types)
        self.row_bytes = max(1, size // max(1, self.rows))

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the rows from `start` on in order, all their columns, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        for texts in self._chunks(rows, start):
            lines = [self._within_columns(_parsed(text, number), number) for number, text in texts]
            problems = {row: line for row, line in enumerate(lines) if isinstance(line, str)}
            arrays = []
            for field in self.schema:
                values = [line.get(field.name) if isinstance(line, dict) else None for line in lines]
                if field.name == self._column:
                    arrays.append(_strokes_array(values, field.type, problems))
                else:
                    arrays.append(_array(values, field.type))
            yield Batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema), problems)

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
        return "large integer" if abs(value) < 1 << 63 else "json"
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
    if known is None or kind is None:
        return kind or known
    schemas = [pa.schema([("strokes", one)]) for one in (known, kind)]
    return pa.unify_schemas(schemas, promote_options="permissive").field("strokes").type


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
    try:
        return pa.array(values, kind)
    except _CONVERSION_ERRORS:
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
