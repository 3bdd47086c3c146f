"""SVG: a row for the whole drawing, or for each of its paths."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.format import Content, Format, Options
from penpal_fast.sources.formats.ink import Ink, check_points, ink_content
from penpal_fast.sources.formats.svg_path import NUMBER, Placed, Subpath, subpaths
from penpal_fast.sources.formats.xml_events import Start, xml_events
from penpal_fast.sources.packing import unpacked
from penpal_fast.sources.readable_file import ReadableFile

UNDRAWN = {"defs", "clipPath", "mask", "marker", "pattern", "symbol", "metadata", "filter", "linearGradient", "style"}
"""Elements whose content is not drawn where it stands."""

INHERITED = ("fill", "stroke", "display", "visibility", "class")

TOLERANCE = 1 / 4000
"""How far points may be from a curve, as a share of the drawing's larger side: 0.06 pixels of the canvas."""

BODY = (0.2, 0.8)
"""Share of a path's points above its body, and above the end of it: tall letters may reach into the line above."""

SEVERAL_LINES = (
    "one row for each drawing, though its paths lie on several lines; if each path is a row, make a file of such rows "
    "with penpal-fast convert --each-path (each_path=True)"
)

TRANSFORM = re.compile(r"([A-Za-z]+)\s*\(([^()]*)\)")

Matrix = NDArray[np.float64]
"""An affine transform [2, 3]."""


@dataclasses.dataclass(frozen=True)
class _State:
    """What elements inherit."""

    matrix: Matrix
    style: dict[str, str]
    is_undrawn: bool = False

    def within(self, element: Start) -> _State:
        """The state inside an element."""
        given = element.attributes
        declared = (one.partition(":")[::2] for one in given.get("style", "").split(";"))
        found = {**given, **{name.strip(): value.strip() for name, value in declared}}
        style = {**self.style, **{name: found[name] for name in INHERITED if name in found}}
        matrix = _joined(self.matrix, _transform(given.get("transform", "")))
        if element.name == "svg":
            matrix = _joined(matrix, _matrix(1, 0, 0, 1, _length(given.get("x")), _length(given.get("y"))))
        is_undrawn = self.is_undrawn or element.name in UNDRAWN or style.get("display") == "none"
        return _State(matrix, style, is_undrawn)

    @property
    def is_outline(self) -> bool:
        """Whether shapes are filled and not stroked, and say so: then a path runs around the ink."""
        fill, stroke = (self.style.get(name) for name in ("fill", "stroke"))
        return fill not in (None, "none") and stroke in (None, "none") and "class" not in self.style


@dataclasses.dataclass
class _Shape:
    """What an element draws."""

    id: str | None
    paths: list[Placed]
    is_outline: bool


def _open(file: ReadableFile, options: Options) -> Content:
    read_as: list[str] = []
    return ink_content(lambda file, options: _read(file, options, read_as), read_as)(file, options)


def _read(file: ReadableFile, options: Options, read_as: list[str]) -> Iterator[Ink]:
    """Yield the rows, and note what to say of them."""
    name = None
    shapes: list[_Shape] = []
    for root, shape in _shapes(file):
        if options.each_path:
            yield Ink(_strokes([shape]), id=shape.id)
        else:
            name = root
            shapes.append(shape)
    if not options.each_path:
        yield Ink(_strokes(shapes), id=name)
        read_as[:] = [SEVERAL_LINES] if _are_on_several_lines(shapes) else []


def _shapes(file: ReadableFile) -> Iterator[tuple[str | None, _Shape]]:
    """Yield what is drawn, in order, each with the drawing's id."""
    states = [_State(_matrix(1, 0, 0, 1, 0, 0), {})]
    root = None
    with unpacked(file) as opened:
        for event in xml_events(opened):
            if not isinstance(event, Start):
                states.pop()
                continue
            if len(states) == 1:
                if event.name != "svg":
                    raise PenpalError(f"its first element is <{event.name}>, not <svg>")
                root = event.attributes.get("id")
            states.append(state := states[-1].within(event))
            if state.is_undrawn or state.style.get("visibility") in ("hidden", "collapse"):
                continue
            if event.name == "use":
                raise PenpalError("it has <use> elements, which are not read; expand them, such as with Inkscape")
            if paths := _paths(event, state):
                moved = [Placed.of(path, state.matrix) for path in paths]
                yield root, _Shape(event.attributes.get("id"), moved, state.is_outline and event.name == "path")


