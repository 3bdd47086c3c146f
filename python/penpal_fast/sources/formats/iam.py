"""XML of IAM-OnDB: a row for each file of a line, with its text from the `ascii` folder beside `lineStrokes`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most
from penpal_fast.sources.formats.format import Format, Options
from penpal_fast.sources.formats.ink import Ink, check_points, ink_content
from penpal_fast.sources.formats.xml_events import End, root_of, xml_events
from penpal_fast.sources.packing import unpacked
from penpal_fast.sources.readable_file import ReadableFile

ROOT = "WhiteboardCaptureSession"

LINE_NAME = re.compile(r"(?P<form>[a-z]\d{2}-\d{3}[a-z]?)-(?P<line>\d{2})", re.IGNORECASE)
"""Names of the files of lines, such as a01-000u-01."""

MAX_TEXT_BYTES = 1 << 20


def _read(file: ReadableFile, _options: Options) -> Iterator[Ink]:
    strokes: list[np.ndarray] = []
    points: list[tuple[float, float]] = []
    count = 0
    signs = (1, 1)
    texts: list[str] = []
    is_first = True
    with unpacked(file) as opened:
        for event in xml_events(opened):
            if isinstance(event, End):
                if event.name == "Stroke" and points:
                    strokes.append(np.array(points) * signs)
                    points = []
                continue
            given = event.attributes
            if is_first and event.name != ROOT:
                raise PenpalError(f"its first element is <{event.name}>, not <{ROOT}>")
            is_first = False
            if event.name == "Point":
                try:
                    points.append((float(given["x"]), float(given["y"])))
                except (KeyError, ValueError) as error:
                    raise PenpalError(f"point {count} has no x and y: {given}") from error
                count += 1
                check_points(count)
            elif event.name == "SensorLocation":  # The origin; x and y grow away from it.
                corner = given.get("corner", "top_left")
                signs = (-1 if corner.endswith("right") else 1, -1 if corner.startswith("bottom") else 1)
            elif event.name == "TextLine" and "text" in given:
                texts.append(html.unescape(given["text"]))
    name = file.name.rpartition("/")[2].rpartition(".")[0]
    yield Ink(strokes, " ".join(texts) or _text(file, name), name)


def _text(file: ReadableFile, name: str) -> str | None:
    """Find the text of a line in the file of its form: the line after CSR: with its number."""
    found = LINE_NAME.fullmatch(name)
    if file.path is None or not found:
        return None
    for path in _text_files(file.path, f"{found['form']}.txt"):
        try:
            content = read_at_most(path, MAX_TEXT_BYTES)
        except OSError:
            continue
        if content is None:
            raise PenpalError(f"{path}: it has more than {MAX_TEXT_BYTES:,} bytes, so it is no text of a form")
        lines = content.decode(errors="replace").partition("CSR:")[2].strip().splitlines()
        lines = [line.strip() for line in lines if line.strip()]
        number = int(found["line"])
        return lines[number - 1] if 0 < number <= len(lines) else None
    return None


def _text_files(path: Path, name: str) -> Iterator[Path]:
    """Yield the places where the text may lie: beside the file, and in the folder `ascii` beside `lineStrokes`."""
    yield path.with_name(name)
    parts = path.parent.parts
    for place in range(len(parts) - 1, -1, -1):
        if parts[place].lower() == "linestrokes":
            yield Path(*parts[:place], "ascii", *parts[place + 1 :], name)


IAM = Format("IAM-OnDB XML", (".xml",), ink_content(_read), begins=lambda start: root_of(start) == ROOT, is_common=True)
