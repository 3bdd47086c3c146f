"""Texts with one mistake, by their codes: what a match is taught to doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Codes = tuple[int, ...]

END_SHARE = 0.25
"""Share of the mistakes that are put at the last letter; the others are at any. After the last letter no ink is where
another should be, so that a mistake there is harder to see."""


def with_mistake(codes: Codes, others: Sequence[int], random: np.random.Generator) -> Codes:
    """Replace, double or drop one letter, insert another after it, or swap it with the next.

    Args:
        codes: Codes of a text of two letters or more.
        others: Codes of the letters to replace with, two different ones or more.
        random: Source of randomness.

    Returns:
        Codes that differ from those given.
    """
    place = len(codes) - 1 if random.random() < END_SHARE else int(random.integers(len(codes)))
    different = [code for code in others if code != codes[place]]
    other = different[int(random.integers(len(different)))]
    before, letter, after = codes[:place], codes[place], codes[place + 1 :]
    match int(random.integers(5)):
        case 0:
            return (*before, letter, letter, *after)
        case 1:
            return (*before, *after)
        case 2 if after and after[0] != letter:
            return (*before, after[0], letter, *after[1:])
        case 3:
            return (*before, letter, other, *after)
        case _:
            return (*before, other, *after)
