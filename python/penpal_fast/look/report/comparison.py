"""A row beside its text: which letters do not fit, where they are, and what the ink seems to say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import chain, groupby

from penpal_fast.errors import PenpalError
from penpal_fast.look.misfits import misfits
from penpal_fast.reading.reader import Reader
from penpal_fast.strokes import Strokes

LONGEST_TEXT = 200
"""Characters of a text that are shown."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A row beside its text.

    Attributes:
        text: The text in pieces, and whether the letters of each do not fit the ink.
        reading: What the ink seems to say.
        marks: The ink of the letters that do not fit.
    """

    text: list[tuple[str, bool]]
    reading: str
    marks: Strokes


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
        reader: Finds the letters of the text in the ink, and reads the row if its reading is not known.
        words: At least one word; each has at least one stroke, and each stroke at least one point.
        text: What the row should say.
        reading: What it seems to say, if that is known.
    """
    wrong, marks = _misfits(reader, words, text)
    return Comparison(
        text=pieces(text, wrong),
        reading=shown_text(reader.read([words])[0] if reading is None else reading),
        marks=marks,
    )


def _misfits(reader: Reader, words: list[Strokes], text: str) -> tuple[set[int], Strokes]:
    """Return the index of each letter that does not fit, and the ink of these letters."""
    strokes = list(chain.from_iterable(words))
    try:
        letters = reader.align(words, text)
    except PenpalError:  # The text cannot be compared; the row has no match, or one of another reader.
        return set(), []
    if not letters:  # There is too little ink for the text.
        return set(range(len(text))), strokes
    return {letter.position for letter in letters if not letter.fits}, misfits(strokes, letters)


def pieces(text: str, wrong: set[int]) -> list[tuple[str, bool]]:
    """Cut a text, as `shown_text` shows it, where letters that do not fit begin and end.

    Args:
        text: The text.
        wrong: Index of each letter that does not fit.
    """
    letters = enumerate(shown_text(text))
    runs = groupby(letters, key=lambda letter: letter[0] in wrong)
    return [("".join(letter for _, letter in run), is_wrong) for is_wrong, run in runs]


def shown_text(text: str) -> str:
    """Return a text with the same letters at the same places, cut where it is too long, which an ellipsis shows."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
