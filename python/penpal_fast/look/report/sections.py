"""The sections of a report's gallery and the rows that belong in each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Section:
    """Rows that are shown together.

    Attributes:
        name: Short name.
        title: Heading.
        size: Rows of a file that it has room for.
        key: From the scores [N], NaN for a bad row, and as many random numbers from 0 to 1, makes a key for each row;
            the rows with the smallest keys are shown, those with NaN never.
        explained: Whether each row is shown with what lowers its score.
    """

    name: str
    title: str
    size: int
    key: Callable[[Keys, Keys], Keys]
    explained: bool = False


FARTHEST = 0.1
"""Scores that differ by more from a threshold are not around it."""


def _around(name: str, threshold: float) -> Section:
    title = f"Around {threshold:g}, the {name} threshold"

    def key(scores: Keys, _random: Keys) -> Keys:
        distance = np.abs(scores - threshold)
        return np.where(distance <= FARTHEST, distance, np.nan)

    return Section(f"around-{name}", title, 12, key)


def sections_of(thresholds: Mapping[str, float]) -> list[Section]:
    """Sections for the scores of a check with these thresholds."""
    return [
        Section("lowest", "Lowest scores", 24, lambda scores, _: scores, explained=True),
        *(_around(name, threshold) for name, threshold in thresholds.items()),
        Section("highest", "Highest scores", 12, lambda scores, _: -scores),
        Section("random", "Drawn at random", 24, lambda scores, random: np.where(np.isnan(scores), np.nan, random)),
    ]
