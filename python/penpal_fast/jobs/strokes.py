"""How a job reads the strokes of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

from penpal_fast.checks.check import Check
from penpal_fast.layouts.column import StrokesColumn
from penpal_fast.sources.batch import Source
from penpal_fast.sources.drawn import strokes_columns


def strokes_for(
    checks: Sequence[Check], sources: Sequence[Source], column: str, layout: str | None
) -> list[StrokesColumn]:
    """Find how the strokes of each source are read; as they are if no check looks at them.

    Raises:
        PenpalError: There is no such column, or it holds no strokes, or it may have several layouts.
    """
    if any(column in check.reads for check in checks):
        return strokes_columns(sources, column, layout)
    return [StrokesColumn(column, None) for _ in sources]
