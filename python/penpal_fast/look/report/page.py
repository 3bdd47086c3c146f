"""The page of a report: one HTML file without external resources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import Any

from altair.utils.schemapi import debug_mode
from jinja2 import Environment, PackageLoader, StrictUndefined

from penpal_fast import __version__
from penpal_fast.checks.summary import QUANTILES
from penpal_fast.look.picture import png_url
from penpal_fast.look.report.chart_library import chart_library
from penpal_fast.look.report.charts import group_chart, histogram, kept_curves, length_chart
from penpal_fast.look.report.contents import CheckReport, PairReport, ReadFile
from penpal_fast.look.report.distribution import STEPS
from penpal_fast.look.report.joint import MAP_STEPS, density
from penpal_fast.look.report.pair import keeps_clean, start_of


def page(files: Sequence[ReadFile], checks: Sequence[CheckReport], pairs: Sequence[PairReport]) -> str:
    """Return the HTML of a report.

    Args:
        files: The files that it is about.
        checks: The checks that scored them.
        pairs: Two scores of a file together.
    """
    with debug_mode(False):  # Each part of a chart would be checked against the schema of all charts: half the time.
        data = [_data(check) for check in checks]
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
        pairs=pairs,
        start_of=start_of,
        keeps_clean=keeps_clean,
        density_url=lambda joint: png_url(density(joint.counts())),
        map_steps=MAP_STEPS,
        quantile_names=list(QUANTILES),
        steps=STEPS,
        data={
            "steps": STEPS,
            "mapSteps": MAP_STEPS,
            "checks": data,
            "pairs": [_pair_data(report) for report in pairs],
        },
        version=__version__,
        theme_style=_packaged("look/theme.css"),
        page_style=_packaged("look/report/page.css"),
        page_script=_packaged("look/report/page.js"),
        map_style=_packaged("look/report/map.css"),
        map_script=_packaged("look/report/map.js"),
        chart_library=_inline_script(chart_library()),
    )


def _data(check: CheckReport) -> dict[str, Any]:
    """Return what the page's script needs to know about a check."""
    thresholds = check.column.thresholds
    kept = {file.name: file.overview.whole.kept() for file in check.files}
    scored = {file.name: kept[file.name] for file in check.files if file.is_scored}
    charts = {"curves": kept_curves(scored, thresholds)} if len(kept) > 1 and scored else {}
    for index, overview in enumerate(file.overview for file in check.files):
        if not check.files[index].is_scored:
            continue
        charts[f"histogram-{index}"] = histogram(overview.whole.counts(), thresholds)
        if overview.lengths:
            charts[f"lengths-{index}"] = length_chart(overview.lengths)
        if overview.groups:
            charts[f"groups-{index}"] = group_chart(overview.groups, str(overview.group_column))
    rows = [file.overview.whole.summary.rows for file in check.files]
    files = [{"rows": count, "kept": steps.tolist()} for count, steps in zip(rows, kept.values(), strict=True)]
    return {"files": files, "charts": charts}


def _pair_data(report: PairReport) -> dict[str, Any]:
    """Return what the page's script needs to know about two scores together."""
    return {
        "x": {"score": report.x.name, "start": start_of(report.x)},
        "y": {"score": report.y.name, "start": start_of(report.y)},
        "files": [{"cells": file.pair.joint.cells()} for file in report.files],
    }


def _packaged(name: str) -> str:
    return _inline_script(resources.files("penpal_fast").joinpath(name).read_text(encoding="utf-8"))


def _inline_script(text: str) -> str:
    """Escape the end tags in a trusted script or style sheet, so that it cannot close its own element."""
    return re.sub(r"</(script|style)", r"<\\/\1", text, flags=re.IGNORECASE)
