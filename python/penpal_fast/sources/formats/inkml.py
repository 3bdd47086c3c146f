"""InkML, as CROHME, MathWriting and others write it: https://www.w3.org/TR/InkML.

The traces of a file are one row, except those inside groups: each outermost group with traces of its own is a row. So
groups that only refer to traces, as CROHME's for its symbols, make no rows.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

import numpy as np

from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.format import Format, Options
from penpal_fast.sources.formats.ink import Ink, Stroke, check_points, ink_content
from penpal_fast.sources.formats.xml_events import End, Start, root_of, xml_events
from penpal_fast.sources.packing import unpacked
from penpal_fast.sources.readable_file import ReadableFile

TEXTS = ("truth", "label", "transcription", "text", "groundtruth", "normalizedlabel")
"""Types of annotations that say what the ink says, in lower case, the best first."""

IDS = ("sampleid", "ui", "id")
"""Types of annotations that name a row."""

VALUE = re.compile(r"([!'\"]?)\s*(#[0-9A-Fa-f]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[*?TF])")
PLAIN = re.compile(r"[-+0-9.eE\s,]*")


@dataclasses.dataclass(frozen=True)
class _Channels:
    """Where x and y are in the values of a point, and the sign of each."""

    x: int = 0
    y: int = 1
    signs: tuple[int, int] = (1, 1)

    @classmethod
    def of(cls, channels: list[dict[str, str]]) -> _Channels:
        names = [channel.get("name", "").upper() for channel in channels]
        if "X" not in names or "Y" not in names:
            raise PenpalError(f"its traces have no channels X and Y, but {', '.join(names) or 'none'}")
        places = names.index("X"), names.index("Y")
        x, y = (-1 if channels[place].get("orientation") == "-ve" else 1 for place in places)
        return cls(*places, (x, y))


@dataclasses.dataclass
class _Row:
    """Traces and annotations of a file, or of a group."""

    strokes: list[Stroke] = dataclasses.field(default_factory=list)
    annotations: dict[str, str] = dataclasses.field(default_factory=dict)
    id: str | None = None
    points: int = 0

    def add(self, stroke: Stroke, *, continues: bool) -> None:
        self.points += len(stroke)
        check_points(self.points)
        if continues and self.strokes:
            stroke = np.concatenate([self.strokes.pop(), stroke])
        self.strokes.append(stroke)

    def ink(self) -> Ink:
        text, name = (
            next((self.annotations[kind] for kind in kinds if kind in self.annotations), None) for kinds in (TEXTS, IDS)
        )
        return Ink(self.strokes, text, self.id or name)


class _Reader:
    """Follows the elements of a file."""

    def __init__(self) -> None:
        self.whole = _Row()
        self.groups: list[_Row] = []
        self._depth = 0  # Of trace groups.
        self._channels = _Channels()
        self._formats: dict[str, _Channels] = {}
        self._listed: list[dict[str, str]] = []
        self._context: str | None = None
        self._format: str | None = None
        self._opened: list[dict[str, str]] = []

    @property
    def _row(self) -> _Row:
        return self.groups[-1] if self._depth else self.whole

    def start(self, element: Start) -> None:
        given = element.attributes
        self._opened.append(given)
        if element.name == "traceGroup":
            if self._depth == 0:
                self.groups.append(_Row(id=given.get("id")))
            self._depth += 1
        elif element.name == "context":
            self._context = given.get("id")
            self._refer(given.get("traceFormatRef"))
        elif element.name == "traceFormat":
            self._listed, self._format = [], given.get("id")
        elif element.name == "channel":
            self._listed.append(given)

    def end(self, element: End) -> None:
        given = self._opened.pop()
        if element.name == "traceGroup":
            self._depth -= 1
        elif element.name == "traceFormat":
            self._channels = _Channels.of(self._listed)
            for name in (self._format, self._context):
                if name:
                    self._formats[name] = self._channels
        elif element.name == "annotation" and element.text.strip() and self._depth <= 1:
            kind = given.get("type", "").lower()
            self._row.annotations.setdefault(kind, element.text.strip())
        elif element.name == "trace" and given.get("type") != "penUp":
            channels = self._formats.get(given.get("contextRef", "").rpartition("#")[2], self._channels)
            stroke = _points(element.text, channels)
            self._row.add(stroke, continues=given.get("continuation") in ("middle", "end"))

    def _refer(self, reference: str | None) -> None:
        found = self._formats.get((reference or "").rpartition("#")[2])
        if found and self._context:
            self._formats[self._context] = found


def _read(file: ReadableFile, _options: Options) -> Iterator[Ink]:
    reader = _Reader()
    is_first = True
    with unpacked(file) as opened:
        for event in xml_events(opened):
            if isinstance(event, End):
                reader.end(event)
                continue
            if is_first and event.name != "ink":
                raise PenpalError(f"its first element is <{event.name}>, not <ink>")
            is_first = False
            reader.start(event)
    groups = [group for group in reader.groups if group.strokes]
    if reader.whole.strokes or not groups:
        yield reader.whole.ink()
    elif len(groups) == 1:  # What is said of the whole file is said of it.
        groups[0].annotations = {**reader.whole.annotations, **groups[0].annotations}
    for group in groups:
        yield group.ink()


def _points(text: str, channels: _Channels) -> Stroke:
    """Parse the points of a trace: values with spaces between, and points with commas between."""
    points = [point for point in text.split(",") if point.strip()]
    is_plain = PLAIN.fullmatch(text) is not None
    values: Sequence[Sequence[str | float]] = [point.split() for point in points] if is_plain else _decoded(points)
    need = max(channels.x, channels.y)
    for number, point in enumerate(values):
        if len(point) <= need:
            raise PenpalError(f"point {number} of a trace has {len(point)} values; x and y are among {need + 1}")
    chosen = [(point[channels.x], point[channels.y]) for point in values]
    return np.array(chosen, dtype=np.float64).reshape(-1, 2) * channels.signs


def _decoded(points: list[str]) -> list[list[float]]:
    """Decode values that are differences: ' first ones, " second ones, ! none; a prefix holds until the next."""
    modes: dict[int, str] = {}
    last: dict[int, float] = {}
    speed: dict[int, float] = {}
    decoded = []
    for point in points:
        if VALUE.sub("", point).strip():
            raise PenpalError(f"a trace has {point.strip()[:20]!r}, which are no values")
        values = []
        for channel, (prefix, text) in enumerate(VALUE.findall(point)):
            mode = modes[channel] = prefix or modes.get(channel, "!")
            before, change = last.get(channel, 0.0), speed.get(channel, 0.0)
            if text == "*":
                value = before + (change if mode != "!" else 0.0)
            else:
                number = _number(text)
                value = number if mode == "!" else before + number + (change if mode == '"' else 0.0)
            speed[channel] = value - before
            last[channel] = value
            values.append(value)
        decoded.append(values)
    return decoded


def _number(text: str) -> float:
    if text.startswith("#"):
        return float(int(text[1:], 16))
    return {"T": 1.0, "F": 0.0, "?": 0.0}[text] if text in ("T", "F", "?") else float(text)


INKML = Format("InkML", (".inkml",), ink_content(_read))
INKML_XML = dataclasses.replace(INKML, suffixes=(".xml",), begins=lambda start: root_of(start) == "ink", is_common=True)
