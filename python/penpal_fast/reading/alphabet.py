"""Which letters a reader knows, and how a text is brought to them."""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

BLANK = 0
"""Index of the output that stands for no letter; letter `i` of an alphabet has the output `i + 1`."""

LETTERS = " !\"#%'()+,-./0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The 72 letters that the generator of the penpal data set writes, and what else IAM-OnDB has at least four times:
Q, X, Z, %, + and /. Its brackets, * and & are too rare to be learned."""

MAX_UNREADABLE = 0.25
"""Largest share of letters outside the alphabet with which a text is still compared, by the rest."""

BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters of other scripts that show nothing, and stand for spaces."""

FOLDED = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u275b\u275c\u0060\u00b4", "'"),
    **dict.fromkeys("\u02b9\u02bb\u02bc\u02bd\u02c8", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u275d\u275e\u301d\u301e\u301f\u02ba", '"'),
    **dict.fromkeys("\u2043\u2212", "-"),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys(BLANKS, " "),
    "\u034f": "",
    "\u00df": "ss",
    "\u1e9e": "SS",
    "\u00c6": "AE",
    "\u00e6": "ae",
    "\u0152": "OE",
    "\u0153": "oe",
    "\u0131": "i",
}
"""Letters that look like others in handwriting, or are not seen at all, and are not folded by Unicode's rules."""

MARKED = re.compile("LATIN (SMALL|CAPITAL) LETTER ([A-Z]) WITH (?!SMALL LETTER).*")
"""Names of letters with an accent, a stroke or a hook, of which Unicode takes off only the accents."""

RIGHT_TO_LEFT = "\u202e"
"""Mark after which any letters are shown from right to left."""

CHINESE = ("Lo", "Lm", "Nl")
"""Categories of Chinese, Japanese and Korean letters, with marks that repeat or lengthen one, and the zero."""

NO_TEXT = "no text: the text is null"
"""Problem of a row whose text is null."""


@dataclasses.dataclass(frozen=True)
class Encoded:
    """A text as a reader compares it.

    Attributes:
        codes: Outputs of the network, one a letter; empty where the text cannot be compared.
        positions: For each code, the index of its letter in the text that was given.
        unreadable: The letters outside the alphabet, each once, in order.
        problem: Why the text cannot be compared, or None.
    """

    codes: tuple[int, ...]
    positions: tuple[int, ...]
    unreadable: str = ""
    problem: str | None = None


@functools.lru_cache(maxsize=4096)
def fold(character: str) -> str:
    """Return what a character looks like in plain handwriting: curly quotes straight, dashes short, accents off.

    A character that is not seen, such as an accent by itself, becomes nothing.
    """
    if character in FOLDED:
        return FOLDED[character]
    if character.isspace():
        return " "
    if character.isascii():
        return character
    if _is_invisible(character):
        return ""
    if unicodedata.category(character) == "Pd":
        return "-"
    if found := MARKED.fullmatch(unicodedata.name(character, "")):
        return found[2].lower() if found[1] == "SMALL" else found[2]
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not _is_mark(part))
    return "".join(FOLDED.get(part, " " if part.isspace() else part) for part in bare)


@functools.lru_cache(maxsize=8)
def _codes(letters: str) -> dict[str, int]:
    return {letter: code for code, letter in enumerate(letters, start=1)}


