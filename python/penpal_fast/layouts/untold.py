"""Strokes of which nobody can tell yet how they are nested, as no row holds anything."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa

from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.nested import WORDS, empty_array
from penpal_fast.layouts.shape import Shape


@dataclasses.dataclass(frozen=True)
class Untold:
    """Rows that hold nothing: they are null or without points in every layout."""

    name: str = "untold"
    description: str = "strokes"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return not shape.has_values

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        starts = pa.array(np.zeros(shape.rows + 1, np.int64))
        words = pa.LargeListArray.from_arrays(starts, empty_array(WORDS.value_type), mask=pa.array(~shape.valid))
        return Converted(words, {}, np.zeros(shape.rows, np.bool_))
