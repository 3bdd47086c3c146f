"""The sets of rows as a reader sees them."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penpal_fast.evaluation.combined import combined
from penpal_fast.evaluation.sets import ScoredSet
from penpal_fast.reading.reader import Reader

READ = ("real", "clean", "corrupted", "junk")
"""The sets that a reader is measured on."""

Scores = NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class ReadSet:
    """The rows of a set with their `quality` and what a reader finds in them.

    Attributes:
        rows: The rows.
        match: float32 [N], whether each row says its text; NaN for a bad row and without a text.
        readability: float32 [N], how surely each row says anything; NaN for a bad row.
        readings: What each row seems to say; None for a bad row.
    """

    rows: ScoredSet
    match: Scores
    readability: Scores
    readings: list[str | None]

    @property
    def combined(self) -> Scores:
        """Quality and match together."""
        return combined(self.rows.scores, self.match)

    def are(self, kind: str) -> NDArray[np.bool_]:
        """Tell which rows are of one kind, bool [N]."""
        return np.array([one == kind for one in self.rows.kinds], dtype=np.bool_)


def read_sets(sets: dict[str, ScoredSet], reader: Reader) -> dict[str, ReadSet]:
    """Read the rows of scored sets, and compare them with their texts."""
    return {name: _read(sets[name], reader) for name in READ}


def _read(rows: ScoredSet, reader: Reader) -> ReadSet:
    found = reader.outcome(rows.strokes, rows.texts)
    return ReadSet(rows, found.match, found.readability, found.readings)