def encode(text: str, letters: str = LETTERS) -> Encoded:
    """Bring a text to the alphabet.

    Spaces at the ends are dropped, and runs of them become one. Letters outside the alphabet are left out, unless they
    are more than a quarter of what is not a space; text written from right to left, or in Chinese, Japanese or Korean
    letters, is not compared at all.
    """
    codes: list[int] = []
    positions: list[int] = []
    unreadable: list[str] = []
    known = _codes(letters)
    for position, character in enumerate(text):
        is_known = character in known
        if not is_known and (reason := _foreign(character)):
            return Encoded((), (), character, reason)
        for folded in character if is_known else fold(character):
            code = known.get(folded)
            if code is None:
                if folded != " ":  # An alphabet may have none.
                    unreadable.append(character)
            elif folded != " " or (codes and codes[-1] != known[" "]):
                codes.append(code)
                positions.append(position)
    if codes and codes[-1] == known.get(" "):
        codes.pop()
        positions.pop()
    outside = "".join(dict.fromkeys(unreadable))
    seen = sum(code != known.get(" ") for code in codes)
    if not seen and not unreadable:
        return Encoded((), (), problem="empty text: the text has no letters")
    if len(unreadable) > MAX_UNREADABLE * (seen + len(unreadable)):
        return Encoded(
            (), (), outside, f"unreadable text: letters that are not in the reader's alphabet: {outside[:20]!r}"
        )
    return Encoded(tuple(codes), tuple(positions), outside)


@dataclasses.dataclass(frozen=True)
class Texts:
    """The texts of rows as an engine compares them.

    Attributes:
        codes: uint16, the letters of all texts, by their outputs.
        offsets: int64 [N + 1], where each row's letters begin and the last ones end; a row without letters has no text.
        problems: Why rows have no text that can be compared, by their index.
    """

    codes: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    problems: dict[int, str]

    def part(self, start: int, count: int) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Return the letters of some rows, and where each row's begin and the last ones end."""
        offsets = self.offsets[start : start + count + 1]
        return self.codes[offsets[0] : offsets[-1]], offsets - offsets[0]


def encode_texts(texts: Sequence[str | None], letters: str = LETTERS) -> Texts:
    """Bring the texts of rows to the alphabet; see `encode`."""
    table = _table(letters)
    problems: dict[int, str] = {}
    encoded: list[NDArray[np.uint16]] = []
    for row, text in enumerate(texts):
        plain = " ".join(text.split()).encode().translate(table) if text is not None and text.isascii() else b"\0"
        if plain and 0 not in plain:  # Most texts: all letters are in the alphabet as they are.
            encoded.append(np.frombuffer(plain, np.uint8).astype(np.uint16))
            continue
        slow = Encoded((), (), problem=NO_TEXT) if text is None else encode(text, letters)
        if slow.problem:
            problems[row] = slow.problem
        encoded.append(np.array(slow.codes, np.uint16))
    lengths = [len(codes) for codes in encoded]
    codes = np.concatenate([*encoded, np.empty(0, np.uint16)])
    return Texts(codes, np.cumsum([0, *lengths], dtype=np.int64), problems)


@functools.lru_cache(maxsize=8)
def _table(letters: str) -> bytes:
    """Return the code of each ASCII letter, 0 for those that are not in the alphabet or have no code below 256."""
    codes = _codes(letters)
    return bytes(code if (code := codes.get(chr(letter), 0)) < 256 else 0 for letter in range(256))


def decode(codes: Iterable[int], letters: str = LETTERS) -> str:
    """Return the text of outputs that are letters."""
    return "".join(letters[code - 1] for code in codes)


def _is_invisible(character: str) -> bool:
    """Whether a character only tells programs how to show others: joiners, marks of direction, variation selectors."""
    return unicodedata.category(character) == "Cf" or unicodedata.name(character, "").startswith("VARIATION SELECTOR")


def _is_mark(character: str) -> bool:
    """Whether a character is an accent of the one before it, or a circle, box or keycap around it."""
    return unicodedata.combining(character) > 0 or unicodedata.category(character) == "Me"


@functools.lru_cache(maxsize=4096)
def _foreign(character: str) -> str | None:
    """Return why a script is not compared, or None."""
    if character.isascii() or character in BLANKS or (_is_invisible(character) and character != RIGHT_TO_LEFT):
        return None
    if unicodedata.bidirectional(character) in ("R", "AL", "AN", "RLO"):
        return "unreadable text: it is written from right to left"
    if any(
        unicodedata.east_asian_width(part) in ("W", "F", "H") and unicodedata.category(part) in CHINESE
        for part in unicodedata.normalize("NFKD", character)
    ):
        return "unreadable text: it has Chinese, Japanese or Korean letters"
    return None
