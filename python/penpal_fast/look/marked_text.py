"""A text as HTML, in which the letters that do not fit the ink are marked."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

from penpal_fast.look.drawing import MARK
from penpal_fast.reading.reader import Letter


def marked_text(text: str, letters: Iterable[Letter]) -> str:
    """Return a text as HTML; neighbouring letters that do not fit are in one `mark` element.

    Args:
        text: The text.
        letters: What `Reader.align` found for it.
    """
    misfits = {letter.position for letter in letters if not letter.fits}
    pieces = groupby(enumerate(text), key=lambda place: place[0] in misfits)
    return "".join(_piece("".join(letter for _, letter in places), is_marked) for is_marked, places in pieces)


def _piece(text: str, is_marked: bool) -> str:
    return f"<mark style='background:{MARK};color:inherit'>{escape(text)}</mark>" if is_marked else escape(text)
