"""Path data of SVG: from commands to the control points of lines and curves, and from these to points.

The grammar and the arcs are those of https://www.w3.org/TR/SVG11/paths.html and its appendix F.6.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import MAX_POINTS
from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.ink import Stroke

COMMANDS = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*)")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
ARC = re.compile(rf"[\s,]*({NUMBER.pattern})" * 3 + r"[\s,]*([01])" * 2 + rf"[\s,]*({NUMBER.pattern})" * 2)
SEPARATORS = " \t\r\n\f,"

NUMBERS_OF = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
"""Numbers of each command."""

POINTS_OF = {"M": 4, "Z": 4, "C": 8, "S": 8, "Q": 8, "T": 8, "A": 64}
"""Points that a command counts for, of the most that a row may have, as it takes their time; a line counts for one."""

MAX_STEPS = 100
"""Maximum number of lines that a curve becomes."""

Points = NDArray[np.float64]


@dataclasses.dataclass
class Subpath:
    """What is drawn without lifting the pen.

    Attributes:
        start: Where it begins, x + yi.
        pieces: Degree and control points of each piece: any number of points for lines (1), 3 for a quadratic curve
            (2), 4 for a cubic one (3). Each begins where the one before ends.
        is_closed: Whether it ends with a line to its beginning.
    """

    start: complex
    pieces: list[tuple[int, list[complex]]] = dataclasses.field(default_factory=list)
    is_closed: bool = False

    def add(self, degree: int, *points: complex) -> None:
        """Add a piece that begins where the pen is."""
        if degree == 1 and self.pieces and self.pieces[-1][0] == 1:
            self.pieces[-1][1].extend(points[1:])
        else:
            self.pieces.append((degree, list(points)))


@dataclasses.dataclass(frozen=True)
class Placed:
    """A subpath on the drawing: its first point [1, 2], and the control points of its pieces with their degree."""

    start: Points
    pieces: list[tuple[int, Points]]

    @classmethod
    def of(cls, path: Subpath, matrix: Points) -> Placed:
        """Apply an affine transform [2, 3]."""
        placed = []
        for degree, points in [(1, [path.start]), *path.pieces]:
            values = np.array(points)
            placed.append((degree, np.stack([values.real, values.imag], axis=1) @ matrix[:, :2].T + matrix[:, 2]))
        return cls(placed[0][1], placed[1:])

    def flattened(self, tolerance: float) -> Stroke:
        """Return points whose lines are no farther than a tolerance from the curves."""
        found = [self.start]
        found += [
            points[1:] if degree == 1 else _flattened(degree, points, tolerance) for degree, points in self.pieces
        ]
        return np.concatenate(found)


def _flattened(degree: int, points: Points, tolerance: float) -> Points:
    """Points of a Bezier curve after its first. The error of N equal steps is d (d - 1) / 8 of the largest second
    difference of the control points, over N squared."""
    bend = float(np.hypot(*np.diff(points, n=2, axis=0).T).max())
    steps = math.ceil(min(MAX_STEPS, math.sqrt(degree * (degree - 1) / 8 * bend / tolerance))) if tolerance else 1
    t = np.arange(1, max(1, steps) + 1)[:, None] / max(1, steps)
    for _ in range(degree):  # De Casteljau's algorithm, for all t at once.
        points = points[..., :-1, :] + (points[..., 1:, :] - points[..., :-1, :]) * t.reshape(-1, 1, 1)
    return points[..., 0, :]


def subpaths(data: str) -> list[Subpath]:
    """Parse path data. A subpath without a line or curve draws nothing, so it is left out: with such a lone point at
    (0, 0) begin the paths of some generators of handwriting.

    Raises:
        PenpalError: It is no path data, or has too many commands.
    """
    pen = _Pen()
    end = 0
    for found in COMMANDS.finditer(data):
        if data[end : found.start()].strip(SEPARATORS):
            break
        end = found.end()
        pen.take(found[1], _numbers(found[1], found[2], pen.left(found[1])))
    if data[end:].strip(SEPARATORS):
        raise PenpalError(f"the path data has {data[end:].strip()[:20]!r}, which is no command")
    return [one for one in pen.found if one.pieces or one.is_closed]


def _numbers(command: str, text: str, most: int) -> list[list[float]]:
    """Return the numbers of a command, once for each time that it is repeated, at most so often."""
    pattern, count = (ARC, 1) if command in "Aa" else (NUMBER, NUMBERS_OF[command.upper()])
    found = list(itertools.islice(pattern.finditer(text), most * count + 1))
    if len(found) > most * count and count:
        raise PenpalError("a path has too many commands; divide it")
    if len(found) % count if count else found:
        raise PenpalError(f"the path data has {len(found)} numbers after {command!r}; it takes {count}")
    if pattern.sub("", text).strip(SEPARATORS) or (count and not found):
        raise PenpalError(f"the path data has {text.strip()[:20]!r} after {command!r}, which are not its numbers")
    if pattern is ARC:
        values = [list(map(float, one.groups())) for one in found]
    else:
        numbers = [float(one[0]) for one in found]
        values = [numbers[start : start + count] for start in range(0, len(numbers), count or 1)]
    if not all(map(math.isfinite, itertools.chain.from_iterable(values))):
        raise PenpalError("the path data has numbers that are too large")
    return values or [[]]


class _Pen:
    """Where the pen is, and what it has drawn."""

    def __init__(self) -> None:
        self.found: list[Subpath] = []
        self._at = 0j
        self._control: tuple[str, complex] = ("", 0j)  # Last control point, and of which curves.
        self._points = 0

    def left(self, command: str) -> int:
        """How often a command may still be repeated."""
        return max(0, MAX_POINTS - self._points) // POINTS_OF.get(command.upper(), 1)

    def take(self, command: str, groups: list[list[float]]) -> None:
        upper = command.upper()
        if not self.found and upper != "M":
            raise PenpalError(f"the path data begins with {command!r}; it must begin with 'M'")
        self._points += len(groups) * POINTS_OF.get(upper, 1)
        for number, group in enumerate(groups):
            base = self._at if command.islower() else 0j
            if upper == "M" and number == 0:
                self._at = base + complex(*group)
                self.found.append(Subpath(self._at))
            elif upper == "Z":
                self._close()
            else:
                self._draw("L" if upper == "M" else upper, base, group)

    def _close(self) -> None:
        path = self.found[-1]
        if path.pieces and self._at != path.start:
            path.add(1, self._at, path.start)
        path.is_closed = True
        self._at = path.start
        self._control = ("", 0j)

    def _draw(self, command: str, base: complex, numbers: list[float]) -> None:
        if self.found[-1].is_closed:
            self.found.append(Subpath(self._at))
        path, at = self.found[-1], self._at
        if command == "H":
            end = complex(numbers[0] + base.real, at.imag)
        elif command == "V":
            end = complex(at.real, numbers[0] + base.imag)
        else:
            end = base + complex(*numbers[-2:])
        control = at
        kinds = ""
        if command in "CS":
            kinds = "CS"
            first = base + complex(*numbers[:2]) if command == "C" else self._mirrored(kinds)
            control = base + complex(*numbers[-4:-2])
            path.add(3, at, first, control, end)
        elif command in "QT":
            kinds = "QT"
            control = base + complex(*numbers[:2]) if command == "Q" else self._mirrored(kinds)
            path.add(2, at, control, end)
        elif command == "A":
            for curve in _arc(at, numbers, end):
                path.add(len(curve) - 1, *curve)
        else:
            path.add(1, at, end)
        self._at, self._control = end, (kinds, control)

    def _mirrored(self, kinds: str) -> complex:
        """The control point that continues the curve before, if it is of the same kind."""
        return 2 * self._at - self._control[1] if self._control[0] == kinds else self._at


def _arc(start: complex, numbers: list[float], end: complex) -> list[tuple[complex, ...]]:
    """Turn an elliptical arc into cubic curves of at most a quarter turn each."""
    rx, ry, angle, is_large, is_clockwise = abs(numbers[0]), abs(numbers[1]), *numbers[2:5]
    if start == end:
        return []
    if not rx or not ry:
        return [(start, end)]
    turn = complex(math.cos(math.radians(angle)), math.sin(math.radians(angle)))
    half = (start - end) / 2 / turn
    x, y = half.real / rx, half.imag / ry  # On the circle that the ellipse is made from.
    size = math.hypot(x, y)
    if size > 1:
        rx, ry, x, y = rx * size, ry * size, x / size, y / size
        size = 1.0
    side = -1 if bool(is_large) == bool(is_clockwise) else 1
    distance = side * math.sqrt(max(0.0, 1 / (size * size) - 1)) if size else 0.0
    centre = complex(distance * y, -distance * x)
    first = math.atan2(y - centre.imag, x - centre.real)
    sweep = math.atan2(-y - centre.imag, -x - centre.real) - first
    if is_clockwise and sweep < 0:
        sweep += 2 * math.pi
    elif not is_clockwise and sweep > 0:
        sweep -= 2 * math.pi
    count = max(1, math.ceil(abs(sweep) / (math.pi / 2) - 1e-9))
    step = sweep / count
    reach = 4 / 3 * math.tan(step / 4)
    middle = (start + end) / 2

    def placed(point: complex) -> complex:
        point += centre
        return complex(point.real * rx, point.imag * ry) * turn + middle

    curves: list[tuple[complex, ...]] = []
    for number in range(count):
        one, two = (complex(math.cos(a), math.sin(a)) for a in (first + number * step, first + (number + 1) * step))
        inner = (placed(one * (1 + 1j * reach)), placed(two * (1 - 1j * reach)))
        curves.append((start if number == 0 else placed(one), *inner, end if number == count - 1 else placed(two)))
    return curves
