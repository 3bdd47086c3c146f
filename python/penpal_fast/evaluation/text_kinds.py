"""Kinds of texts that are harder to read than most."""

from __future__ import annotations

LONG = 45
"""Letters of a long line."""


def is_long(text: str) -> bool:
    """Whether a text has `LONG` characters or more."""
    return len(text) >= LONG


def has_digits(text: str) -> bool:
    """Whether a text has a digit."""
    return any(letter.isdigit() for letter in text)


def is_capitals(text: str) -> bool:
    """Whether a text has two capitals or more, and no more small letters than capitals."""
    capitals = sum(letter.isupper() for letter in text)
    return capitals >= 2 and capitals >= sum(letter.islower() for letter in text)


TEXT_KINDS = {"long": is_long, "digits": has_digits, "capitals": is_capitals}
