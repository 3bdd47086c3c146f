"""What the made lines of a reader's training say: more kinds of text than real lines have.

The lines of IAM-OnDB are newspaper prose: few digits, capitals and rare letters. A reader that has seen only them
guesses words. So a share of the made lines is numbers, capitals, long lines, doubled letters and letters in no order.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence

import numpy as np

from penpal_fast.synthesis.texts import LONG_LINE, Text, long_line, run_of_words

Draw = Callable[[Sequence[Text], np.random.Generator], str]


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

DOUBLED = "bcdefglmnoprstz"
"""Letters that stand double in English words."""

MARKS = ("!", "?", ".", ",", ";", ":", '"', "'", "-", "(", ")", "#")


def prose(texts: Sequence[Text], random: np.random.Generator) -> str:
    """One to six neighbouring words."""
    return run_of_words(_pick(texts, random), random, longest=6)


def whole_line(texts: Sequence[Text], random: np.random.Generator) -> str:
    """A whole line."""
    return " ".join(_pick(texts, random).words)


def numbers(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Numbers, dates, times and the like, now and then among words."""
    parts = [_number(random) for _ in range(int(random.integers(1, 5)))]
    if random.random() < 0.3:
        parts.insert(int(random.integers(len(parts) + 1)), run_of_words(_pick(texts, random), random, longest=3))
    return " ".join(parts)


def capitals(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Words in capitals."""
    return run_of_words(_pick(texts, random), random, longest=4).upper()


def titles(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Words with an initial capital, or initials and a name."""
    words = run_of_words(_pick(texts, random), random, longest=5).split()
    initials = [f"{string.ascii_uppercase[int(random.integers(26))]}." for _ in range(int(random.integers(0, 3)))]
    return " ".join([*initials, *(word.capitalize() for word in words)])


def doubled(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Words in which one letter is written once more than it should be."""
    words = []
    for word in run_of_words(_pick(texts, random), random, longest=4).split():
        places = [place for place, letter in enumerate(word) if letter in DOUBLED]
        if places and random.random() < 0.7:
            place = places[int(random.integers(len(places)))]
            word = word[:place] + word[place] + word[place:]
        words.append(word)
    return " ".join(words)


def punctuated(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Words with marks before, between and after them."""
    words = run_of_words(_pick(texts, random), random, longest=5).split()
    return " ".join(_marked(word, random) for word in words)


def letters(_texts: Sequence[Text], random: np.random.Generator) -> str:
    """Words of letters in no order: nothing but the ink tells what they are."""
    kinds = (
        string.ascii_lowercase,
        string.ascii_lowercase,
        "vwxyzjkqbpfgm",
        string.ascii_letters,
        string.ascii_uppercase,
    )
    words = []
    for _ in range(int(random.integers(1, 5))):
        kind = kinds[int(random.integers(len(kinds)))]
        words.append("".join(kind[int(random.integers(len(kind)))] for _ in range(int(random.integers(1, 8)))))
    return " ".join(words)


KINDS: dict[Draw, float] = {
    prose: 0.50,
    whole_line: 0.13,
    long_line: 0.08,
    numbers: 0.09,
    capitals: 0.06,
    titles: 0.04,
    doubled: 0.03,
    punctuated: 0.03,
    letters: 0.04,
}
"""The kinds of text and their shares."""


def draw_text(texts: Sequence[Text], random: np.random.Generator) -> str:
    """Draw a kind and a text of it; at most `LONG_LINE[1]` letters, perhaps some that a generator cannot write."""
    kinds = list(KINDS)
    kind = kinds[random.choice(len(kinds), p=list(KINDS.values()))]
    return kind(texts, random)[: LONG_LINE[1]].strip()


def _pick(texts: Sequence[Text], random: np.random.Generator) -> Text:
    return texts[int(random.integers(len(texts)))]


def _number(random: np.random.Generator) -> str:
    def below(most: int) -> int:
        return int(random.integers(most))

    kinds = (
        lambda: str(below(10 ** (1 + below(6)))),
        lambda: "".join(str(below(10)) for _ in range(2 + below(8))),
        lambda: f"{1 + below(999)},{below(1000):03}",
        lambda: f"{below(1000)}.{below(100):02}",
        lambda: f"{1 + below(12)}:{below(60):02}",
        lambda: f"{1 + below(28)}.{1 + below(12)}.{1900 + below(130)}",
        lambda: f"{1 + below(28)} {MONTHS[below(12)]} {1900 + below(130)}",
        lambda: f"{MONTHS[below(12)]} {1 + below(28)}",
        lambda: f"{below(1000):03}-{below(10000):04}",
        lambda: f"#{below(100)}",
        lambda: f"({below(100)})",
        lambda: f"{1 + below(99)}{string.ascii_uppercase[below(26)]}",
    )
    return kinds[below(len(kinds))]()


def _marked(word: str, random: np.random.Generator) -> str:
    chance = random.random()
    mark = MARKS[int(random.integers(len(MARKS)))]
    if chance < 0.15:
        return f'"{word}"'
    if chance < 0.25:
        return f"({word})"
    if chance < 0.6:
        return word + mark
    if chance < 0.75 and len(word) > 3:
        place = int(random.integers(1, len(word)))
        return word[:place] + mark + word[place:]
    return word
