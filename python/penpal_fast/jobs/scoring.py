"""How a job reads the strokes of its inputs, and scores them."""

from __future__ import annotations

from collections.abc import Sequence

from penpal_fast.checks.check import Check, Outcome, outcomes_of
from penpal_fast.errors import errors_about
from penpal_fast.jobs.opened import OpenedSource, opened_sources
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.sources.batch import Batch, Source


def opened_for(
    checks: Sequence[Check], sources: Sequence[Source], column: str, layout: str | None
) -> list[OpenedSource]:
    """Find how the strokes of each source are read; as they are if no check looks at them.

    Raises:
        PenpalError: There is no such column, or it holds no strokes, or it may have several layouts.
    """
    if any(column in check.reads for check in checks):
        return opened_sources(sources, column, layout)
    return [OpenedSource(source, StrokesColumn(column, None)) for source in sources]


def scored(checks: Sequence[Check], batch: Batch, opened: OpenedSource) -> list[Outcome]:
    """Run checks on a batch of a source.

    Raises:
        PenpalError: A check cannot score it; the error names the file.
    """
    with errors_about(opened.name):
        rows = opened.converted(batch)
        return outcomes_of(checks, rows.data, rows.problems)
