"""Character error rate: how far readings are from texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from penpal_fast.reading.alphabet import encode


@dataclasses.dataclass(frozen=True)
class ReadingErrors:
    """Edits and letters of each row whose reading and text are known, both after folding.

    Attributes:
        edits: The fewest letters to insert, delete or replace, from the reading to the text.
        letters: Letters of the text.
    """

    edits: list[int]
    letters: list[int]

    @property
    def rate(self) -> float | None:
        """Edits of all rows by letters of all rows; None without rows."""
        return sum(self.edits) / sum(self.letters) if self.letters else None

    @property
    def exact(self) -> float | None:
        """Share of rows that are read without an edit; None without rows."""
        return self.edits.count(0) / len(self.edits) if self.edits else None


def errors_of(readings: Sequence[str | None], texts: Sequence[str | None], letters: str) -> ReadingErrors:
    """Count the edits from readings to texts.

    Both are brought to an alphabet as for a match: letters outside it are left out, and rows whose text cannot be
    compared, or that have no reading, do not count.

    Args:
        readings: What each row seems to say; None for a bad row.
        texts: The text of each row; None where it is not known.
        letters: The alphabet.
    """
    edits, lengths = [], []
    for reading, text in zip(readings, texts, strict=True):
        wanted = encode(text or "", letters)
        if reading is None or wanted.problem:
            continue
        edits.append(edit_distance(encode(reading, letters).codes, wanted.codes))
        lengths.append(len(wanted.codes))
    return ReadingErrors(edits, lengths)


def edit_distance(found: Sequence[int], wanted: Sequence[int]) -> int:
    """Return the fewest letters to insert, delete or replace (Levenshtein, 1966)."""
    costs = list(range(len(wanted) + 1))
    for row, letter in enumerate(found, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(wanted, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (letter != other)),
            )
    return costs[-1]
