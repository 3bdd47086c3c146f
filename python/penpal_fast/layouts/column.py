"""The strokes column of a table as checks look at it: converted, if its layout is not one that is drawn as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.choice import NoLayoutError, chosen_layout, empty_array
from penpal_fast.layouts.layout import Layout
from penpal_fast.layouts.nested import WORDS
from penpal_fast.layouts.shape import Shape
from penpal_fast.schema import check_one_column, no_strokes

Table: TypeAlias = pa.RecordBatch | pa.Table


class StrokesColumn:
    """How a strokes column is read.

    Attributes:
        layout: Its layout; None if it is drawn as it is.
    """

    def __init__(self, column: str, layout: Layout | None) -> None:
        """Take the name of the column and its layout."""
        self.layout = layout
        self._column = column

    @classmethod
    def found(
        cls, schema: pa.Schema, column: str, samples: Iterable[Table], layout: str | None = None
    ) -> StrokesColumn:
        """Find how a column is read.

        Args:
            schema: The columns.
            column: Name of the strokes column.
            samples: The first rows, as far as they are needed.
            layout: Name of the layout, if it is known.

        Raises:
            PenpalError: There is no such column, or it holds no strokes, or may have several layouts.
        """
        check_one_column(schema, column)
        kind = schema.field(column).type
        try:
            rows = _sound(_whole(sample.column(column)) for sample in samples)
            return cls(column, chosen_layout(empty_array(kind), rows, layout))
        except NoLayoutError as error:
            raise no_strokes(schema, column, str(error)) from error
        except PenpalError as error:
            raise PenpalError(f"the column {column!r}: {error}") from error
        except (pa.ArrowException, NotImplementedError) as error:
            raise no_strokes(schema, column) from error

    @property
    def name(self) -> str | None:
        """Name of the layout; None if the column is drawn as it is."""
        return None if self.layout is None else self.layout.name

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """Return the columns as checks see them."""
        if self.layout is None:
            return schema
        place = schema.get_field_index(self._column)
        return schema.set(place, pa.field(self._column, WORDS))

    def drawn(self, rows: Table) -> tuple[Table, dict[int, str]]:
        """Return rows as checks see them, and what is wrong with those that do not fit the layout, by index.

        Raises:
            PenpalError: A column that must be converted has broken offsets.
        """
        if self.layout is None:
            return rows, {}
        place = rows.schema.get_field_index(self._column)
        column = _whole(rows.column(place))
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise PenpalError(f"column {self._column!r}: it is broken: {error}") from error
        converted = self.layout.convert(Shape.of(column))
        return rows.set_column(place, pa.field(self._column, WORDS), converted.rows), converted.problems


def _sound(columns: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """Leave out arrays with broken offsets, which nothing can be told by; whoever draws them says where."""
    for column in columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            continue
        yield column


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [empty_array(column.type)])
