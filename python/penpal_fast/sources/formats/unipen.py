"""UNIPEN: a row for each segment of the highest level that has labels, or one for a file without any.

The format is http://unipen.nici.ru.nl/unipen.def. Its y grows upward.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np

from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.format import Format, Options
from penpal_fast.sources.formats.ink import Ink, Stroke, check_points, ink_content
from penpal_fast.sources.readable_file import ReadableFile

MAX_BYTES = 256 << 20
"""Maximum size of a file."""

SEGMENT = re.compile(r'(?P<level>\S+)\s+(?P<parts>[-0-9:,\s]+?)(?:\s+[^\s"]+)?\s*(?:"(?P<label>(?:[^"\\]|\\.)*)")?\s*')
PART = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?")
LEVELS = ("PAGE", "PARAGRAPH", "TEXT", "SENTENCE", "LINE", "PHRASE", "WORD", "GLYPH", "CHARACTER")
"""Usual levels, the highest first, for files without .HIERARCHY."""

STARTS = re.compile(rb"\s*\.(VERSION|COMMENT|DATA_SOURCE|HIERARCHY|COORD|KEYWORD|PEN_DOWN|INCLUDE|SEGMENT)\b")


@dataclasses.dataclass
class _Component:
    """Points with the pen down or up."""

    is_down: bool
    numbers: list[str] = dataclasses.field(default_factory=list)
    points: Stroke = dataclasses.field(default_factory=lambda: np.empty((0, 2)))


@dataclasses.dataclass
class _Segment:
    level: str
    parts: str
    label: str | None


class _Reader:
    """Follows the keywords of a file."""

    def __init__(self) -> None:
        self.components: list[_Component] = []
        self.segments: list[_Segment] = []
        self.levels: list[str] = list(LEVELS)
        self._channels = ["X", "Y"]
        self._is_open = False

    def take(self, keyword: str, text: str) -> None:
        if keyword in ("PEN_DOWN", "PEN_UP"):
            self._end()
            self.components.append(_Component(keyword == "PEN_DOWN", text.split()))
            self._is_open = True
        elif keyword == "DT" and self._is_open:
            self.components[-1].numbers += text.split()[1:]
        elif keyword == "COORD":
            self._end()
            self._channels = text.upper().split()
            if "X" not in self._channels or "Y" not in self._channels:
                raise PenpalError(f".COORD names no X and Y, but {text.strip()[:40]}")
        elif keyword == "HIERARCHY":
            self.levels = text.upper().split()
        elif keyword == "SEGMENT":
            self.segments.append(_segment(text))
        elif keyword == "INCLUDE":
            raise PenpalError(f"its ink is in another file, {text.strip()[:80]!r}; put the content in its place")

    def _end(self) -> None:
        """Turn the numbers of the last component into points."""
        if not self._is_open:
            return
        self._is_open = False
        component, width = self.components[-1], len(self._channels)
        count = len(component.numbers)
        if count % width:
            raise PenpalError(
                f"component {len(self.components) - 1} has {count} numbers; points have {width}: "
                f"{' '.join(self._channels)}"
            )
        try:
            values = np.array(component.numbers, dtype=np.float64).reshape(-1, width)
        except ValueError as error:
            raise PenpalError(f"component {len(self.components) - 1}: {error}") from error
        component.points = values[:, [self._channels.index("X"), self._channels.index("Y")]] * (1, -1)
        component.numbers = []

    def rows(self) -> Iterator[Ink]:
        self._end()
        labelled = {segment.level for segment in self.segments if segment.label}
        known = [level for level in self.levels if level in labelled] or sorted(labelled)
        if not known:
            down = [one.points for one in self.components if one.is_down and len(one.points)]
            check_points(sum(map(len, down)))
            yield Ink(down)
            return
        chosen = [segment for segment in self.segments if segment.level == known[0]]
        components = self._numbered(chosen)
        for segment in chosen:
            strokes = list(_strokes(components, segment))
            yield Ink(strokes, segment.label or None, f"{segment.level} {' '.join(segment.parts.split())}")

    def _numbered(self, segments: list[_Segment]) -> list[_Component]:
        """Return the components as segments number them: writers count all of them, or those with the pen down."""
        last = max((_last(segment) for segment in segments), default=0)
        down = [one for one in self.components if one.is_down]
        filled = [one for one in self.components if one.is_down or len(one.points)]
        for counted in (down, filled, self.components):
            if last < len(counted):
                return counted
        raise PenpalError(f"a segment refers to component {last}; there are {len(self.components)}")


def _segment(text: str) -> _Segment:
    found = SEGMENT.fullmatch(text.strip())
    if not found:
        raise PenpalError(f"cannot read the segment {text.strip()[:60]!r}")
    label = found["label"]
    return _Segment(found["level"].upper(), found["parts"], label and re.sub(r"\\(.)", r"\1", label))


def _last(segment: _Segment) -> int:
    return max(int(end or first) for first, _, end, _ in PART.findall(segment.parts))


def _strokes(components: list[_Component], segment: _Segment) -> Iterator[Stroke]:
    """Yield the strokes of a segment: its components with the pen down, the first and the last cut where it says so."""
    count = 0
    for first, first_point, end, end_point in PART.findall(segment.parts):
        for place in range(int(first), int(end or first) + 1):
            points = components[place].points
            stop = int(end_point) + 1 if end_point and place == int(end) else len(points)
            start = int(first_point) if first_point and place == int(first) else 0
            if components[place].is_down and len(points[start:stop]):
                check_points(count := count + stop - start)
                yield points[start:stop]


def _read(file: ReadableFile, _options: Options) -> Iterator[Ink]:
    if file.size > MAX_BYTES:
        raise PenpalError(f"it has more than {MAX_BYTES >> 20} MB; divide it")
    with file.open(in_order=True) as opened:
        content = opened.read(MAX_BYTES)
    if not STARTS.match(content):
        raise PenpalError("it does not begin with a keyword of UNIPEN, such as .VERSION")
    reader = _Reader()
    # A keyword begins a line; what follows it may go on over many.
    for block in re.split(r"^\s*\.(?=[A-Z])", content.decode("latin-1").replace("\r", "\n"), flags=re.MULTILINE)[1:]:
        keyword, _, text = block.partition("\n") if not re.match(r"\w+[ \t]", block) else _cut(block)
        reader.take(keyword.strip(), text)
    yield from reader.rows()


def _cut(block: str) -> tuple[str, str, str]:
    keyword, space, text = re.split(r"([ \t])", block, maxsplit=1)
    return keyword, space, text


UNIPEN = Format("UNIPEN", (".unp", ".unipen"), ink_content(_read), begins=lambda start: bool(STARTS.match(start)))
UNIPEN_DAT = dataclasses.replace(UNIPEN, suffixes=(".dat",), is_common=True)
