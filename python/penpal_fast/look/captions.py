"""Texts of any length, cut to the room that they have."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """Return the text on one line, with at most `most` characters; a cut text ends with an ellipsis."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"