def _paths(element: Start, state: _State) -> list[Subpath]:
    """Return what an element draws. Rectangles are left out: they are backgrounds and frames."""
    given = element.attributes
    if element.name == "path":
        data = given.get("d", "")
        return subpaths(data) if data.strip() != "none" else []
    if element.name in ("polyline", "polygon"):
        numbers = NUMBER.findall(given.get("points", ""))
        data = "M" + " ".join(numbers[: len(numbers) // 2 * 2]) + ("Z" if element.name == "polygon" else "")
        return subpaths(data) if len(numbers) > 1 else []
    if element.name == "line":
        ends = [complex(_length(given.get(f"x{end}")), _length(given.get(f"y{end}"))) for end in (1, 2)]
        line = Subpath(ends[0])
        line.add(1, *ends)
        return [line]
    if element.name in ("circle", "ellipse"):
        return [_round(given, is_filled=state.style.get("fill") != "none")]
    return []


def _round(given: dict[str, str], *, is_filled: bool) -> Subpath:
    """Return an ellipse: a dot if it is filled, as a pen makes it, else its outline."""
    x, y = _length(given.get("cx")), _length(given.get("cy"))
    if is_filled:
        return Subpath(complex(x, y), is_closed=True)
    rx, ry = (_length(given.get(name, given.get("r"))) for name in ("rx", "ry"))
    (outline,) = subpaths(f"M{x + rx!r} {y!r}a{rx!r} {ry!r} 0 0 1 {-2 * rx!r} 0a{rx!r} {ry!r} 0 0 1 {2 * rx!r} 0z")
    return outline


def _strokes(shapes: list[_Shape]) -> list[NDArray[np.float64]]:
    if shapes and all(shape.is_outline for shape in shapes):
        raise PenpalError(
            "its paths are filled and not stroked, so they run around the ink instead of along the pen's way; save "
            "the drawing with strokes"
        )
    paths = [path for shape in shapes for path in shape.paths]
    controls = [points for path in paths for _, points in [(1, path.start), *path.pieces]]
    check_points(sum(map(len, controls)))
    if not controls:
        return []
    size = float(np.ptp(np.concatenate(controls), axis=0).max())
    strokes, count = [], 0
    for path in paths:
        strokes.append(path.flattened(size * TOLERANCE if math.isfinite(size) else 0.0))
        check_points(count := count + len(strokes[-1]))
    return strokes


def _are_on_several_lines(shapes: list[_Shape]) -> bool:
    """Whether some paths lie below others of about their height, as lines of a text do, but not dots and letters."""
    bodies = []
    for shape in shapes:
        pieces = [points for path in shape.paths for points in (path.start, *(points[1:] for _, points in path.pieces))]
        bodies.append(np.quantile(np.concatenate(pieces)[:, 1], BODY))
    lines: list[list[float]] = []
    for top, bottom in sorted(map(tuple, bodies)):
        if lines and top <= lines[-1][1]:
            lines[-1][1] = max(lines[-1][1], bottom)
        else:
            lines.append([top, bottom])
    heights = np.array([bottom - top for top, bottom in lines])
    return int((heights > heights.max(initial=0) / 3).sum()) > 1


def _transform(text: str) -> Matrix:
    matrix = _matrix(1, 0, 0, 1, 0, 0)
    for name, inside in TRANSFORM.findall(text):
        matrix = _joined(matrix, _one_transform(name, [float(number) for number in NUMBER.findall(inside)]))
    if TRANSFORM.sub("", text).strip(" \t\r\n,") not in ("", "none"):
        raise PenpalError(f"cannot read the transform {text[:40]!r}")
    return matrix


def _one_transform(name: str, numbers: list[float]) -> Matrix:
    count = len(numbers)
    if name == "matrix" and count == 6:
        return _matrix(*numbers)
    if name == "translate" and count in (1, 2):
        return _matrix(1, 0, 0, 1, numbers[0], numbers[1] if count == 2 else 0)
    if name == "scale" and count in (1, 2):
        return _matrix(numbers[0], 0, 0, numbers[-1], 0, 0)
    if name in ("skewX", "skewY") and count == 1:
        slope = math.tan(math.radians(numbers[0]))
        return _matrix(1, slope if name == "skewY" else 0, slope if name == "skewX" else 0, 1, 0, 0)
    if name == "rotate" and count in (1, 3):
        cos, sin = math.cos(math.radians(numbers[0])), math.sin(math.radians(numbers[0]))
        x, y = numbers[1:] or (0.0, 0.0)
        return _matrix(cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)
    raise PenpalError(f"cannot read the transform {name}({', '.join(map(str, numbers[:6]))})")


def _matrix(a: float, b: float, c: float, d: float, e: float, f: float) -> Matrix:
    return np.array([[a, c, e], [b, d, f]], dtype=np.float64)


def _joined(outer: Matrix, inner: Matrix) -> Matrix:
    result: Matrix = outer[:, :2] @ inner
    result[:, 2] += outer[:, 2]
    return result


def _length(text: str | None) -> float:
    """Return a length in pixels."""
    try:
        value = float((text or "0").strip().removesuffix("px"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PenpalError(f"cannot read the length {text[:20] if text else ''!r}; give it in pixels")
    return value


SVG = Format("SVG", (".svg", ".svgz"), _open)
