"""Offsets of the pen: Graves' (dx, dy, end of stroke), Sketch-RNN's stroke-3 and stroke-5, and points with a flag."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.nested import Level, depth_of, numbers, peel, without_rows, words_of_strokes
from penpal_fast.layouts.problems import first_problems
from penpal_fast.layouts.shape import Shape

Numbers = NDArray[np.float64]

MANY_POINTS, MAX_NEGATIVE = 4, 0.05
"""Points from which a row hardly is offsets if no more than this share of x, and of y, is negative."""

MANY_LIFTS, MAX_LIFTS = 8, 0.6
"""Steps from which, and the share of them beyond which, a flag rather says that the pen is down than that it lifts."""

MOSTLY_LIFTS = (
    "its pen would lift after most points; if the flag is 1 while the pen is down, make it 1 where the pen lifts; if "
    "these are dots, say so with --layout, such as --layout offsets-flag-last (layout=)"
)

MAX_IN_AIR = 0.25
"""Share of rows with moves through the air, which dots in a row look like, beyond which no row is read."""

ORDINALS = ("first", "second", "third", "fourth", "fifth")


@dataclasses.dataclass
class Steps:
    """The steps of all rows, one after the other.

    Attributes:
        lengths: Number of steps of each row.
        valid: Which rows are not null.
        values: The numbers of each step [T, numbers]; NaN for steps of rows with problems.
        problems: What is wrong with rows.
        is_down: Whether the third number is 1 while the pen is down, not where it lifts.
    """

    lengths: NDArray[np.int64]
    valid: NDArray[np.bool_]
    values: Numbers
    problems: dict[int, str]
    is_down: bool = False

    @classmethod
    def of(cls, shape: Shape, size: int) -> Steps:
        """Read steps, each of this many numbers."""
        if shape.kind == "numbers":
            return cls._of_lists(shape, size)
        columns, level, problems = list(shape.values), shape.levels[0] if shape.levels else None, {}
        if level is None:  # Each row has the columns dx, dy and flag.
            peeled = [peel(column) for column in columns]
            uneven = np.any([one.lengths != peeled[0][0].lengths for one, _ in peeled], axis=0)
            problems = dict.fromkeys(
                np.flatnonzero(uneven).tolist(), "wrong type: dx, dy and the pen's flag differ in length"
            )
            kept = pa.array(np.arange(len(columns[0])), mask=uneven)
            peeled = [peel(column.take(kept)) for column in columns]
            valid = np.all([one.valid for one, _ in peeled], axis=0)
            level, columns = Level(peeled[0][0].lengths, valid | uneven), [inside for _, inside in peeled]
        found = [numbers(column) for column in columns]
        steps = cls(level.lengths, level.valid, np.stack([values for values, _ in found], axis=1), problems)
        steps.is_down = shape.is_down
        steps._note_nulls(np.any([nulls for _, nulls in found], axis=0))
        return steps

    @classmethod
    def _of_lists(cls, shape: Shape, size: int) -> Steps:
        rows, inner = shape.levels
        values, nulls = numbers(shape.values[0])
        sized = inner.lengths == size
        taken = inner.starts[:-1][sized][:, None] + np.arange(size)
        steps = np.full((len(inner.lengths), size), np.nan)
        steps[sized] = values[taken]
        missing = ~inner.valid
        missing[sized] = nulls[taken].any(axis=1)
        wrong = np.flatnonzero(~sized & inner.valid)
        problems = first_problems(
            rows.owners()[wrong],
            lambda index: f"wrong type: an offset has {inner.lengths[wrong[index]]} numbers; it must have {size}",
        )
        found = cls(rows.lengths, rows.valid, steps, problems)
        found._note_nulls(missing)
        return found

    def _note_nulls(self, nulls: NDArray[np.bool_]) -> None:
        self.problems = dict.fromkeys(np.unique(self.owners[nulls]).tolist(), "null: an offset is null") | self.problems

    @property
    def owners(self) -> NDArray[np.int64]:
        """The row of each step."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Leave the other steps out."""
        self.lengths = np.bincount(self.owners[kept], minlength=len(self.lengths)).astype(np.int64)
        self.values = self.values[kept]

    def turn_flags(self) -> None:
        """Make flags that are 1 while the pen is down those of pen lifts, as they are in lists."""
        if self.is_down:
            flags = self.values[:, 2]
            self.values[:, 2] = np.where(np.isin(flags, (0, 1)), 1 - flags, flags)

    def check_flags(self, columns: tuple[int, ...]) -> None:
        """Give a problem to rows that have a flag that is neither 0 nor 1.

        Steps whose other numbers are NaN are padding, or left to whoever draws the row.
        """
        flags, others = self.values[:, columns], np.delete(self.values, columns, axis=1)
        wrong = np.flatnonzero(~np.isin(flags, (0, 1)).all(axis=1) & ~np.isnan(others).any(axis=1))
        found = first_problems(
            self.owners[wrong],
            lambda index: (
                f"wrong type: the {ORDINALS[columns[0]]} number of an offset, the pen's flag, is "
                f"{flags[wrong[index]][~np.isin(flags[wrong[index]], (0, 1))][0]:g}; it must be 0 or 1"
            ),
        )
        self.problems = found | self.problems

    def converted(self, x: Numbers, y: Numbers, ends: NDArray[np.bool_], speaking: NDArray[np.bool_]) -> Converted:
        """Make strokes of points and of what a stroke ends with."""
        row_ends = np.cumsum(self.lengths)
        bounds = np.union1d(np.flatnonzero(ends) + 1, row_ends[self.lengths > 0])
        lengths = np.diff(bounds, prepend=0)
        of_rows = np.searchsorted(row_ends, bounds - 1, side="right")
        strokes = np.bincount(of_rows, minlength=len(self.lengths)).astype(np.int64)
        levels = [Level(strokes, self.valid), Level(lengths, np.ones(len(lengths), np.bool_))]
        rows = words_of_strokes(levels, x, y, np.zeros(len(x), np.bool_))
        return Converted(without_rows(rows, list(self.problems)), self.problems, speaking)


