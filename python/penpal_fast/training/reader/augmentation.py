"""Changes to a row after which it still says its text. Rows are in heights, so sizes are too."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from penpal_fast.training import recipe_fields
from penpal_fast.training.recipe_fields import check_ranges

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]

EXTREME_WIDTHS = (0.5, 3.0)


@dataclasses.dataclass(frozen=True)
class Changes:
    """How often and how much rows are changed; amounts are standard deviations.

    Attributes:
        slant: Rightward per upward.
        rotation: In degrees.
        stretch: Of the logarithm of the width.
        extreme_stretch: Share of the rows whose width is drawn from half to three times.
        wave: Share of the rows whose size and place rise and fall along the line.
        shake: Share of the rows whose strokes are shifted, each for itself.
        noise: Share of the rows whose points are shifted, each for itself.
        smooth: Share of the rows whose noise is taken away.
        thin: Share of the rows that lose points.
        join: Share of the rows in which strokes are joined to the next.
        lift: Share of the rows in which the pen is lifted within strokes, for nothing.
        delay: Share of the rows in which short strokes (dots, crossbars) are written at another time.
        turn: Share of the rows in which some short strokes are written from the other end.
    """

    slant: float = recipe_fields.number(0.22, 0, 2)
    rotation: float = recipe_fields.number(2.5, 0, 45)
    stretch: float = recipe_fields.number(0.15, 0, 1)
    extreme_stretch: float = recipe_fields.share(0.08)
    wave: float = recipe_fields.share(0.35)
    shake: float = recipe_fields.share(0.3)
    noise: float = recipe_fields.share(0.25)
    smooth: float = recipe_fields.share(0.3)
    thin: float = recipe_fields.share(0.2)
    join: float = recipe_fields.share(0.15)
    lift: float = recipe_fields.share(0.08)
    delay: float = recipe_fields.share(0.25)
    turn: float = recipe_fields.share(0.1)

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_ranges(self)

    def scaled(self, factor: float) -> Changes:
        """Return changes that are rarer and smaller by a factor."""
        return Changes(**{name: factor * value for name, value in dataclasses.asdict(self).items()})


def changed(points: Points, stroke: Numbers, changes: Changes, random: np.random.Generator) -> tuple[Points, Numbers]:
    """Return a changed row: points [N, 2] and the number of each point's stroke [N], never falling."""
    points = points.copy()
    chance = dict(zip(CHANCES, random.random(len(CHANCES)), strict=True))
    if chance["smooth"] < changes.smooth:
        points = _smoothed(points, stroke, int(random.integers(1, 4)))
    if chance["thin"] < changes.thin:
        points, stroke = _thinned(points, stroke, random)
    if chance["noise"] < changes.noise:
        points += random.normal(0, random.uniform(0, 0.02), points.shape)
    if chance["shake"] < changes.shake:
        points += random.normal(0, random.uniform(0, 0.06), (stroke[-1] + 1, 2))[stroke]
    if chance["wave"] < changes.wave:
        _wave(points, random)
    if chance["turn"] < changes.turn:
        points = _reordered(points, stroke, random, delay=False)[0]
    if chance["delay"] < changes.delay:
        points, stroke = _reordered(points, stroke, random, delay=True)
    if chance["join"] < changes.join:
        stroke = _joined(points, stroke, random)
    if chance["lift"] < changes.lift:
        stroke = _lifted(stroke, random)
    _bend(points, changes, random, extreme=chance["extreme_stretch"] < changes.extreme_stretch)
    return points, stroke


CHANCES = tuple(field.name for field in dataclasses.fields(Changes))


def _bend(points: Points, changes: Changes, random: np.random.Generator, *, extreme: bool) -> None:
    slant, turn, stretch = random.normal(0, 1, 3).clip(-3, 3)
    angle = math.radians(turn * changes.rotation)
    width = math.exp(random.uniform(*np.log(EXTREME_WIDTHS)) if extreme else stretch * changes.stretch)
    x = width * (points[:, 0] - slant * changes.slant * points[:, 1])
    y = points[:, 1].copy()
    points[:, 0] = math.cos(angle) * x - math.sin(angle) * y
    points[:, 1] = math.sin(angle) * x + math.cos(angle) * y


def _wave(points: Points, random: np.random.Generator) -> None:
    size, rise, spread = random.uniform(0, 0.2), random.uniform(0, 0.25), random.uniform(0, 0.15)
    phases, lengths = random.uniform(0, 2 * math.pi, 3), random.uniform(4, 20, 3)
    x = points[:, 0]
    angles = [2 * math.pi * x / length + phase for phase, length in zip(phases, lengths, strict=True)]
    points[:, 1] = points[:, 1] * (1 + size * np.sin(angles[0])) + rise * np.sin(angles[1])
    points[:, 0] = x + spread * lengths[2] / (2 * math.pi) * np.sin(angles[2])


def _smoothed(points: Points, stroke: Numbers, times: int) -> Points:
    inner = np.concatenate([[False], (stroke[2:] == stroke[1:-1]) & (stroke[1:-1] == stroke[:-2]), [False]])
    for _ in range(times):
        mean = points.copy()
        mean[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
        points = np.where(inner[:, None], mean, points)
    return points


def _thinned(points: Points, stroke: Numbers, random: np.random.Generator) -> tuple[Points, Numbers]:
    ends = np.concatenate([[True], np.diff(stroke) != 0]) | np.concatenate([np.diff(stroke) != 0, [True]])
    kept = ends | (random.random(len(points)) > random.uniform(0.1, 0.6))
    return points[kept], stroke[kept]


def _joined(points: Points, stroke: Numbers, random: np.random.Generator) -> Numbers:
    first = np.flatnonzero(np.diff(stroke)) + 1
    gap = points[first] - points[first - 1]
    near = (np.abs(gap).max(axis=1) < 0.6) & (gap[:, 0] > -0.2)
    joined = near & (random.random(len(first)) < random.uniform(0.2, 0.8))
    begins = np.zeros(len(stroke), dtype=np.int64)
    begins[first[~joined]] = 1
    return np.cumsum(begins)


def _lifted(stroke: Numbers, random: np.random.Generator) -> Numbers:
    """Begin new strokes at some points, one in 10 to 50 of them."""
    begins = (np.diff(stroke, prepend=stroke[0]) != 0) | (random.random(len(stroke)) < random.uniform(0.02, 0.1))
    begins[0] = False
    return np.cumsum(begins)


def _reordered(points: Points, stroke: Numbers, random: np.random.Generator, *, delay: bool) -> tuple[Points, Numbers]:
    """Write some short strokes later or earlier, or from the other end."""
    spans = np.split(np.arange(len(points)), np.flatnonzero(np.diff(stroke)) + 1)
    order = np.arange(len(spans), dtype=np.float64)
    pieces: list[Numbers] = []
    share = random.uniform(0.1, 0.6)
    for number, span in enumerate(spans):
        short = len(spans) > 1 and np.ptp(points[span], axis=0).max() < 0.45
        if short and random.random() < share:
            if delay:
                away = random.normal(0, 3.0)
                order[number] += math.copysign(abs(away) + 0.5, away)
            else:
                span = span[::-1]
        pieces.append(span)
    chosen = [pieces[number] for number in np.argsort(order, kind="stable")]
    return points[np.concatenate(chosen)], np.repeat(np.arange(len(chosen)), [len(span) for span in chosen])
