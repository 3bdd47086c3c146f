"""JSON lines, and what becomes lines of JSON (`.json`, CSV), as streams of record batches.

A file is read twice: once for the types of its columns, once for its rows. A line that is not a JSON object, or whose
strokes cannot be drawn, makes only that row bad. Where no line is an object, lists are rows too: each is the strokes.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import IO, Any, cast

import pyarrow as pa

from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.layouts.choice import ENOUGH_ROWS
from penpal_fast.sources.bare_rows import is_one_row
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.csv_rows import csv_rows
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.json_columns import MAX_COLUMNS, JsonColumns
from penpal_fast.sources.json_items import beginning, is_array, json_items
from penpal_fast.sources.json_text import described, json_text, parsed_json
from penpal_fast.sources.kinds import LINES, TextFormat
from penpal_fast.sources.packing import UNPACKING_ERRORS, unpacked
from penpal_fast.sources.single_objects import check_is_row
from penpal_fast.sources.text_lines import Line, text_lines, with_newlines, without_mark

MAX_LINE_BYTES = 32 << 20
"""A line of this many bytes or more is a bad row: parsed, it may take twenty times as much memory."""

BATCH_BYTES = 8 << 20
"""Maximum text in a batch, unless a single line is longer."""

LOOKED_AT_BYTES = 1000
"""Text of the first line that an error may be about."""

PIECE_BYTES = 32 << 10
"""Text that is parsed at a time. With more, Python takes twice as long: its garbage collector visits all of it."""


class JsonLinesSource:
    """A file with a JSON object on each line, or one that is read as if it had; see `Source`.

    Attributes:
        has_strokes: Whether any of its lines has the strokes' name.
    """

    begins_anywhere = False
    is_text = True
    is_ink = False
    read_as: Sequence[str] = ()

    def __init__(self, file: InputFile, columns: JsonColumns, text: TextFormat = LINES) -> None:
        """Read the file once, for the types of its columns and the number of its rows.

        Args:
            file: The file.
            columns: What is known of its columns. Several files may share them and add to them in turn.
            text: How the rows stand in it.

        Raises:
            PenpalError: The file cannot be read, or there are lines and none is an object.
        """
        self.file = file
        self._columns = columns
        self._text = text
        self._unit = text.unit
        self._bare: str | None = None
        self._is_one_row = False
        self.rows = size = 0
        first: Line = (1, b"")
        only: Any = None
        content = hashlib.sha256()
        objects, crowded, with_strokes = columns.objects, columns.crowded, columns.with_strokes
        kinds: set[type] = set()
        for lines in _groups(self._lines(), None, PIECE_BYTES):
            for _, line in lines:
                content.update(line)
                size += len(line)
            parsed = [_content(line) for _, line in lines]
            if not self.rows and not (isinstance(parsed[0], dict) and parsed[0]):
                first = lines[0]
            self.rows += len(lines)
            only = parsed[0] if self.rows == 1 else None
            kinds.update(map(type, parsed))
            columns.look_at(content for content in parsed if isinstance(content, dict))
        if list in kinds and dict not in kinds:
            self._look_at_lists()
        if columns.objects == objects and columns.crowded > crowded:
            raise PenpalError(
                f"{file.name}: with the names in this file, the JSON lines of the job would have over {MAX_COLUMNS:,} "
                "columns; leave some out"
            )
        if columns.objects == objects and self.rows:
            raise PenpalError(
                f"{file.name}: no {self._unit} is a JSON object; each must be an object with the strokes under "
                f"{columns.strokes!r}; {described(first[1][:LOOKED_AT_BYTES])}"
                f"{_reason(_parsed_line(*first, self._unit))}"
            )
        if isinstance(only, dict) and not self._is_in_array():
            with errors_about(file.name):
                check_is_row(only, columns.strokes)
        self.has_strokes = columns.with_strokes > with_strokes
        self.fingerprint = content.hexdigest()
        self.row_bytes = max(1, size // max(1, self.rows))

    def _look_at_lists(self) -> None:
        """Read the file again, as rows that are bare lists."""
        self._bare = self._columns.strokes
        self._is_one_row = self._is_in_array() and self._is_row()
        self.rows = 0
        for lines in _groups(self._lines(), None, PIECE_BYTES):
            self.rows += len(lines)
            parsed = (_parsed_line(number, line, self._unit, self._bare) for number, line in lines)
            self._columns.look_at(content for content in parsed if isinstance(content, dict))

    def _is_in_array(self) -> bool:
        return self._unit == "item" and self._is_array()

    def _is_array(self) -> bool:
        with self._opened() as file:
            return is_array(beginning(file)[0])

    def _is_row(self) -> bool:
        lines = next(_groups(self._lines(), ENOUGH_ROWS, BATCH_BYTES))
        with errors_about(self.file.name):
            items = [one for _, line in lines if isinstance(one := _content(line), list)]
            return bool(items) and is_one_row(items, self._columns.layout)

    @property
    def schema(self) -> pa.Schema:
        """The columns of all files that share them."""
        return self._columns.schema()

    def take_as_texts(self, names: Collection[str]) -> None:
        """Take columns for texts; see `Source`."""
        self._columns.texts |= set(names)

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the rows from `start` on in order, with all columns, at most `rows` at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        schema, kind = self.schema, self._columns.strokes_type()
        for batch_lines in _groups(itertools.islice(self._lines(), start, None), rows, BATCH_BYTES):
            pieces: list[pa.RecordBatch] = []
            problems: dict[int, str] = {}
            for lines in _groups(batch_lines, None, PIECE_BYTES):
                piece = _parsed_batch(lines, schema, self._columns, kind, self._unit, self._bare)
                done = sum(one.num_rows for one in pieces)
                problems |= {done + row: text for row, text in piece.problems.items()}
                pieces.append(piece.data)
            (batch,) = pa.Table.from_batches(pieces).combine_chunks().to_batches()
            yield Batch(batch, problems)

    def _lines(self) -> Iterator[Line]:
        """Yield the lines, or what stands for them, with their numbers, from 1, long ones cut short."""
        with self._opened() as file:
            if self._is_one_row:
                yield 1, without_mark(file.read(MAX_LINE_BYTES))
            elif self._unit == "item":
                yield from json_items(file, MAX_LINE_BYTES)
            elif self._unit == "row":
                yield from csv_rows(file, self._columns.strokes, MAX_LINE_BYTES)
            else:
                yield from text_lines(file, MAX_LINE_BYTES)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with errors_about(self.file.name), unpacked(self.file) as file:
                yield cast("IO[bytes]", with_newlines(file)) if self._text.is_split_by_cr else file
        except UNPACKING_ERRORS as error:
            raise PenpalError(f"{self.file.name}: cannot read it: {error}") from error


def _reason(found: dict[str, Any] | str) -> str:
    """Say why a line is not a row, given what it was parsed into."""
    if isinstance(found, dict):
        return ", an object without fields"
    return f" ({found.partition(': ')[2] or found})"


def _groups(lines: Iterable[Line], rows: int | None, size: int) -> Iterator[list[Line]]:
    """Group neighbouring lines: at most `rows` of them, until the group has `size` bytes."""
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


def _content(text: bytes) -> Any:
    """Parse a line for what can be told from it; None if nothing can."""
    try:
        return None if len(text) == MAX_LINE_BYTES else parsed_json(text, infinities=True)
    except ValueError:
        return None


def _parsed_line(number: int, text: bytes, unit: str, bare: str | None = None) -> dict[str, Any] | str:
    """Parse a line into an object, or return its problem; `bare` names the column of strokes if lines are lists."""
    if len(text) == MAX_LINE_BYTES:
        return f"too long: {unit} {number} has {MAX_LINE_BYTES} bytes or more"
    try:
        content = parsed_json(text, infinities=True)
    except ValueError as error:
        return f"not JSON: {unit} {number}: {error}"
    if bare is not None and isinstance(content, list):
        return {bare: content}
    if bare is not None or not isinstance(content, dict):
        expected = "an object" if bare is None else "a list"
        return f"not JSON: {unit} {number}: expected {expected}, found {type(content).__name__}"
    return cast("dict[str, Any]", content)


def _parsed_batch(
    lines: Sequence[Line],
    schema: pa.Schema,
    columns: JsonColumns,
    kind: pa.DataType | None,
    unit: str,
    bare: str | None,
) -> Batch:
    """Parse lines into rows of a schema; `kind` is the type of strokes that nest alike, and `unit` what a line is."""
    names = set(schema.names)
    rows: list[dict[str, Any]] = []
    problems = {}
    for row, (number, text) in enumerate(lines):
        content = _parsed_line(number, text, unit, bare)
        if isinstance(content, dict) and not content.keys() <= names:
            content = f"too many columns: {unit} {number} has names beyond the first {len(names)}"
        if isinstance(content, str):
            problems[row], content = content, {}
        rows.append(content)
    arrays = []
    unread: list[str | None] = [None] * len(rows)
    unread_name = columns.unread
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if field.name == unread_name:
            arrays.append(pa.array(unread, field.type))
        elif field.name == columns.strokes and pa.types.is_nested(field.type) and columns.are_direct:
            arrays.append(_strokes_array(values, kind, problems, unread))
        elif field.name == columns.strokes and pa.types.is_nested(field.type):
            arrays.append(_given_array(values, field.type, problems, unread))
        else:
            arrays.append(_scalar_array(values, field.type))
    return Batch(pa.RecordBatch.from_arrays(arrays, schema=schema), problems)


def _scalar_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        values = [value if value is None or isinstance(value, str) else json_text(value) for value in values]
    return pa.array(values, kind)


def _strokes_array(
    rows: list[Any], kind: pa.DataType | None, problems: dict[int, str], unread: list[str | None]
) -> pa.Array:
    """Convert strokes, and note what is wrong with rows that cannot be drawn.

    Such rows stay as they are if they fit the type; else they become null, and their JSON goes into `unread`.
    """
    drawn = Rows(rows)
    bad = {row: text for row, _, _, text in drawn.problems()}
    problems |= {row: text for row, text in bad.items() if rows[row] is not None}
    lost = [row for row in bad if rows[row] is not None and (kind is None or not _fits(rows[row], kind))]
    for row in lost:
        unread[row] = json_text(rows[row])
    if kind is None:
        return pa.array(drawn.to_penpal())
    rows = list(rows)
    for row in lost:
        rows[row] = None
    return _given_array(rows, kind, problems, unread)


def _given_array(rows: list[Any], kind: pa.DataType, problems: dict[int, str], unread: list[str | None]) -> pa.Array:
    """Convert strokes to a type that holds them, but for numbers that are too large."""
    try:
        return pa.array(rows, kind)
    except (pa.ArrowInvalid, OverflowError):
        # Arrow takes no integers above 2**53 for float64.
        for row, value in enumerate(rows):
            try:
                rows[row] = _with_floats(value)
            except OverflowError as error:
                unread[row] = json_text(value)
                rows[row], problems[row] = None, f"wrong type: a number inside the strokes is too large: {error}"
        return pa.array(rows, kind)


def _fits(value: Any, kind: pa.DataType) -> bool:
    """Whether a type holds a value without a loss."""
    try:
        return _same(pa.array([_with_floats(value)], kind)[0].as_py(), value)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return False


def _same(found: Any, value: Any) -> bool:
    """Whether a value came back from Arrow as it was, but for null and empty fields."""
    if isinstance(value, dict) and isinstance(found, dict):
        return all(_same(found.get(name), one) for name, one in value.items())
    if isinstance(value, list) and isinstance(found, list):
        return len(found) == len(value) and all(map(_same, found, value))
    if value is None or value in ([], {}):
        return not found
    if isinstance(value, (bool, str)) or isinstance(found, (bool, str)):
        return type(found) is type(value) and found == value
    return isinstance(found, float) and (found == float(value) or (found != found and value != value))


def _with_floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_floats(item) for name, item in value.items()}
    return float(value) if type(value) is int else value
