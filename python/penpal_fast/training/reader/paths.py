"""The path of `penpal_fast.path_reference` in NumPy, fast enough to make each one anew at every step of a training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.path_reference import (
    CHANNELS,
    DEVIATIONS,
    FARTHEST,
    FLATTEST,
    HIGHEST,
    MAX_SAMPLES,
    MIN_STEPS,
    REACH,
    ROUGH_DEVIATIONS,
    SHORTEST,
    STEEPEST,
    STEP,
    STRAY,
    THINNED,
    TooLongError,
)


def path_of(points: NDArray[np.float64], stroke: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the samples [N, 5] of a row.

    Args:
        points: All points of a row, [M, 2], finite.
        stroke: Number of each point's stroke, [M], never falling.

    Raises:
        TooLongError: There would be more than `MAX_SAMPLES` samples.
    """
    points, stroke = framed(points, stroke)
    kept = _thinned(points, stroke)
    points, stroke = points[kept], stroke[kept]
    begins = np.concatenate([[True], (np.diff(stroke) != 0) | (_lengths(points) > REACH)])
    along, first, ink, steps = _pieces(points, begins)
    if steps.sum() + len(steps) - 1 > MAX_SAMPLES:
        raise TooLongError("too long to read")
    stays = ~_is_stray(points, begins, steps == MIN_STEPS)
    if not stays.all():
        points, begins = points[stays], begins[stays]
        along, first, ink, steps = _pieces(points, begins)
    number = np.arange(steps.sum() + len(steps)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    places = np.repeat(along[first], steps + 1) + number * np.repeat(ink / steps, steps + 1)
    x, y = np.interp(places, along, points[:, 0]), np.interp(places, along, points[:, 1])
    lift = number[1:] == 0
    samples = np.empty((len(lift), CHANNELS), dtype=np.float32)
    dx, dy = np.diff(x), np.diff(y)
    samples[:, 0] = np.where(lift, np.clip(dx, -REACH, REACH), dx / STEP)
    samples[:, 1] = np.where(lift, np.clip(dy, -REACH, REACH), dy / STEP)
    samples[:, 2] = lift
    samples[:, 3] = np.clip((y[:-1] + y[1:]) / 2, -HIGHEST, HIGHEST)
    samples[:, 4] = _behind((x[:-1] + x[1:]) / 2)
    return samples


def _pieces(points: NDArray[np.float64], begins: NDArray[np.bool_]) -> tuple[NDArray[Any], ...]:
    """Return the place of each point along the ink, and of each piece the first point, the length and the steps."""
    first = np.flatnonzero(begins)
    # With a gap of 1 between pieces, so that every place has a length of its own.
    along = np.concatenate([[0.0], np.cumsum(np.where(begins[1:], 1.0, _lengths(points)))])
    ink = along[np.append(first[1:], len(points)) - 1] - along[first]
    return along, first, ink, np.maximum(np.floor(ink / STEP + 0.5).astype(np.int64), MIN_STEPS)


def _is_stray(points: NDArray[np.float64], begins: NDArray[np.bool_], is_dot: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each point is of a dot that is far from all other ink."""
    ink, first = points[~is_dot[np.cumsum(begins) - 1]], np.flatnonzero(begins)
    stray = np.array(
        [dot and not (_distances(ink, points[start]) <= STRAY).any() for dot, start in zip(is_dot, first, strict=True)]
    )
    # Where they are most of the row, they stay.
    return (stray & (2 * stray.sum() <= len(stray)))[np.cumsum(begins) - 1]


def framed(points: NDArray[np.float64], stroke: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distinct points in heights, y from the centre line, and their strokes."""
    points = points - points[0]
    again = np.concatenate([[False], (np.diff(stroke) == 0) & (np.diff(points, axis=0) == 0).all(axis=1)])
    points, stroke = points[~again], stroke[~again]
    slope, centre, height, least = _rough_frame(points)
    points = _put(points, 0.0, 0.0, height)
    slope, centre, fine = _ink_frame(points, stroke, slope, centre / height, least / height)
    return _put(points, slope, centre, fine), stroke


def _put(points: NDArray[np.float64], slope: float, centre: float, height: float) -> NDArray[np.float64]:
    level = np.stack([points[:, 0], points[:, 1] - slope * points[:, 0] - centre], axis=1) / height
    return np.clip(level, -FARTHEST, FARTHEST)


def _rough_frame(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    ordered = points[np.lexsort((points[:, 1], points[:, 0]))]
    third = max(len(ordered) // 3, 1)
    across, up = _medians(ordered[-third:]) - _medians(ordered[:third])
    slope = min(max(up / across, -STEEPEST), STEEPEST) if across > 0 else 0.0
    heights = (ordered[:, 1] - slope * ordered[:, 0])[:, None]
    centre = float(_medians(heights)[0])
    distances = np.sort(np.abs(heights - centre)[:, 0])
    least = float(across) * FLATTEST
    height = max(ROUGH_DEVIATIONS * float(distances[len(distances) * 3 // 4]), least) or float(distances[-1]) or 1.0
    return float(slope), centre, height, least


def _ink_frame(
    points: NDArray[np.float64], stroke: NDArray[np.int64], slope: float, centre: float, least: float
) -> tuple[float, float, float]:
    lengths = _lengths(points)
    near = np.abs(_put(points, slope, centre, 1.0)[:, 1]) <= REACH
    used = (np.diff(stroke) == 0) & (lengths <= REACH) & near[1:] & near[:-1]
    weights, start, end = lengths[used], points[:-1][used], points[1:][used]
    total = weights.sum()
    if total == 0:
        return 0.0, centre, 1.0
    middle = (start + end) / 2
    mean = weights @ middle / total
    middle, way = middle - mean, end - start
    moments = ((weights[:, None] * middle).T @ middle + (weights[:, None] * way).T @ way / 12) / total
    xx, xy, yy = moments[0, 0], moments[0, 1], moments[1, 1]
    doubt = (SHORTEST * DEVIATIONS) ** 2 * max(yy - xy**2 / xx if xx > 0 else yy, 0.0)
    slope = min(max(xy / (xx + doubt), -STEEPEST), STEEPEST) if xx > 0 else 0.0
    variance = yy - 2 * slope * xy + slope**2 * xx
    height = max(DEVIATIONS * math.sqrt(max(variance, 0.0)), least) or 1.0
    return float(slope), float(mean[1] - slope * mean[0]), float(height)


def _thinned(points: NDArray[np.float64], stroke: NDArray[np.int64]) -> list[int]:
    """Indices of the points that stay; one after another, since each depends on the last one kept."""
    xs, ys, strokes = points[:, 0].tolist(), points[:, 1].tolist(), stroke.tolist()
    kept: list[int] = []
    before, kept_x, kept_y = -1, 0.0, 0.0
    last = len(xs) - 1
    nearest = THINNED * THINNED
    for index, x in enumerate(xs):
        y, own = ys[index], strokes[index]
        dx, dy = x - kept_x, y - kept_y
        if own != before or dx * dx + dy * dy >= nearest or index == last or strokes[index + 1] != own:
            kept.append(index)
            before, kept_x, kept_y = own, x, y
    return kept


def _behind(x: NDArray[np.float64]) -> NDArray[np.float64]:
    front = np.maximum.accumulate(x)
    if (front - x).max() > REACH:
        values, farthest = [], -math.inf
        for value in x.tolist():
            farthest = max(min(farthest, value + REACH), value)
            values.append(farthest)
        front = np.array(values)
    return (x - front) / REACH


def _lengths(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return _distances(points[1:], points[:-1])


def _distances(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    way = points - others
    return np.sqrt((way * way).sum(axis=1))


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(values, axis=0)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
