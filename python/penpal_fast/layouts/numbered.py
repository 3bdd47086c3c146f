"""Points with the number of the stroke that each is in: `{x: [...], y: [...], stroke: [0, 0, 1, ...]}`."""

from __future__ import annotations

import dataclasses

import numpy as np

from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.offsets import Steps, are_flat
from penpal_fast.layouts.problems import first_problems
from penpal_fast.layouts.shape import Shape


@dataclasses.dataclass(frozen=True)
class Numbered:
    """Points with the number of their stroke; a stroke ends where the number changes. y grows downward."""

    name: str = "numbered"
    description: str = "points with the number of their stroke"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        lists = {"points": 1, "columns": 0}.get(shape.kind)
        return shape.number is not None and len(shape.levels) == lists and are_flat(shape)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        assert shape.number is not None  # noqa: S101 - `takes` made sure.
        steps = Steps.of(dataclasses.replace(shape, values=(*shape.values[:2], shape.number)), 3)
        x, y, number = steps.values.T
        unnumbered = steps.owners[~np.isfinite(number) & ~np.isnan(x) & ~np.isnan(y)]
        found = first_problems(unnumbered, lambda _index: "wrong type: the number of a point's stroke is not finite")
        steps.problems = found | steps.problems
        ends = np.append(number[1:] != number[:-1], True)[: len(number)]
        return steps.converted(x, y, ends, steps.lengths > 0)
