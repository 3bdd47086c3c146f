"""Explanations as lines of text, for a terminal."""

from __future__ import annotations

from penpal_fast.look.captions import shortened
from penpal_fast.look.explanation import Explanation
from penpal_fast.look.explanation_text import effect_rows, misfit_rows
from penpal_fast.look.row_reading import RowReading

LONGEST_LINE = 300
"""Characters of a text or a reading that are printed."""


def summary_lines(explanation: Explanation, found: RowReading) -> list[str]:
    """Say what the row reads, and whether that is its text."""
    if found.problem is not None:
        return [f"not read: {found.problem}"]
    lines = [f"reads {shortened(found.reading or '', LONGEST_LINE)!r}, readability {found.readability:.2f}"]
    if found.text_problem is not None:
        lines.append(f"not compared: {found.text_problem}")
    elif found.match is not None:
        short = "" if found.letters else "; the ink is too short for it"
        lines.append(f"text  {shortened(explanation.text or '', LONGEST_LINE)!r}, match {found.match:.2f}{short}")
    return lines


def effect_lines(explanation: Explanation, words: int) -> list[str]:
    """Say what each part of the row does to its score."""
    rows = effect_rows(explanation, words)
    if not rows:
        return ["the row is a single stroke, so there is nothing to leave out"]
    width = max(len(name) for name, _ in rows)
    return [
        f"effect on the log-odds of the score, below 0 where a {explanation.level} lowers it; "
        f"in clean lines usually {explanation.usual[0]:+.1f} to {explanation.usual[1]:+.1f}:",
        *(f"  {name:{width}}  {effect:+.2f}" for name, effect in rows),
    ]


def misfit_lines(explanation: Explanation) -> list[str]:
    """Say which letters do not fit, and where they are."""
    if not explanation.letters:
        return []
    rows = misfit_rows(explanation)
    counted = ", all counted from 0" if rows else ""
    return [
        f"letters that do not fit: {len(rows)} of {len(explanation.letters)}{counted}",
        *(f"  {letter}: fit {fit:.2f}, {place}" for letter, place, fit in rows),
    ]
