"""Statistics of scores: areas under ROC curves, shares kept, and rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rounded(figure: float) -> float:
    """Return a figure with the four digits that tables have."""
    return round(float(figure), 4)


def area_under_curve(higher: NDArray[np.floating], lower: NDArray[np.floating]) -> float:
    """Return the chance that a random score of `higher` is above a random score of `lower`; ties count half."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(below.mean() / (2 * len(lower)))


def kept(scores: NDArray[np.floating], threshold: float) -> float:
    """Return the share of scores at or above a threshold."""
    return float((scores >= threshold).mean())


def threshold_that_keeps(scores: NDArray[np.floating], share: float) -> float:
    """Return the threshold that keeps this share of the scores."""
    return float(np.quantile(scores, 1 - share))


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return Spearman's rank correlation; ties get the mean of their ranks."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]
