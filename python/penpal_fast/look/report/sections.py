"""The sections of a report's gallery, and which rows each shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the gallery.

    Attributes:
        name: Short name.
        title: Heading.
        size: Maximum number of rows of one file.
        key: Makes a key for each row from the scores [N], NaN for bad rows, and random numbers [N] from 0 to 1. The
            rows with the smallest keys are shown; rows with the key NaN are not.
        explained: Whether the rows are shown with what lowers their scores.
    """

    name: str
    title: str
    size: int
    key: Callable[[Keys, Keys], Keys]
    explained: bool = False


FARTHEST = 0.1
"""Scores that differ by more from a threshold are not around it."""


def sections_of(thresholds: Mapping[str, float]) -> list[Section]:
    """Return the sections for a check with these thresholds."""
    return [
        Section("lowest", "Lowest scores", 24, lambda scores, _: scores, explained=True),
        *(_around(name, threshold) for name, threshold in thresholds.items()),
        Section("highest", "Highest scores", 12, lambda scores, _: -scores),
        Section("random", "Random rows", 24, lambda scores, random: np.where(np.isnan(scores), np.nan, random)),
    ]


def _around(name: str, threshold: float) -> Section:
    def key(scores: Keys, _random: Keys) -> Keys:
        distance = np.abs(scores - threshold)
        return np.where(distance <= FARTHEST, distance, np.nan)

    return Section(f"around-{name}", f"Around {threshold:g}, the {name} threshold", 12, key)
