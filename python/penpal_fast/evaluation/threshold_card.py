"""What each named threshold of `quality` keeps, for the model card."""

from __future__ import annotations

from collections.abc import Mapping

from penpal_fast.checks.defaults import DEFAULT_THRESHOLDS
from penpal_fast.checks.quality import QualityCheck
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.evaluation.markdown import percent, table


def threshold_table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return the shares of the sets that each named threshold keeps, as Markdown.

    The last column is the share of garbled lines among what is kept of as many clean as garbled ones.

    Args:
        scores: The figures of each set, with `kept_0.3` and so on.
    """
    rows = []
    for name, value in THRESHOLDS.items():
        clean, garbled, real, short = (
            scores[kind][f"kept_{value}"] for kind in ("clean", "corrupted", "real", "real_short")
        )
        among = garbled / (clean + garbled) if clean + garbled else None
        default = ", the default" if name == DEFAULT_THRESHOLDS[QualityCheck.name] else ""
        rows.append([f"{value}", f"`{name}`{default}", *map(percent, (clean, garbled, real, short, among))])
    columns = ["clean synthetic", "garbled", "real, whole", "real, 1 to 6 words"]
    return table(["threshold", "name", *columns, "garbled among clean and garbled, as many of each"], rows) + "\n"
