"""Texts with one mistake: what a match must tell from the text that was written."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence

import numpy as np

Edit = Callable[[str, Sequence[str], np.random.Generator], "str | None"]
"""Takes a text, words to replace with and a random generator; returns None where the text has nothing to edit."""


def word_replaced(text: str, words: Sequence[str], random: np.random.Generator) -> str | None:
    """Another word in place of one."""
    own, place = _word(text, random)
    others = [word for word in (words[int(random.integers(len(words)))] for _ in range(20)) if word != own[place]]
    return " ".join([*own[:place], others[0], *own[place + 1 :]]) if others else None


def word_doubled(text: str, _words: Sequence[str], random: np.random.Generator) -> str | None:
    """One word twice."""
    own, place = _word(text, random)
    return " ".join([*own[: place + 1], *own[place:]])


def word_dropped(text: str, _words: Sequence[str], random: np.random.Generator) -> str | None:
    """One word less."""
    own, place = _word(text, random)
    return " ".join([*own[:place], *own[place + 1 :]]) or None


def letter_replaced(text: str, _words: Sequence[str], random: np.random.Generator) -> str | None:
    """Another letter in place of one."""
    place = _letter(text, random)
    if place is None:
        return None
    others = [letter for letter in string.ascii_lowercase if letter != text[place]]
    return text[:place] + others[int(random.integers(len(others)))] + text[place + 1 :]


def letter_doubled(text: str, _words: Sequence[str], random: np.random.Generator) -> str | None:
    """One letter twice."""
    place = _letter(text, random)
    return None if place is None else text[:place] + text[place] + text[place:]


def letter_dropped(text: str, _words: Sequence[str], random: np.random.Generator) -> str | None:
    """One letter less."""
    place = _letter(text, random)
    return None if place is None else (text[:place] + text[place + 1 :]).strip() or None


def last_letter_dropped(text: str, _words: Sequence[str], _random: np.random.Generator) -> str | None:
    """The last letter less: there is no ink after it that does not fit."""
    places = [place for place, letter in enumerate(text) if letter.isalpha()]
    return (text[: places[-1]] + text[places[-1] + 1 :]).strip() or None if places else None


def letter_added(text: str, _words: Sequence[str], random: np.random.Generator) -> str | None:
    """One letter more at the end."""
    return text + string.ascii_lowercase[int(random.integers(26))]


EDITS: dict[str, Edit] = {
    "word replaced": word_replaced,
    "word doubled": word_doubled,
    "word dropped": word_dropped,
    "letter replaced": letter_replaced,
    "letter doubled": letter_doubled,
    "letter dropped": letter_dropped,
    "last letter dropped": last_letter_dropped,
    "letter added at the end": letter_added,
}


def _word(text: str, random: np.random.Generator) -> tuple[list[str], int]:
    words = text.split()
    return words, int(random.integers(len(words)))


def _letter(text: str, random: np.random.Generator) -> int | None:
    places = [place for place, letter in enumerate(text) if letter.isalpha()]
    return places[int(random.integers(len(places)))] if places else None
