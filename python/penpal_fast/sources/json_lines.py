"""JSON lines as streams of record batches.

A file is read twice: once for the types of its columns, once for its rows. A line that is no JSON object, or whose
strokes cannot be drawn, costs that row only.

Columns of one kind of scalar keep it; integers with floats become floats. In any other column strings stay and the
rest becomes JSON text. Strokes keep their nesting and their further fields if all rows nest alike; else they get the
nesting of the penpal data set. Numbers inside strokes become float64.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, cast

import pyarrow as pa

from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError
from penpal_fast.schema import strokes_type
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.json_text import parsed_json

MAX_LINE_BYTES = 32 << 20
"""A line with this many or more is a bad row: as Python objects it may take twenty times as much."""

MAX_COLUMNS = 1000
"""A line whose names would make more columns is a bad row: work grows with rows times columns."""

MAX_LEVELS, MAX_FIELDS = 16, 100
"""Fields that are nested deeper inside strokes are left out, as are all where one place has more names than this."""

CHUNK_BYTES = 8 << 20
"""A batch is made of no more text than this, a single line excepted."""

PIECE_BYTES = 32 << 10
"""Text that is parsed at a time. Where more is, Python takes twice as long: its garbage collector visits all of it."""

OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""How files in UTF-16 and UTF-32 begin; the mark of little-endian UTF-32 begins with that of UTF-16."""

Line = tuple[int, bytes]
"""The number of a line, from 1, and the line itself, cut short if it is too long."""


