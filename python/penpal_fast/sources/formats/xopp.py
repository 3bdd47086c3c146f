"""Xournal++'s `.xopp` (and Xournal's `.xoj`): a row for each page, with the strokes of its pens."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.format import Format, Options
from penpal_fast.sources.formats.ink import Ink, Stroke, check_points, ink_content
from penpal_fast.sources.formats.xml_events import Start, xml_events
from penpal_fast.sources.packing import unpacked
from penpal_fast.sources.readable_file import ReadableFile


def _read(file: ReadableFile, _options: Options) -> Iterator[Ink]:
    page = points = 0
    strokes: list[Stroke] = []
    tool = ""
    is_first = True
    with unpacked(file) as opened:
        for event in xml_events(opened):
            if isinstance(event, Start):
                if is_first and event.name != "xournal":
                    raise PenpalError(f"its first element is <{event.name}>, not <xournal>")
                is_first = False
                if event.name == "page":
                    page, points, strokes = page + 1, 0, []
                elif event.name == "stroke":
                    tool = event.attributes.get("tool", "pen")
            elif event.name == "stroke" and tool == "pen":
                strokes.append(_points(event.text))
                points += len(strokes[-1])
                check_points(points)
            elif event.name == "page":
                yield Ink(strokes, id=f"page {page}")


def _points(text: str) -> Stroke:
    numbers = text.split()
    if len(numbers) % 2:
        raise PenpalError(f"a stroke has {len(numbers):,} numbers, which are not pairs of x and y")
    return np.array(numbers, dtype=np.float64).reshape(-1, 2)


XOPP = Format("Xournal++", (".xopp", ".xoj"), ink_content(_read))
