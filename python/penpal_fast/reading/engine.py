"""The protocol of a reading engine, and what it gives."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.engines.engine import Problem
from penpal_fast.reading.alphabet import Texts


@dataclasses.dataclass(frozen=True)
class Readings:
    """What rows seem to say, and how likely they say their texts.

    Attributes:
        text_losses: float32 [N], minus the logarithm of the probability of the row's text; infinite where the path is
            too short for it, NaN for a bad row and without a text.
        reading_losses: float32 [N], the same of what the row seems to say; NaN for a bad row.
        misfits: float32 [N], the largest deficit of a letter of the row's text, 0 where the row seems to say its text,
            infinite where the path is too short for it; NaN for a bad row and without a text.
        codes: uint16, the letters of the likeliest ways of all rows, by their outputs.
        offsets: int64 [N + 1], where each row's letters begin and the last ones end.
        problems: What is wrong with the bad rows, in order.
    """

    text_losses: NDArray[np.float32]
    reading_losses: NDArray[np.float32]
    misfits: NDArray[np.float32]
    codes: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    problems: list[Problem]

    @classmethod
    def joined(cls, pieces: list[Readings]) -> Readings:
        """Put readings of rows after one another into one."""
        if not pieces:
            no_losses = np.empty(0, np.float32)
            return cls(no_losses, no_losses, no_losses, np.empty(0, np.uint16), np.zeros(1, np.int64), [])
        lengths = np.concatenate([np.diff(piece.offsets) for piece in pieces])
        return cls(
            np.concatenate([piece.text_losses for piece in pieces]),
            np.concatenate([piece.reading_losses for piece in pieces]),
            np.concatenate([piece.misfits for piece in pieces]),
            np.concatenate([piece.codes for piece in pieces]),
            np.concatenate([[0], np.cumsum(lengths)]),
            [problem for piece in pieces for problem in piece.problems],
        )


class ReadingEngine(Protocol):
    """Reads rows. Safe to use from several threads."""

    def read(self, rows: Rows, texts: Texts | None) -> Readings:
        """Read rows, and compare each with its text."""
        ...