def without_padding(steps: Numbers) -> Numbers:
    """Return the steps of a row without what it is padded with: zeros or NaN at its end."""
    used = _used(steps)
    return steps[: used[-1] + 1 if len(used) else 0]


def _used(steps: Numbers) -> NDArray[np.intp]:
    """Which steps are neither zeros nor NaN."""
    return np.flatnonzero((steps != 0).any(axis=1) & ~np.isnan(steps).all(axis=1))


def _unpadded(steps: Steps) -> NDArray[np.bool_]:
    """Which steps are not padding."""
    used = _used(steps.values)
    last = np.full(len(steps.lengths), -1)
    last[steps.owners[used]] = used  # The last of equal rows counts.
    return np.arange(len(steps.values)) <= last[steps.owners]


@dataclasses.dataclass(frozen=True)
class Offsets:
    """Offsets (dx, dy, flag), where the flag is 1 with the last point of a stroke.

    Attributes:
        flag_first: Whether the flag is the first of three numbers, not the last.
        y_down: Whether y grows downward, as in Sketch-RNN's stroke-3; in Graves' offsets it grows upward.
        is_named: Whether a caller says so; else rows of little but pen lifts do not speak for it.
    """

    flag_first: bool = False
    y_down: bool = False
    is_named: bool = dataclasses.field(default=False, compare=False)

    @property
    def name(self) -> str:
        """What `--layout` calls it."""
        down = "-y-down" if self.y_down else ""
        return f"offsets-flag-{'first' if self.flag_first else 'last'}{down}"

    @property
    def description(self) -> str:
        """What its rows are."""
        order = "(pen lift, dx, dy)" if self.flag_first else "(dx, dy, pen lift)"
        return f"offsets {order}, y {'down' if self.y_down else 'up'}"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return _are_steps(shape) or _are_lists(shape)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        steps = Steps.of(shape, 3)
        steps.keep(_unpadded(steps))
        downs = _down_otherwise(steps)
        steps.turn_flags()
        dx, dy, flag = (1, 2, 0) if self.flag_first and shape.kind == "numbers" else (0, 1, 2)
        steps.check_flags((flag,))
        ends = steps.values[:, flag] > 0.5
        found = _summed(steps, dx, dy, ends, y_down=self.y_down)
        return found if self.is_named else found.but_not(_mostly_lifts(steps, ends) | downs)


