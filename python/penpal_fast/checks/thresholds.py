"""Thresholds: a filter keeps the rows whose scores are at or above one."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

from penpal_fast.errors import PenpalError

THRESHOLDS = {"lenient": 0.3, "balanced": 0.5, "strict": 0.7}
"""Thresholds by name, the lowest first."""

CLEAN_KEPT = 0.95
"""Share of clean lines that calibration keeps at the threshold with which a filter begins; evaluations compare scores
there."""

GOOD_SHARE = CLEAN_KEPT
"""Default share of good lines that a threshold found from them keeps."""


def threshold_of(value: str | float, thresholds: Mapping[str, float] = THRESHOLDS) -> float:
    """Turn a threshold's name, or a number from 0 to 1, into the number.

    Raises:
        PenpalError: It is neither.
    """
    try:
        threshold = thresholds[value] if value in thresholds else float(value)  # type: ignore[index]
    except (ValueError, TypeError, OverflowError):
        threshold = -1.0
    if not 0 <= threshold <= 1:
        names = ", ".join(f"{name} ({number})" for name, number in thresholds.items())
        choices = f" or one of {names}" if names else ""
        raise PenpalError(f"the threshold must be a number from 0 to 1{choices}, got {value!r}")
    return threshold


def checked_top(top: float | None) -> int | float | None:
    """Return a number of rows, 1 or more, as an int, and a share of the rows, above 0 and up to 1, as a float.

    Raises:
        PenpalError: It is neither.
    """
    if top is None:
        return None
    if isinstance(top, Integral) and not isinstance(top, bool) and top >= 1:
        return int(top)
    if isinstance(top, Real) and not isinstance(top, Integral) and 0 < top <= 1:
        return float(top)
    raise PenpalError(
        f"top must be a number of rows, such as 10000, or a share above 0 and up to 1, such as 0.2; got {top!r}"
    )
