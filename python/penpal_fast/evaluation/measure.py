"""The figures of a model card, as one JSON object."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.summary import Summary
from penpal_fast.checks.thresholds import CLEAN_KEPT, THRESHOLDS
from penpal_fast.evaluation.figures import area_under_curve, kept, rank_correlation, rounded, threshold_that_keeps
from penpal_fast.evaluation.sets import ScoredSet
from penpal_fast.handwriting.junk import KINDS, UNSEEN

TOLD_APART = (
    ("real", "corrupted"),
    ("real", "clean"),
    ("real_short", "corrupted"),
    ("real_short", "clean"),
    ("clean", "corrupted"),
)
"""Pairs of sets; the first should score above the second."""

SHARES_OF_CLEAN = (CLEAN_KEPT, 0.138, 0.03)
"""Shares of clean lines that set the thresholds for the other sets. The reference model keeps 0.138 of them at 0.5 and
0.03 at 0.7."""


def measure(sets: dict[str, ScoredSet]) -> dict[str, Any]:
    """Measure scored sets."""
    return {
        "scores": {name: distribution(one.good) for name, one in sets.items()},
        "auc": {
            f"{high} / {low}": rounded(area_under_curve(sets[high].good, sets[low].good)) for high, low in TOLD_APART
        },
        "auc_clean_by_corruption": {
            kind: rounded(area_under_curve(sets["clean"].good, sets["corrupted"].of_kind(kind)))
            for kind in sorted({kind for kind in sets["corrupted"].kinds if kind})
        },
        "kept_where_clean_is": {str(share): _kept_where_clean_is(sets, share) for share in SHARES_OF_CLEAN},
        "junk_below_lenient": {
            name: {kind: rounded(1 - kept(sets["junk"].of_kind(kind), THRESHOLDS["lenient"])) for kind in kinds}
            for name, kinds in (("trained_on", KINDS), ("unseen", UNSEEN))
        },
        "length_correlation_real": _length_correlation(sets["real"]),
    }


def distribution(scores: NDArray[np.float32]) -> dict[str, float]:
    """Return the columns of the reference model's card."""
    summary = Summary()
    summary.add(scores, ())
    quantiles = summary.quantiles()
    return {
        "rows": len(scores),
        "mean": rounded(summary.mean or 0.0),
        **{name: rounded(quantiles[name]) for name in ("p10", "median", "p90")},
        **{f"kept_{THRESHOLDS[name]}": rounded(share) for name, share in summary.kept().items()},
        "kept_0.9": rounded(kept(scores, 0.9)),
    }


def _kept_where_clean_is(sets: dict[str, ScoredSet], share: float) -> dict[str, float]:
    threshold = threshold_that_keeps(sets["clean"].good, share)
    found = {name: rounded(kept(one.good, threshold)) for name, one in sets.items() if name != "clean"}
    return {"threshold": rounded(threshold), **found}


def _length_correlation(real: ScoredSet) -> float | None:
    known = ~np.isnan(real.lengths) & ~np.isnan(real.scores)
    return rounded(rank_correlation(real.scores[known], real.lengths[known])) if known.sum() > 2 else None
