"""Which layout a column has: the one that most of its first rows fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.columns import Columns
from penpal_fast.layouts.direct import NoLayoutError, is_direct_type, may_be_several
from penpal_fast.layouts.fields import DX, DY, X, Y, field_of
from penpal_fast.layouts.flat import MAX_COLUMNS
from penpal_fast.layouts.json_texts import JsonText, arrays_of, parsed
from penpal_fast.layouts.known import LAYOUTS, candidates, names_of
from penpal_fast.layouts.layout import Layout
from penpal_fast.layouts.nested import is_list
from penpal_fast.layouts.offsets import MOSTLY_LIFTS, ORDINALS, flag_column, mostly_lifts
from penpal_fast.layouts.pairs import PairLengths
from penpal_fast.layouts.points import StrokesOfPoints
from penpal_fast.layouts.shape import Shape
from penpal_fast.layouts.untold import Untold

SHOWN_FIELDS = 6
"""Names of fields that an error shows."""

ENOUGH_ROWS = 256
"""Rows after which the layout that most of them fit is taken."""


class Choice(NamedTuple):
    """What was found of a column.

    Attributes:
        layout: Its layout; None if it is direct.
        is_told: Whether its type or a row tells it. Otherwise there are no rows, or all are null or bad, and more rows
            may tell another.
    """

    layout: Layout | None
    is_told: bool = True


class Tally:
    """Counts the rows that fit each layout.

    Attributes:
        rows: Number of rows that were looked at, without those that are null.
        is_silent: Whether none of them holds what may tell a layout: they are null, empty, or texts of no such JSON.
    """

    def __init__(self, name: str | None = None) -> None:
        """Begin without rows; with a name, only the layouts count that it stands for."""
        self.rows = 0
        self.is_silent = True
        self._name = name
        self._fitting: Counter[Layout] = Counter()
        self._alone: Counter[Layout] = Counter()
        self._problems: dict[Layout, str] = {}
        self._unread = ""
        self._missing = ""
        self._is_down = self._is_in_air = False
        self._flags: set[int | None] = set()
        self._pairs = PairLengths()

    @np.errstate(over="ignore", invalid="ignore")  # Numbers that are not finite make their row bad, without a warning.
    def look_at(self, array: pa.Array) -> None:
        """Count rows of Arrow."""
        shape = Shape.of(array)
        self._missing = self._missing or lacking(shape)
        if self._name is None and mostly_lifts(shape):
            self._is_in_air |= shape.is_down
            self._is_down |= not shape.is_down
        self.rows += int(np.asarray(array.is_valid()).sum())  # `null_count` misses the nulls of runs.
        self.is_silent &= not shape.may_tell
        self._pairs.look_at(shape)
        if shape.kind == "numbers":
            self._flags.add(flag_column(shape))
        fitting: dict[Layout, NDArray[np.bool_]] = {}
        for layout in candidates(shape, self._name):
            converted = layout.convert(shape)
            fitting[layout] = converted.fitting
            self._fitting[layout] += int(fitting[layout].sum())
            for problem in converted.problems.values():
                self._problems.setdefault(layout, problem)
        layouts = sum(fits.astype(np.int64) for fits in fitting.values())
        for layout, fits in fitting.items():
            self._alone[layout] += int((fits & (layouts == 1)).sum())

    def look_at_texts(self, texts: pa.Array) -> None:
        """Count rows of JSON text."""
        values, problems = parsed(texts)
        self.look_at_values(values)
        self.rows += len(problems)
        self._unread = self._unread or next(iter(problems.values()), "")

    def look_at_values(self, values: list[Any]) -> None:
        """Count Python values."""
        for _, array in arrays_of(values):
            if isinstance(array, pa.Array):
                self.look_at(array)

    @property
    def best(self) -> list[Layout]:
        """The layouts that most rows fit: one if it is clear, several if it is not, none if no row fits any."""
        most = max(self._fitting.values(), default=0)
        return [layout for layout, count in self._fitting.items() if count == most] if most else []

    @property
    def is_decided(self) -> bool:
        """Whether more rows would hardly change the choice."""
        return self.rows >= ENOUGH_ROWS and len(self.best) == 1

    def choice(self) -> Layout | None:
        """Return the layout; None if no row fits any.

        Raises:
            PenpalError: Rows fit several alike.
        """
        # As many rows speak for what needs no conversion as for something else: those are bad rows.
        direct = [layout for layout in self.best if is_direct_layout(layout) and self._alone[layout]]
        if len(direct) == 1:
            return direct[0]
        pairs: dict[bool, Layout] = {True: StrokesOfPoints(2), False: Columns(2)}
        if set(self.best) == set(pairs.values()) and (are_points := self._pairs.are_points) is not None:
            return pairs[are_points]
        if len(self.best) > 1:
            names = [layout.name for layout in self.best]
            raise PenpalError(
                f"its rows may be {' or '.join(layout.description for layout in self.best)}: all fit both; say which "
                f"with {' or '.join(f'--layout {name}' for name in names)} (layout=)"
            )
        return self.best[0] if self.best else None

    @property
    def near_miss(self) -> str:
        """What rows lack that almost have a layout; empty if there are none."""
        if self._name is not None:
            return ""
        if self._is_down:
            return MOSTLY_LIFTS
        if self._is_in_air:
            return (
                "its pen is not down at the first point of rows, or at several points in turn, as if these were moves "
                "through the air; leave them out and give each point a flag that is 1 where the pen lifts; if they "
                "are the last points of strokes, say so with --layout lifts or --layout offsets (layout=)"
            )
        flags = next(iter(self._flags)) if len(self._flags) == 1 else None
        if flags is not None:
            return (
                f"its rows look like offsets, and the {ORDINALS[flags]} number like the pen's flag; put it last: "
                "(dx, dy, pen lift)"
            )
        return self._missing

    def described(self) -> str:
        """Say why no row fits any layout."""
        if self.near_miss:
            return self.near_miss
        reasons = [f"as {layout.description}: {problem}" for layout, problem in self._problems.items()]
        if self._unread:
            reasons.append(f"as JSON text: {self._unread}")
        return "; ".join(reasons) or "its rows are in no known layout"


def chosen_layout(
    empty: pa.Array, samples: Iterable[pa.Array], name: str | None = None, *, more_follow: bool = False
) -> Choice:
    """Choose the layout of a column.

    Args:
        empty: An empty array of its type.
        samples: Its rows, in order, as far as they are needed.
        name: What `--layout` says.
        more_follow: Whether other rows follow that may tell a layout where these hold nothing.

    Raises:
        NoLayoutError: The column has none, or not the one that is named.
        PenpalError: It may have several.
    """
    is_direct = is_direct_type(empty)
    if is_direct and (pa.types.is_null(empty.type) or (name is None and not may_be_several(empty))):
        return Choice(None)
    shape = Shape.of(empty)
    tally = Tally(name)
    for sample in samples:
        if shape.kind == "text":
            tally.look_at_texts(Shape.of(sample).values[0])
        else:
            tally.look_at(sample)
        if tally.is_decided:
            break
    layout = tally.choice()
    if layout is None:
        return _without_fitting(
            shape, tally, name, is_direct=is_direct, is_silent=tally.is_silent if more_follow else not tally.rows
        )
    if is_direct and is_direct_layout(layout) and (shape.anchors is None or name is None):
        return Choice(None)
    return Choice(JsonText(layout) if shape.kind == "text" else layout)


def _without_fitting(shape: Shape, tally: Tally, name: str | None, *, is_direct: bool, is_silent: bool) -> Choice:
    """Return how to read a column of which no row fits any layout; if it is silent, other rows may tell one."""
    offered = candidates(shape, name)
    if is_direct and (name is None or name in names_of(StrokesOfPoints())):
        if shape.anchors is not None and not is_silent and name is None:
            raise PenpalError(
                "its strokes have an x and y of their own, and their points begin neither there nor at (0, 0): they "
                "may count from there or not; say which with --layout relative or --layout strokes (layout=)"
            )
        return Choice(None, is_told=False)  # Each row gets its problem.
    if offered and not is_silent and name is not None and shape.anchors is not None:
        return Choice(offered[0])  # Anchors say nothing and need not.
    if is_silent and (offered or _is_told_by_rows(shape)):
        return Choice(JsonText(Untold()) if shape.kind == "text" else Untold(), is_told=False)
    if name is not None and not offered and shape.kind != "text":
        raise NoLayoutError(f"it does not have the layout {name!r} ({LAYOUTS.get(name, name)})")
    raise NoLayoutError(tally.described())


def _is_told_by_rows(shape: Shape) -> bool:
    """Whether the values of rows tell what may be offered, not the type alone: texts, points of any size, and lists of
    nulls, as of empty lists in Python.
    """
    kind = shape.values[0].type
    while is_list(kind):
        kind = kind.value_type
    is_bare = pa.types.is_null(kind) and shape.kind != "other"
    return shape.kind == "text" or is_bare or (shape.kind == "numbers" and len(shape.levels) > 2)


def lacking(shape: Shape) -> str:
    """Say what a shape lacks that is almost a layout; empty if it is far from any."""
    lists = len(shape.levels)
    if shape.kind in ("points", "steps") and not lists:
        return (
            "each row is a single point; gather the points of a line in one row first, such as with "
            'table.groupby("line", sort=False).agg(list) of pandas, where "line" says which line a point is in'
        )
    lengths = set(np.unique(shape.levels[1].lengths).tolist()) if shape.kind == "numbers" and lists == 2 else set()
    lengths -= {0}
    if lengths - {2} and _may_be_one_stroke(shape):
        return "its rows look like the columns of one stroke, [[x...], [y...]]; put each stroke in a list of its own"
    if lengths - {2} and not any(length % 2 for length in lengths):
        return "its rows may be strokes as flat lists, [x, y, x, y, ...]; if they are, add --layout flat (layout=)"
    if lengths == {2} or (shape.kind, lists, len(shape.values)) in (("points", 1, 2), ("columns", 0, 2)):
        return (
            "its rows are lists of points, without strokes: put each stroke in a list of its own, or give each point "
            "a flag that is 1 where the pen lifts"
        )
    if shape.kind in ("steps", "step columns") and len(shape.values) == 2:
        return "its offsets (dx, dy) have no flag that is 1 where the pen lifts, such as eos"
    if shape.kind == "nested anchors":
        return "its strokes have an x and y of their own, and what they are in has too; add these up first"
    return _of_other_kind(shape.values[0].type) if shape.kind == "other" else ""


def _of_other_kind(kind: pa.DataType) -> str:
    """Say what the innermost values are, if they are no coordinates."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "its lists hold texts, not numbers"
    if not pa.types.is_struct(kind) or not kind.num_fields:
        return ""
    for pair in ((X, Y), (DX, DY)):
        indices = [field_of(kind, names) for names in pair]
        if None not in indices:
            found = " and ".join(f"{kind.field(index).name!r} {kind.field(index).type}" for index in indices)
            return f"its x and y are not numbers: {found}"
    names = [field.name for field in kind]
    shown = ", ".join(map(repr, names[:SHOWN_FIELDS])) + (", ..." if len(names) > SHOWN_FIELDS else "")
    advice = "rename the coordinates to x and y, or the list of points to points"
    return f"its objects have the fields {shown}, none of which is known to hold points; {advice}"


def _may_be_one_stroke(shape: Shape) -> bool:
    """Whether all rows have from 2 to 4 lists, of equal length."""
    rows, lists = shape.levels
    first = lists.lengths[np.minimum(rows.starts[:-1], len(lists.lengths) - 1)]
    alike = bool((lists.lengths == first[rows.owners()]).all())
    filled = rows.lengths[rows.lengths > 0]
    return alike and int(lists.lengths.max()) > 5 and bool(((filled >= 2) & (filled <= MAX_COLUMNS)).all())


def is_direct_layout(layout: Layout) -> bool:
    """Whether rows of a layout are drawn as they are, if their type allows it."""
    return isinstance(layout, StrokesOfPoints) and layout.size in (None, 2)
