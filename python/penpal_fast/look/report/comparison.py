"""A row beside its text: which letters do not fit, where they are, and what the ink seems to say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import chain

from penpal_fast.look.misfits import marked_ink, marked_pieces
from penpal_fast.look.row_reading import read_row
from penpal_fast.reading.reader import Reader
from penpal_fast.strokes import Strokes

LONGEST_TEXT = 200
"""Characters of a text that are shown."""

SAME_MATCH = 0.05
"""Matches that differ by more come from different readers; what engines differ by adds up along a row."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A row beside its text.

    Attributes:
        text: The text in pieces, and whether each is marked.
        reading: What the ink seems to say.
        marks: The ink that is marked.
        match: In [0, 1], whether the ink says the text; None if they cannot be compared.
        problem: Why they cannot be compared, or None.
    """

    text: list[tuple[str, bool]]
    reading: str
    marks: Strokes
    match: float | None
    problem: str | None = None

    def is_of_another_reader(self, match: float) -> bool:
        """Whether another reader gave the row this match, as far as the match tells."""
        return self.match is not None and abs(self.match - match) > SAME_MATCH


Compare = Callable[[list[Strokes], str, str | None], Comparison]
"""Compares a row of words with its text; the reading is given if it is known."""


def comparing(reader: Callable[[], Reader]) -> Compare:
    """Return how rows are compared with their texts, by a reader that is made for the first of them."""

    def compare(words: list[Strokes], text: str, reading: str | None) -> Comparison:
        return compared(reader(), words, text, reading)

    return compare


def compared(reader: Reader, words: list[Strokes], text: str, reading: str | None = None) -> Comparison:
    """Compare a row of words with its text.

    Args:
        reader: Finds the letters of the text in the ink, and reads the row.
        words: At least one word; each has at least one stroke, and each stroke at least one point.
        text: What the row should say.
        reading: What it seems to say, if that is known.
    """
    found = read_row(reader, words, text)
    shown, said = shown_text(text), shown_text(found.reading or "" if reading is None else reading)
    if found.match is None:
        return Comparison([(shown, False)], said, [], None, found.problem or found.text_problem)
    marks = marked_ink(list(chain.from_iterable(words)), found.letters)
    return Comparison(marked_pieces(shown, found.letters), said, marks, found.match)


def shown_text(text: str) -> str:
    """Return a text with the same letters at the same places, cut where it is too long, which an ellipsis shows."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