class JsonLinesSource:
    """A file with a JSON object on each line, compressed with gzip if its name ends with .gz; see `Source`.

    Attributes:
        has_strokes: Whether any of its lines has the strokes' name.
    """

    def __init__(self, file: InputFile, columns: JsonColumns) -> None:
        """Read the file once, for the types of its columns and the number of its rows.

        Args:
            file: The file.
            columns: What is known of its columns. Several files may share them and add to them in turn.

        Raises:
            PenpalError: The file cannot be read, or no line is an object.
        """
        self.file = file
        self._columns = columns
        self.rows = size = 0
        content = hashlib.sha256()
        objects, crowded, with_strokes = columns.objects, columns.crowded, columns.with_strokes
        for lines in _groups(self._lines(), None, PIECE_BYTES):
            for _, text in lines:
                content.update(text)
                size += len(text)
            self.rows += len(lines)
            columns.look_at(lines)
        if columns.objects == objects and columns.crowded > crowded:
            raise PenpalError(
                f"{file.name}: with its names, the JSON lines of the job would have over {MAX_COLUMNS:,} columns"
            )
        if columns.objects == objects:
            raise PenpalError(
                f"{file.name}: each line must be a JSON object with the strokes under {columns.strokes!r}; none is"
            )
        self.has_strokes = columns.with_strokes > with_strokes
        self.fingerprint = content.hexdigest()
        self.row_bytes = max(1, size // max(1, self.rows))

    @property
    def schema(self) -> pa.Schema:
        """The columns of all files that share them."""
        return self._columns.schema()

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the rows from `start` on in order, all their columns, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        schema, kind = self.schema, self._columns.strokes_type()
        for chunk in _groups(itertools.islice(self._lines(), start, None), rows, CHUNK_BYTES):
            pieces: list[pa.RecordBatch] = []
            problems: dict[int, str] = {}
            for lines in _groups(chunk, None, PIECE_BYTES):
                piece = _parsed_batch(lines, schema, self._columns.strokes, kind)
                done = sum(one.num_rows for one in pieces)
                problems |= {done + row: text for row, text in piece.problems.items()}
                pieces.append(piece.data)
            (batch,) = pa.Table.from_batches(pieces).combine_chunks().to_batches()
            yield Batch(batch, problems)

    def _lines(self) -> Iterator[Line]:
        """Yield the lines with their numbers, from 1, long ones cut short; blank lines are no rows."""
        try:
            with self._open() as file:
                number = 0
                while text := file.readline(MAX_LINE_BYTES):
                    number += 1
                    if number == 1 and text.startswith(OTHER_ENCODINGS):
                        raise PenpalError(f"{self.file.name}: it is UTF-16 or UTF-32; convert it to UTF-8 first")
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


def _groups(lines: Iterable[Line], rows: int | None, size: int) -> Iterator[list[Line]]:
    """Group lines: at most so many, until they have so many bytes."""
    group: list[Line] = []
    length = 0
    for line in lines:
        group.append(line)
        length += len(line[1])
        if len(group) == rows or length >= size:
            yield group
            group, length = [], 0
    if group:
        yield group


class JsonColumns:
    """What is known of the columns of one or more files.

    Attributes:
        strokes: Name of the column with the strokes.
        objects: The number of lines that were JSON objects with any names.
        crowded: The number of lines that were left out, as their names would have made too many columns.
        with_strokes: The number of lines that had strokes, good or bad.
    """

    def __init__(self, strokes: str) -> None:
        """Begin without any."""
        self.strokes = strokes
        self.objects = self.crowded = self.with_strokes = 0
        self._kinds: dict[str, set[str]] = {}
        self._nesting = _Nesting()

    def look_at(self, lines: Sequence[Line]) -> None:
        """Take note of lines."""
        rows = []
        for content in itertools.starmap(_parsed_line, lines):
            if isinstance(content, str):
                continue
            if len(self._kinds) + len(content.keys() - self._kinds.keys()) > MAX_COLUMNS:
                self.crowded += 1
                continue
            self.objects += bool(content)
            for name, value in content.items():
                self._kinds.setdefault(name, set()).add(_kind(value))
            if self.strokes in content:
                rows.append(content[self.strokes])
        self.with_strokes += len(rows)
        bad = {row for row, *_ in Rows(rows).problems()}
        self._nesting.look_at([value for row, value in enumerate(rows) if row not in bad])

    def schema(self) -> pa.Schema:
        """Columns for all the lines so far."""
        types = {name: _column_type(kinds - {"null"}) for name, kinds in self._kinds.items()}
        found = self._kinds.get(self.strokes, set())
        if "json" in found or found == {"null"}:
            types[self.strokes] = self.strokes_type() or strokes_type(pa.float64())
        return pa.schema(types)

    def strokes_type(self) -> pa.DataType | None:
        """Type of the strokes that can be drawn; None if they nest in different ways, or there are none."""
        try:
            return self._nesting.arrow() if self._nesting.places() <= MAX_COLUMNS else None
        except TypeError:
            return None


class _Nesting:
    """What is at one place inside strokes, and in the places inside it: each field's, or that of all items of lists."""

    def __init__(self) -> None:
        self._kinds: set[Any] = set()
        self._inside: dict[str | None, _Nesting] = {}

    def look_at(self, values: list[Any], level: int = 0) -> None:
        """Take note of values that are at this place."""
        self._kinds.update(map(type, values))
        if level == MAX_LEVELS:
            return
        if list in self._kinds:
            items = itertools.chain.from_iterable(value for value in values if type(value) is list)
            self._place(None).look_at(list(items), level + 1)
        if dict in self._kinds:
            objects = [value for value in values if type(value) is dict]
            # What is a point in some rows may be a stroke in others.
            self._kinds |= {"points" in value for value in objects}
            names = dict.fromkeys(itertools.chain.from_iterable(objects))
            if len(names) > MAX_FIELDS:
                self._kinds.add("too many fields")
                return
            for name in names:
                self._place(name).look_at([value[name] for value in objects if name in value], level + 1)

    def _place(self, name: str | None) -> _Nesting:
        return self._inside.setdefault(name, _Nesting())

    def places(self) -> int:
        """Count the places."""
        return 1 + sum(place.places() for place in self._inside.values())

    def arrow(self) -> pa.DataType | None:
        """Type of the values; None if they are null, or empty, so that there is nothing to keep.

        Raises:
            TypeError: They are of different kinds.
        """
        kinds = self._kinds - {type(None)}
        if kinds and kinds <= {int, float}:
            return pa.float64()
        if kinds in ({dict, True}, {dict, False}):
            fields = {name: place.arrow() for name, place in self._inside.items()}
            fields = {name: kind for name, kind in fields.items() if kind is not None}
            return pa.struct(fields) if fields else None
        if len(kinds) > 1:
            raise TypeError
        if kinds == {list}:
            inner = self._inside[None].arrow() if self._inside else None
            return None if inner is None else pa.list_(inner)
        return {bool: pa.bool_(), str: pa.string()}.get(*kinds) if kinds else None


def _kind(value: Any) -> str:
    """Tell what a column must hold to keep a value as it is."""
    if value is None:
        return "null"
    if isinstance(value, int) and not isinstance(value, bool):
        # Not all integers beyond 2**53 are float64 numbers.
        return "integer" if abs(value) <= 1 << 53 else "large integer" if value.bit_length() < 64 else "json"
    return {bool: "bool", float: "float", str: "text"}.get(type(value), "json")


def _column_type(kinds: set[str]) -> pa.DataType:
    """Type of a column that loses nothing; string, for JSON text, where no other does."""
    if kinds == {"bool"}:
        return pa.bool_()
    if kinds and kinds <= {"integer", "large integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "float"}:
        return pa.float64()
    return pa.string()


def _parsed_line(number: int, text: bytes) -> dict[str, Any] | str:
    """Parse a line; a string is what is wrong with it."""
    if len(text) == MAX_LINE_BYTES:
        return f"too long: line {number} has {MAX_LINE_BYTES} bytes or more"
    try:
        content = parsed_json(text, infinities=True)
    except ValueError as error:
        return f"not JSON: line {number}: {error}"
    if not isinstance(content, dict):
        return f"not JSON: line {number}: expected an object, found {type(content).__name__}"
    return content


def _parsed_batch(lines: Sequence[Line], schema: pa.Schema, strokes: str, kind: pa.DataType | None) -> Batch:
    """Parse lines into rows of a schema; `kind` is the type of strokes that nest alike."""
    names = set(schema.names)
    rows: list[dict[str, Any]] = []
    problems = {}
    for row, (number, text) in enumerate(lines):
        content = _parsed_line(number, text)
        if isinstance(content, dict) and not content.keys() <= names:
            content = f"too many columns: line {number} has names beyond the first {len(names)}"
        if isinstance(content, str):
            problems[row], content = content, {}
        rows.append(content)
    arrays = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if field.name == strokes and pa.types.is_nested(field.type):
            arrays.append(_strokes_array(values, kind, problems))
        else:
            arrays.append(_scalar_array(values, field.type))
    return Batch(pa.RecordBatch.from_arrays(arrays, schema=schema), problems)


def _scalar_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(values, kind)


def _strokes_array(rows: list[Any], kind: pa.DataType | None, problems: dict[int, str]) -> pa.Array:
    """Convert strokes; rows that cannot be drawn or converted become null, and what is wrong with them is noted."""
    drawn = Rows(rows)
    bad = {row: text for row, _, _, text in drawn.problems()}
    problems |= {row: text for row, text in bad.items() if rows[row] is not None}
    if kind is None:
        return pa.array(drawn.to_penpal())
    rows = [None if row in bad else value for row, value in enumerate(rows)]
    try:
        return pa.array(rows, kind)
    except (pa.ArrowInvalid, OverflowError):
        # Arrow takes no integers above 2**53 for float64.
        for row, value in enumerate(rows):
            try:
                rows[row] = _with_floats(value)
            except OverflowError as error:
                rows[row], problems[row] = None, f"wrong type: a number inside the strokes is too large: {error}"
        return pa.array(rows, kind)


def _with_floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_floats(item) for name, item in value.items()}
    return float(value) if type(value) is int else value
