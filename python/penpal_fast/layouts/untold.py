"""Strokes of which nobody can tell yet how they are nested, as there is no row, or all are null."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa

from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.nested import WORDS
from penpal_fast.layouts.shape import Shape


@dataclasses.dataclass(frozen=True)
class Untold:
    """Null rows, which are null in every layout."""

    name: str = "untold"
    description: str = "null rows, which do not tell a layout"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return not shape.found.any()

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        return Converted(pa.nulls(shape.rows, WORDS), {}, np.zeros(shape.rows, np.bool_))
