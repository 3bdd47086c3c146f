"""What a filter plans before it reads rows: by which scores they are judged, and which checks run for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import prepare
from penpal_fast.errors import errors_about
from penpal_fast.jobs.opened import OpenedSource
from penpal_fast.jobs.scoring import opened_for
from penpal_fast.jobs.thresholds import Thresholds, check_rescored, has_scores
from penpal_fast.layouts.coordinate_columns import has_strokes
from penpal_fast.sources.batch import Source


@dataclasses.dataclass(frozen=True)
class FilterPlan:
    """What a filter reads, by which scores it judges rows, and which checks run.

    Attributes:
        opened: The inputs.
        column: Name of the strokes column.
        layout: Name of the layout of the strokes; None for what the files seem to have.
        thresholds: The wanted threshold of each check, by the check's name.
        available: The checks that can run, by name.
        missing: The checks that run, as the inputs lack their scores or they are to run again.
        trusted: Names of columns that are taken for scores whoever wrote them.
        memory_mb: Approximate limit on the memory of the rows, in megabytes.
    """

    opened: list[OpenedSource]
    column: str
    layout: str | None
    thresholds: Thresholds
    available: Mapping[str, Check]
    missing: list[Check]
    trusted: Collection[str]
    memory_mb: int

    @property
    def sources(self) -> list[Source]:
        """The inputs as they are read."""
        return [one.source for one in self.opened]

    @property
    def given(self) -> list[str]:
        """Names of the checks whose scores the inputs have."""
        missing = [check.name for check in self.missing]
        return [name for name in self.thresholds if name not in missing]


def planned(
    sources: Sequence[Source],
    checks: Sequence[Check],
    thresholds: Thresholds,
    *,
    column: str,
    layout: str | None,
    quality_column: str | None,
    rescore: bool | Collection[str],
    memory_mb: int,
) -> FilterPlan:
    """Plan a filter by the columns of its inputs.

    Args:
        sources: The inputs.
        checks: The checks that can run.
        thresholds: The wanted threshold of each check, by the check's name.
        column: As for `filter_dataset`, like the others.
        layout: As for `filter_dataset`.
        quality_column: As for `filter_dataset`.
        rescore: As for `filter_dataset`.
        memory_mb: As for `filter_dataset`.

    Raises:
        PenpalError: A threshold has no scores and no check, or a check cannot look at the inputs.
    """
    schema, where = sources[0].schema, sources[0].file.name
    available = {check.name: check for check in checks}
    trusted = _trusted(sources[0], column, quality_column)
    check_rescored(rescore, [name for name in thresholds if name in available])
    with errors_about(where):
        missing = [available[name] for name in thresholds if not has_scores(schema, name, available, rescore, trusted)]
    opened = opened_for(missing, sources, column, layout)
    with errors_about(where):
        prepare(missing, opened[0].schema, replaced=_replaced(thresholds, rescore))
    return FilterPlan(opened, column, layout, thresholds, available, missing, trusted, memory_mb)


def _trusted(source: Source, column: str, quality_column: str | None) -> list[str]:
    """Names of the columns of a source that are taken for scores whoever wrote them."""
    if quality_column is not None:
        return [quality_column]
    # Rows without strokes cannot be scored, so that there is only one thing that their scores can be.
    return [] if has_strokes(source.schema, column) else list(source.schema.names)


def _replaced(thresholds: Thresholds, rescore: bool | Collection[str]) -> Collection[str]:
    """Names of the checks that a user wants to run again, whoever wrote the columns of their names."""
    if isinstance(rescore, bool):
        return list(thresholds) if rescore else []
    return rescore
