"""A reader that is told what rows say, so that tests know which letters do not fit."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast.reading.reader import Letter, ReadOutcome, Span
from penpal_fast.strokes import words_of


class ToldReader:
    """Reads the same from every row; each letter of a text has the same share of the points of each stroke in turn."""

    identity: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, reading: str) -> None:
        self.reading = reading

    def outcome(self, rows: Any, texts: Any = None) -> ReadOutcome:
        said = texts.to_pylist() if isinstance(texts, pa.Array) else texts or [None] * len(rows)
        match = [np.nan if text is None else float(text == self.reading) for text in said]
        ones = np.ones(len(rows), np.float32)
        return ReadOutcome(np.array(match, np.float32), ones, [self.reading] * len(rows), {}, {})

    def align(self, row: Any, text: str) -> list[Letter]:
        strokes = [stroke for word in words_of(row) for stroke in word]
        same = {
            place
            for block in SequenceMatcher(None, text, self.reading, autojunk=False).get_matching_blocks()
            for place in range(block.a, block.a + block.size)
        }
        ends = np.linspace(0, len(strokes), len(text) + 1)
        return [
            Letter(letter, place, 1.0 if place in same else 0.0, _spans(strokes, ends[place], ends[place + 1]))
            for place, letter in enumerate(text)
        ]


def _spans(strokes: list[Any], first: float, end: float) -> tuple[Span, ...]:
    """Pieces of strokes, where `first` and `end` are counted in strokes."""
    found = []
    for number, stroke in enumerate(strokes):
        start, stop = (min(max(place - number, 0), 1) * (len(stroke) - 1) for place in (first, end))
        if stop > start:
            found.append(Span(number, float(start), float(stop)))
    return tuple(found)
