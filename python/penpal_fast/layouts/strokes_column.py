"""The strokes column of a table as checks look at it: converted, unless its layout is direct."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.layouts.coordinate_columns import coordinate_columns_of, joined_columns
from penpal_fast.layouts.direct import NoLayoutError, is_direct_type, may_be_several
from penpal_fast.layouts.huge import without_huge
from penpal_fast.layouts.layout import Layout
from penpal_fast.layouts.nested import WORDS, empty_array, whole
from penpal_fast.layouts.shape import Shape
from penpal_fast.layouts.sharing import check_sharing
from penpal_fast.layouts.soundness import check_sound
from penpal_fast.layouts.untold import Untold
from penpal_fast.schema import Table, check_one_column, no_strokes


class StrokesColumn:
    """How a strokes column is read.

    Attributes:
        layout: Its layout; None if it is direct.
        coordinate_columns: Names of those that hold the strokes together, if there is no column of strokes.
        is_told: Whether the type or a row tells its layout; see `Choice`.
        read_as: Layouts that the reader of the file has converted already.
    """

    def __init__(
        self, column: str, layout: Layout | None, coordinates: Sequence[str] = (), *, is_told: bool = True
    ) -> None:
        """Take the name of the column, its layout, the coordinate columns, and whether the layout is told."""
        self.layout = layout
        self.is_told = is_told
        self.read_as: list[str] = []
        self.coordinate_columns = list(coordinates)
        self._column = column

    @classmethod
    def found(
        cls,
        schema: pa.Schema,
        column: str,
        samples: Iterable[Table],
        layout: str | None = None,
        *,
        more_follow: bool = False,
    ) -> StrokesColumn:
        """Find how a column is read.

        Args:
            schema: The columns.
            column: Name of the strokes column.
            samples: The first rows, as far as they are needed.
            layout: Name of the layout, if it is known.
            more_follow: Whether other rows follow that may tell a layout where these hold nothing.

        Raises:
            PenpalError: There is no such column, or it holds no strokes, or may have several layouts.
        """
        coordinates = coordinate_columns_of(schema, column)
        if not coordinates:
            _check_column(schema, column, samples)
        try:
            names = coordinates or [column]
            rows = (without_huge(_given(sample, column, coordinates))[0] for sample in _sound(samples, names))
            empty = [empty_array(schema.field(name).type) for name in names]
            first = _given(pa.table(empty, names=coordinates), column, coordinates) if coordinates else empty[0]
            if coordinates and pa.types.is_null(first.type):
                return cls(column, Untold(), coordinates)
            if layout is None and is_direct_type(first) and not may_be_several(first):
                return cls(column, None, coordinates)
            from penpal_fast.layouts.choice import chosen_layout

            choice = chosen_layout(first, rows, layout, more_follow=more_follow)
            return cls(column, choice.layout, coordinates, is_told=choice.is_told)
        except NoLayoutError as error:
            raise _not_found(schema, column, coordinates, str(error)) from error
        except PenpalError as error:
            raise PenpalError(f"{_named(column, coordinates)}: {error}") from error
        except (pa.ArrowException, NotImplementedError) as error:
            raise _not_found(schema, column, coordinates, "") from error

    @property
    def name(self) -> str | None:
        """Name of the layout; None if it is direct."""
        return None if self.layout is None else self.layout.name

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """Return the columns as checks see them."""
        if self.layout is None:
            return schema
        field = pa.field(self._column, WORDS)
        if self.coordinate_columns:
            return schema.append(field)
        return schema.set(schema.get_field_index(self._column), field)

    def given(self, rows: Table) -> pa.Array:
        """Return the strokes as they are given."""
        return _given(rows, self._column, self.coordinate_columns)

    @np.errstate(over="ignore", invalid="ignore")
    def converted(self, rows: Table) -> tuple[Table, dict[int, str]]:
        """Return rows as checks see them, and what is wrong with those that do not fit the layout, by index.

        Raises:
            PenpalError: A column that must be converted has broken offsets, or claims far more than there is.
        """
        if self.layout is None:
            return rows, {}
        for name in self.coordinate_columns or [self._column]:
            try:
                check_sound(rows.column(name))
            except pa.ArrowInvalid as error:
                raise PenpalError(f"column {name!r}: it is broken: {error}") from error
            with errors_about(f"column {name!r}"):
                check_sharing(rows, name)
        given, huge = without_huge(self.given(rows))
        converted = self.layout.convert(Shape.of(given))
        problems = {**converted.problems, **huge}
        field = pa.field(self._column, WORDS)
        if self.coordinate_columns:
            return rows.append_column(field, converted.rows), problems
        index = rows.schema.get_field_index(self._column)
        return rows.set_column(index, field, converted.rows), problems


def _given(rows: Table, column: str, coordinates: Sequence[str]) -> pa.Array:
    return joined_columns(rows, coordinates) if coordinates else whole(rows.column(column))


def _sound(samples: Iterable[Table], columns: Sequence[str]) -> Iterator[Table]:
    """Leave out rows with broken offsets, which nothing can be told by; whoever draws them says where."""
    for sample in samples:
        try:
            for name in columns:
                check_sound(sample.column(name))
                check_sharing(sample, name)
        except pa.ArrowInvalid:
            continue
        yield sample


def _check_column(schema: pa.Schema, column: str, samples: Iterable[Table]) -> None:
    try:
        check_one_column(schema, column)
    except PenpalError as error:
        from penpal_fast.layouts.look_alikes import look_alikes

        others = look_alikes(schema, samples) if column not in schema.names else ""
        # What to do comes before the list of columns, which may be long.
        said, listed = str(error).split("\n", 1)
        raise PenpalError("\n".join(filter(None, [said, others, listed]))) from error


def _named(column: str, coordinates: Sequence[str]) -> str:
    return f"the columns {', '.join(map(repr, coordinates))}" if coordinates else f"the column {column!r}"


def _not_found(schema: pa.Schema, column: str, coordinates: Sequence[str], reason: str) -> PenpalError:
    if not coordinates:
        return no_strokes(schema, column, reason)
    try:
        check_one_column(schema, column)
    except PenpalError as error:
        why = f": {reason}" if reason else ""
        return PenpalError(f"{error}\n{_named(column, coordinates)} do not hold them either{why}")
    raise AssertionError
