"""What a layout is: it converts a column that was taken apart, and says which rows do not fit it."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.layouts.shape import Shape


@dataclasses.dataclass(frozen=True)
class Converted:
    """A column as words of strokes.

    Attributes:
        rows: Words of strokes of points (x, y), float64, y growing downward. Rows with problems are null.
        problems: What is wrong with rows that do not fit the layout, by index.
        speaking: Which rows speak for this layout, unless they have a problem: not those that are null or empty.
    """

    rows: pa.Array
    problems: dict[int, str]
    speaking: NDArray[np.bool_]

    def but_not(self, rows: NDArray[np.bool_]) -> Converted:
        """Return the same, for which these rows do not speak."""
        return dataclasses.replace(self, speaking=self.speaking & ~rows)

    @property
    def fitting(self) -> NDArray[np.bool_]:
        """Which rows speak for the layout."""
        fits = self.speaking.copy()
        fits[list(self.problems)] = False
        return fits


class Layout(Protocol):
    """A layout; equal ones read rows alike."""

    @property
    def name(self) -> str:
        """What `--layout` calls it."""

    @property
    def description(self) -> str:
        """What its rows are, for messages."""

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""

    def convert(self, shape: Shape) -> Converted:
        """Convert rows. Those that do not fit get a problem, "wrong type: ..."."""