@dataclasses.dataclass(frozen=True)
class Stroke5:
    """Sketch-RNN's stroke-5: offsets (dx, dy, pen down, pen up, end of drawing), y growing downward."""

    name: str = "stroke-5"
    description: str = "stroke-5 (dx, dy, pen down, pen up, end), y down (Sketch-RNN)"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return _are_lists(shape)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows. The step that ends a drawing, and all behind it, are not drawn."""
        steps = Steps.of(shape, 5)
        steps.check_flags((2, 3, 4))
        _leave_out_ended(steps)
        steps.keep(_unpadded(steps))
        return _summed(steps, 0, 1, steps.values[:, 3] == 1, y_down=True)


@dataclasses.dataclass(frozen=True)
class Lifts:
    """Points (x, y, flag), not offsets, where the flag is 1 with the last point of a stroke; y grows downward.

    They may have the three flags of stroke-5 instead.

    Attributes:
        size: How many numbers a point has, if it is a list.
        is_named: Whether a caller says so; else rows of little but pen lifts do not speak for it.
        is_guess: Whether lists of three numbers may be offsets too: then only rows with hardly any negative number
            speak for points, if one of them is long, as no hand moves only to the right and up.
    """

    size: int = 3
    is_named: bool = dataclasses.field(default=False, compare=False)
    is_guess: bool = False
    name: str = "lifts"
    description: str = "points (x, y, pen lift), where the pen lifts at 1"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return _are_points(shape) or _are_lists(shape)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        size = self.size if shape.kind == "numbers" else 3
        steps = Steps.of(shape, size)
        downs = _down_otherwise(steps)
        steps.turn_flags()
        steps.check_flags(tuple(range(2, size)))
        if size == 5:
            _leave_out_ended(steps)
        if shape.kind == "numbers":
            steps.keep(_unpadded(steps))
        x, y, flags = steps.values[:, [0, 1, size // 2 + 1]].T
        speaking = steps.lengths > 0
        if not self.is_named and size == 3:
            speaking &= ~_mostly_lifts(steps, flags > 0.5) & ~downs
        if self.is_guess:
            few = MAX_NEGATIVE * steps.lengths
            counts = [np.bincount(steps.owners[axis < 0], minlength=len(speaking)) for axis in (x, y)]
            positive = (counts[0] <= few) & (counts[1] <= few)
            speaking &= positive & bool((positive & (steps.lengths >= MANY_POINTS)).any())
        return steps.converted(x, y, flags > 0.5, speaking)


def _leave_out_ended(steps: Steps) -> None:
    """Leave out the step of stroke-5 that ends a drawing, and all behind it."""
    ended = np.flatnonzero(steps.values[:, 4] == 1)
    end = np.full(len(steps.lengths), len(steps.values))
    np.minimum.at(end, steps.owners[ended], ended)
    steps.keep(np.arange(len(steps.values)) < end[steps.owners])


def would_mostly_lift(lifts: int, steps: int) -> bool:
    """Whether so many pen lifts at so many steps leave hardly anything but dots."""
    return steps >= MANY_LIFTS and lifts > MAX_LIFTS * steps


def _mostly_lifts(steps: Steps, ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows would have hardly anything but dots, or all if they would together: their flag says pen down."""
    lifts = np.bincount(steps.owners[ends], minlength=len(steps.lengths))
    mostly = lifts > MAX_LIFTS * steps.lengths
    count = len(steps.values)
    return mostly & (steps.lengths >= MANY_LIFTS) | would_mostly_lift(int(ends.sum()), count)


def _down_otherwise(steps: Steps) -> NDArray[np.bool_]:
    """Which rows have a flag that is 1 while the pen is down, but not with every point but the last of a stroke.

    They begin with a point that the pen was not down for, or have several such in a row: these are moves through the
    air, or the first points of strokes.
    """
    found = np.zeros(len(steps.lengths), np.bool_)
    if not steps.is_down or not len(steps.values):
        return found
    up, owners = steps.values[:, 2] == 0, steps.owners
    first = np.append(True, np.diff(owners) > 0)
    long = steps.lengths > 1
    found[owners[up & (first | np.append(False, up[:-1]))]] = True
    found &= long
    return found | bool(found.sum() > MAX_IN_AIR * (steps.lengths > 0).sum())


def mostly_lifts(shape: Shape) -> bool:
    """Whether a shape has rows of offsets, or of points, with a flag that rather is 1 while the pen is down."""
    for layout in (Offsets(), Offsets(flag_first=True), Lifts()):
        if layout.takes(shape):
            named = dataclasses.replace(layout, is_named=True).convert(shape)
            if (named.fitting & ~layout.convert(shape).fitting).any():
                return True
    return False


def _are_lists(shape: Shape) -> bool:
    return shape.kind == "numbers" and len(shape.levels) == 2


def _are_steps(shape: Shape) -> bool:
    lists = {"steps": 1, "step columns": 0}.get(shape.kind)
    return len(shape.levels) == lists and len(shape.values) == 3 and are_flat(shape)


def _are_points(shape: Shape) -> bool:
    """Whether rows are points, or columns of them, with a flag and without strokes."""
    lists = {"points": 1, "columns": 0}.get(shape.kind)
    return len(shape.levels) == lists and len(shape.values) == 3 and are_flat(shape)


def are_flat(shape: Shape) -> bool:
    """Whether all columns of a row are lists of numbers, or all fields numbers."""
    return {depth_of(values.type) for values in shape.values} == {1 - len(shape.levels)}


def _summed(steps: Steps, dx: int, dy: int, ends: NDArray[np.bool_], *, y_down: bool) -> Converted:
    """Add up the offsets of each row, on its own: NaN in a row must not reach the next."""
    x, y = np.empty((2, len(steps.values)))
    start = 0
    for length in steps.lengths.tolist():
        stop = start + length
        np.cumsum(steps.values[start:stop, dx], out=x[start:stop])
        np.cumsum(steps.values[start:stop, dy] * (1.0 if y_down else -1.0), out=y[start:stop])
        start = stop
    return steps.converted(x, y, ends, steps.lengths > 0)


def flag_column(shape: Shape) -> int | None:
    """Return the only column of offsets that is 0 or 1 everywhere; None if there is none, or several."""
    if shape.kind != "numbers" or len(shape.levels) != 2:
        return None
    lengths = shape.levels[1].lengths
    if not len(lengths) or (lengths != lengths[0]).any() or not lengths[0]:
        return None
    columns = numbers(shape.values[0])[0].reshape(-1, lengths[0])
    flags = np.flatnonzero(np.isin(columns, (0, 1)).all(axis=0))
    return int(flags[0]) if len(flags) == 1 else None
