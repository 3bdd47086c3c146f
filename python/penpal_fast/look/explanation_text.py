"""Explanations in words: the effect of each part, and the letters that do not fit."""

from __future__ import annotations

import re

import numpy as np

from penpal_fast.look.captions import shortened
from penpal_fast.look.explanation import Explanation

LONGEST_WORD = 40


def effect_rows(explanation: Explanation, words: int) -> list[tuple[str, float]]:
    """Return the name and the effect of each part; none if there is only one.

    Words have the names that the text gives them, if it has as many; otherwise parts are numbered from 0.

    Args:
        explanation: The explanation.
        words: Number of words of the row; neighbours may be in one part.
    """
    if np.isnan(explanation.effects).any():
        return []
    count = len(explanation.effects)
    said = (explanation.text or "").split()
    if explanation.level == "word" and count == words == len(said):
        names = [shortened(word, LONGEST_WORD) for word in said]
    else:
        kind = explanation.level if count == _units(explanation, words) else "part"
        names = [f"{kind} {number}" for number in range(count)]
    return list(zip(names, explanation.effects.tolist(), strict=True))


def misfit_rows(explanation: Explanation) -> list[tuple[str, str, float]]:
    """Return each letter that does not fit: what it is, where it is in the ink, and its fit."""
    text = explanation.text or ""
    words = {
        position: word.group() for word in re.finditer(r"\S+", text) for position in range(word.start(), word.end())
    }
    return [
        (
            _letter_name(letter.letter, letter.position, words.get(letter.position)),
            ", ".join(f"stroke {span.stroke} points {span.start:.0f} to {span.end:.0f}" for span in letter.spans)
            or "no ink",
            letter.fit,
        )
        for letter in explanation.letters
        if not letter.fits
    ]


def _units(explanation: Explanation, words: int) -> int:
    return words if explanation.level == "word" else len(explanation.strokes)


def _letter_name(letter: str, position: int, word: str | None) -> str:
    if word is None:
        return f"letter {position}, a space"
    return f"letter {position}, {letter!r} in {shortened(word, LONGEST_WORD)!r}"
