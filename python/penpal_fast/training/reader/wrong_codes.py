"""Texts with one mistake, by their codes: what a match is taught to doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Codes = tuple[int, ...]


def with_mistake(codes: Codes, others: Sequence[int], random: np.random.Generator) -> Codes:
    """Replace, double or drop one letter, or swap it with the next.

    Args:
        codes: Codes of a text of two letters or more.
        others: Codes of the letters to replace with, two different ones or more.
        random: Source of randomness.

    Returns:
        Codes that differ from those given.
    """
    place = int(random.integers(len(codes)))
    before, letter, after = codes[:place], codes[place], codes[place + 1 :]
    match int(random.integers(4)):
        case 0:
            return (*before, letter, letter, *after)
        case 1:
            return (*before, *after)
        case 2 if after and after[0] != letter:
            return (*before, after[0], letter, *after[1:])
        case _:
            different = [code for code in others if code != letter]
            return (*before, different[int(random.integers(len(different)))], *after)
