"""What a reader finds in one row, with or without a text."""

from __future__ import annotations

import dataclasses
from typing import Any

from penpal_fast.reading.reader import Letter, Reader
from penpal_fast.strokes import Strokes

MAX_TEXT = 1000
"""Characters of a text that is compared; hardly any ink that can be read has more letters."""


@dataclasses.dataclass(frozen=True)
class RowReading:
    """What a reader finds in one row.

    Attributes:
        reading: What the ink seems to say; None if the row cannot be read.
        readability: In [0, 1], how surely it says anything; None likewise.
        match: In [0, 1], whether it says its text; None without a text that can be compared.
        letters: The letters of the text that can be compared, in order; none without a match, and where the ink is too
            short for the text.
        problem: Why the row cannot be read, or None.
        text_problem: Why the text cannot be compared, or None.
    """

    reading: str | None = None
    readability: float | None = None
    match: float | None = None
    letters: tuple[Letter, ...] = ()
    problem: str | None = None
    text_problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what was found as JSON; a letter also says whether it fits."""
        return {
            **vars(self),
            "letters": [{**dataclasses.asdict(letter), "fits": letter.fits} for letter in self.letters],
        }


def read_row(reader: Reader, words: list[Strokes], text: str | None = None) -> RowReading:
    """Read a row, and compare it with a text where there is one.

    A text of more than `MAX_TEXT` characters is not compared, which is a problem of the text.

    Args:
        reader: The reader.
        words: Words of strokes, as `words_of` returns them; spans count their strokes.
        text: What the row should say.
    """
    too_long = text is not None and len(text) > MAX_TEXT
    found = reader.outcome([words], None if text is None or too_long else [text])
    if problem := found.problems.get(0):
        return RowReading(problem=problem)
    reading, readability = found.readings[0], float(found.readability[0])
    if text is None:
        return RowReading(reading, readability)
    if too_long:
        problem = f"too long text: at most {MAX_TEXT:,} characters, got {len(text):,}"
        return RowReading(reading, readability, text_problem=problem)
    if problem := found.text_problems.get(0):
        return RowReading(reading, readability, text_problem=problem)
    return RowReading(reading, readability, float(found.match[0]), tuple(reader.align(words, text)))
