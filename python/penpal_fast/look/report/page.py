"""The page of a report: one HTML file that needs nothing else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from importlib import metadata, resources
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from penpal_fast.checks.columns import ScoreColumn
from penpal_fast.checks.summary import QUANTILES, Summary
from penpal_fast.look.report.charts import group_chart, histogram, kept_curves, length_chart
from penpal_fast.look.report.distribution import STEPS
from penpal_fast.look.report.gallery import Line
from penpal_fast.look.report.overview import Overview


@dataclasses.dataclass(frozen=True)
class FileReport:
    """What the page says about the scores of a check in one file.

    Attributes:
        name: Name of the file on the page, unlike those of the other files.
        overview: Its figures.
        lines: The rows to show, by the name of their section.
    """

    name: str
    overview: Overview
    lines: dict[str, list[Line]]

    @property
    def ranked_groups(self) -> list[tuple[str, Summary]]:
        """The groups, the highest median first."""
        return sorted(
            self.overview.groups.items(), key=lambda item: item[1].quantiles().get("median", -1), reverse=True
        )

    @property
    def scored_elsewhere(self) -> bool:
        """Whether rows that were to be explained were scored by another model."""
        sections = [section for section in self.overview.sections if section.explained]
        return any(line.pulls is None for section in sections for line in self.lines[section.name])


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What the page says about the scores of a check.

    Attributes:
        column: The scores.
        explained: Whether the lowest rows are shown with what lowers their scores.
        files: The files that have such scores, at least one.
    """

    column: ScoreColumn
    explained: bool
    files: list[FileReport]


def page(files: Sequence[tuple[str, int]], checks: Sequence[CheckReport]) -> str:
    """Return the HTML of a report.

    Args:
        files: Name and number of rows of each file.
        checks: The checks whose scores the files have.
    """
    environment = Environment(
        loader=PackageLoader("penpal_fast", "look/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        files=files,
        checks=checks,
        quantile_names=list(QUANTILES),
        steps=STEPS,
        data={"steps": STEPS, "checks": [_data(check) for check in checks]},
        version=metadata.version("penpal-fast"),
        theme_style=_packaged("look/theme.css"),
        page_style=_packaged("look/report/page.css"),
        page_script=_packaged("look/report/page.js"),
        # Without a snippet, which its stub asks for, the library is put together only once in a process: in 5 s.
        chart_library=_inline_script(vl_convert.javascript_bundle()),  # type: ignore[call-arg]
    )


def _data(check: CheckReport) -> dict[str, Any]:
    charts, thresholds = {}, check.column.thresholds
    for index, overview in enumerate(file.overview for file in check.files):
        charts[f"histogram-{index}"] = histogram(overview.whole.counts(), thresholds)
        if overview.lengths:
            charts[f"lengths-{index}"] = length_chart(overview.lengths)
        if overview.groups:
            charts[f"groups-{index}"] = group_chart(overview.groups, str(overview.group_column))
    kept = [file.overview.whole.kept() for file in check.files]
    if len(check.files) > 1:
        curves = {file.name: rows for file, rows in zip(check.files, kept, strict=True)}
        charts["curves"] = kept_curves(curves, thresholds)
    counts = [
        {"rows": file.overview.whole.summary.rows, "kept": rows.tolist()}
        for file, rows in zip(check.files, kept, strict=True)
    ]
    return {"files": counts, "charts": charts}


def _packaged(name: str) -> str:
    return _inline_script(resources.files("penpal_fast").joinpath(name).read_text(encoding="utf-8"))


def _inline_script(text: str) -> str:
    """Return text of this package's or a library's own, which must not end the element that it stands in."""
    return re.sub(r"</(script|style)", r"<\\/\1", text, flags=re.IGNORECASE)
