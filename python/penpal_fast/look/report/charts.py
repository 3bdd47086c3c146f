"""The charts of a report as Vega-Lite specifications. The page sets their colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.summary import Summary
from penpal_fast.look.report.distribution import STEPS
from penpal_fast.look.report.overview import LAST_LENGTH, LENGTH_STEP

Specification = dict[str, Any]
Thresholds = Mapping[str, float]

BINS = 100
"""Bars of the histogram."""

DASHES = ([1, 0], [8, 3], [2, 2])
"""Dashes of curves in turn. The page has five colours, so that fifteen curves differ, and neighbours twice."""

SCORE = alt.Scale(domain=[0, 1], nice=False)
TENTHS = alt.Axis(tickCount=10, format=".1f")
HEIGHT = 190
SPREAD: list[Any] = [alt.Tooltip("rows:Q", format=","), "p10:Q", "median:Q", "p90:Q"]


def histogram(counts: NDArray[np.int64], thresholds: Thresholds) -> Specification:
    """Draw the number of rows by score; the parameter `threshold` separates kept from dropped rows.

    Args:
        counts: Rows from each step up to the next, [STEPS + 1].
        thresholds: Named thresholds, drawn as rules.
    """
    per_bin = counts[:STEPS].reshape(BINS, -1).sum(axis=1)
    per_bin[-1] += counts[STEPS]
    bars = [
        {"left": index / BINS, "right": (index + 1) / BINS, "rows": rows, "ones": 0}
        for index, rows in enumerate(per_bin.tolist())
    ]
    bars[-1]["ones"] = int(counts[STEPS])  # A threshold of 1 cuts no bar, and keeps these.
    tooltip = [
        alt.Tooltip("left:Q", title="score from", format=".2f"),
        alt.Tooltip("right:Q", title="to", format=".2f"),
        alt.Tooltip("rows:Q", format=","),
    ]
    # Else Vega would look for the highest of the kept bars, of which there may be none.
    heights = alt.Scale(domain=[0, int(per_bin.max())], nice=True)
    every = _chart(bars).encode(alt.Y2Datum(0), tooltip=tooltip)
    dropped = every.mark_rect(style="dropped").encode(
        alt.X("left:Q", scale=SCORE, title="score", axis=TENTHS),
        alt.Y("rows:Q", title="rows", scale=heights, axis=alt.Axis(tickCount=4, format=",d")),
        x2="right:Q",
    )
    kept = (
        every.transform_filter("datum.right > threshold || datum.ones > 0")
        .transform_calculate(
            start="threshold < 1 ? max(datum.left, threshold) : datum.left",
            height="threshold < 1 ? datum.rows : datum.ones",
        )
        .mark_rect(style="kept")
        .encode(alt.Y("height:Q", scale=heights), x="start:Q", x2="right:Q")
    )
    return _specification(dropped, kept, *_threshold_rules("score", thresholds), thresholds=thresholds)


def kept_curves(kept: Mapping[str, NDArray[np.int64]], thresholds: Thresholds) -> Specification:
    """Draw the share of scored rows that each threshold keeps, a curve for each file.

    Args:
        kept: Rows at or above each step, [STEPS + 1], by the file's name.
        thresholds: Named thresholds, drawn as rules.
    """
    points = [
        {"file": name, "threshold": step / STEPS, "share": int(rows[step]) / max(int(rows[0]), 1)}
        for name, rows in kept.items()
        for step in range(0, STEPS + 1, STEPS // BINS)
    ]
    names = list(kept)
    legend = alt.Legend(title=None, orient="top", columns=3, labelLimit=240, symbolSize=900)  # A stroke of 30 pixels.
    dashes = alt.Scale(domain=names, range=[DASHES[place % len(DASHES)] for place in range(len(names))])
    tooltip = ["file:N", alt.Tooltip("threshold:Q", format=".2f"), alt.Tooltip("share:Q", title="kept", format=".1%")]
    curves = (
        _chart(points)
        .mark_line(style="curve")
        .encode(
            alt.X("threshold:Q", scale=SCORE, axis=TENTHS),
            alt.Y("share:Q", title="rows kept", scale=SCORE, axis=alt.Axis(format="%", tickCount=5)),
            alt.Color("file:N", scale=alt.Scale(domain=names), legend=legend),
            alt.StrokeDash("file:N", scale=dashes, legend=legend),
            tooltip=tooltip,
        )
    )
    return _specification(curves, *_threshold_rules("threshold", thresholds), thresholds=thresholds)


def length_chart(lengths: Mapping[int, Summary]) -> Specification:
    """Draw the median score by length of text, and the band from p10 to p90."""
    points = [
        {
            "middle": start + LENGTH_STEP / 2,
            "characters": f"{start} or more" if start == LAST_LENGTH else f"{start} to {start + LENGTH_STEP - 1}",
            **_spread(summary),
        }
        for start, summary in sorted(lengths.items())
        if summary.scored
    ]
    base = _chart(points).encode(
        alt.X("middle:Q", title="characters of text", axis=alt.Axis(tickMinStep=LENGTH_STEP, format="d"))
    )
    score = alt.Y("p10:Q", title="score", scale=SCORE, axis=alt.Axis(tickCount=5))
    tooltip = ["characters:N", *SPREAD]
    band = base.mark_area(style="band").encode(score, y2="p90:Q")
    ends = base.mark_rule(style="ends").encode(score, y2="p90:Q", tooltip=tooltip)
    line = base.mark_line(style="median").encode(alt.Y("median:Q", scale=SCORE))
    dots = base.mark_point(style="dot", filled=True).encode(alt.Y("median:Q", scale=SCORE), tooltip=tooltip)
    return _specification(band, ends, line, dots)


def group_chart(groups: Mapping[str, Summary], title: str) -> Specification:
    """Draw the median score of each group and the span from p10 to p90, the highest median first.

    Args:
        groups: The groups by name.
        title: Name of the axis. It comes from a file; Vega-Lite puts the titles of tooltips and encodings into programs
            and escapes only quotes, so that it must be the title of an axis and nothing else.
    """
    points = [{"group": name, **_spread(summary)} for name, summary in groups.items() if summary.scored]
    order = alt.EncodingSortField(field="median", order="descending")
    axis = alt.Axis(title=title, labelLimit=160)
    base = _chart(points).encode(alt.Y("group:N", sort=order, axis=axis), tooltip=["group:N", *SPREAD])
    spans = base.mark_rule(style="span").encode(
        alt.X("p10:Q", title="score", scale=SCORE, axis=alt.Axis(tickCount=5)), x2="p90:Q"
    )
    medians = base.mark_point(style="dot", filled=True).encode(alt.X("median:Q", scale=SCORE))
    return _specification(spans, medians, height=20 * len(points))


def _spread(summary: Summary) -> dict[str, float]:
    quantiles = summary.quantiles()
    return {"rows": summary.scored, **{name: round(quantiles[name], 4) for name in ("p10", "median", "p90")}}


def _threshold_rules(title: str, thresholds: Thresholds) -> list[alt.Chart]:
    score = alt.X("score:Q", scale=SCORE, title=title)
    presets = _chart([{"score": value, "name": name} for name, value in thresholds.items()])
    chosen = _chart([{}]).transform_calculate(score="threshold")
    return [
        presets.mark_rule(style="preset").encode(score, tooltip=["name:N", "score:Q"]),
        chosen.mark_rule(style="threshold").encode(score),
    ]


def _chart(values: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=values))


def _specification(*layers: alt.Chart, thresholds: Thresholds | None = None, height: Any = HEIGHT) -> Specification:
    chart: Any = alt.layer(*layers).properties(
        width="container", height=height, autosize={"type": "fit-x", "contains": "padding"}
    )
    if thresholds is not None:
        chart = chart.add_params(alt.param(name="threshold", value=min(thresholds.values(), default=0.5)))
    return chart.to_dict()
