"""The path in plain Python: what the reader sees of a row, and the specification that every fast path is held to.

Nothing here is fast and nothing depends on NumPy, MLX or the Rust core. A row is a list of strokes, a stroke a list of
(x, y) pairs, y growing downward; words have been flattened away. All arithmetic is float64, sums run from first to
last, and distances are `sqrt(dx * dx + dy * dy)`, so that another implementation gives the same bits.

The way of a row: repeated points are dropped; the frame (slope, centre line, height) is estimated, roughly from points
and then from ink; points are put into the frame; each stroke is thinned, cut where it jumps, and divided into equal
steps. Each step is one sample of the path, and so is each lift of the pen between two strokes. A dot that is far from
all other ink is left out.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Point = tuple[float, float]
Stroke = Sequence[Point]

CHANNELS = 5
"""Numbers of a sample: dx, dy, lift, place above the line, distance behind the front."""

STEP = 0.12
"""Length of a step along the ink in heights: some 16 to 20 samples a letter."""

MIN_STEPS = 2
"""Steps of the shortest stroke, so that a dot is more than a moment between two lifts."""

REACH = 4.0
"""How far in heights anything reaches: ink farther from the line does not count for the frame, a longer segment is a
jump and not ink, and longer lifts look alike."""

STRAY = 3.0
"""A dot that is farther than this from all other ink, in heights, is stray: where the pen was put down, not a mark of
the text. The last dot of an ellipsis is some 2 from its word."""

THINNED = 0.06
"""Points closer than this to the last one kept are dropped, in heights: half a step, below which there is only noise
of the pen, and which a pen of a higher rate would give more of."""

HIGHEST = 2.0
"""Distances from the centre line are clipped to this, in heights; descenders and ascenders end near 1."""

DEVIATIONS = 2.6
"""Standard deviations of the ink about its line in a height, which makes it about that of an ascender."""

ROUGH_DEVIATIONS = 2.25
"""The same in the distance from the line that a quarter of the points exceed."""

STEEPEST = 0.3
"""Largest slope that a line is taken to have; more is a steep letter."""

SHORTEST = 1.0
"""Standard deviation of x, in heights, at which half of the slope is believed: in a short word it is chance."""

FLATTEST = 1 / 64
"""Least height, in the distance between the middles of the left and right thirds: that of a line of 150 letters. A
dash alone would have none."""

FARTHEST = 1e12
"""Coordinates are clipped to this many rough heights, so that no square overflows. They are relative to the first
point, which may be far from the rest."""

LARGE = 1e300
"""Rows that are wider or taller have their coordinates multiplied by SMALLER, a power of two, so that no sum of two
overflows."""

SMALLER = 2.0**-10

MAX_SAMPLES = 4096
"""Samples of the longest path: twice that of a line of 100 letters. What has more is not a line of writing."""


class TooLongError(ValueError):
    """The path would have more than `MAX_SAMPLES` samples."""


class Vertex(NamedTuple):
    """A point with its position in the stroke that was given, in points; between two points it is fractional."""

    x: float
    y: float
    position: float


class WritingFrame(NamedTuple):
    """The line that a row is written on, y = slope * x + centre, and the height of the writing."""

    slope: float
    centre: float
    height: float


class Place(NamedTuple):
    """Where a sample begins: the stroke and the position in it. A lift begins at the last point of its stroke."""

    stroke: int
    position: float


class Sample(NamedTuple):
    """One step along the ink, or one lift of the pen."""

    dx: float
    """Rightward: of a step in steps, so (dx, dy) is the direction where the ink is straight; of a lift in heights,
    clipped to REACH."""
    dy: float
    """The same downward."""
    lift: float
    """1 for a lift, 0 for a step."""
    y: float
    """Of the middle, downward from the centre line, in heights, clipped to HIGHEST."""
    behind: float
    """x of the middle less the front, the farthest x so far, in REACH: 0 where the pen goes on, down to -1 where it
    goes back to dot or cross a letter."""


def path(strokes: Sequence[Stroke]) -> tuple[list[Sample], list[Place]]:
    """Return the samples of a row and where each begins.

    Raises:
        ValueError: The row has no points, a coordinate is NaN or infinite, or the distance of two is.
        TooLongError: There would be more than MAX_SAMPLES samples.
    """
    pieces = [
        (stroke, piece) for stroke, vertices in enumerate(framed(strokes)) for piece in cut_at_jumps(thinned(vertices))
    ]
    count = sum(steps(piece) for _, piece in pieces) + len(pieces) - 1
    if count > MAX_SAMPLES:
        raise TooLongError(f"too long to read: {count} samples of path, at most {MAX_SAMPLES}")
    pieces = without_stray_dots(pieces)
    samples: list[Sample] = []
    places: list[Place] = []
    front = -math.inf

    def move(start: Vertex, end: Vertex, lift: bool, stroke: int) -> None:
        nonlocal front
        x, y = (start.x + end.x) / 2, (start.y + end.y) / 2
        front = max(min(front, x + REACH), x)
        dx, dy = end.x - start.x, end.y - start.y
        if lift:
            dx, dy = clipped(dx, REACH), clipped(dy, REACH)
        else:
            dx, dy = dx / STEP, dy / STEP
        samples.append(Sample(dx, dy, float(lift), clipped(y, HIGHEST), (x - front) / REACH))
        places.append(Place(stroke, start.position))

    for number, (stroke, piece) in enumerate(pieces):
        if number:
            before, ended = pieces[number - 1]
            move(ended[-1], piece[0], True, before)
        for start, end in itertools.pairwise(divided(piece)):
            move(start, end, False, stroke)
    return samples, places


def framed(strokes: Sequence[Stroke]) -> list[list[Vertex]]:
    """Return the distinct vertices of each stroke that has points, in heights, y from the centre line.

    The scale is found twice: roughly from the points, which one far point cannot move, then from the ink near the line,
    which does not depend on the pen's rate. An empty stroke stays, empty.

    Raises:
        ValueError: As `path`.
    """
    if not any(strokes):
        raise ValueError("the row has no points")
    if not all(math.isfinite(value) for stroke in strokes for point in stroke for value in point):
        raise ValueError("a coordinate is NaN or infinite")
    axes = zip(*(point for stroke in strokes for point in stroke), strict=True)
    span = max(max(values) - min(values) for values in axes)
    if math.isinf(span):
        raise ValueError("the distance of two coordinates is infinite")
    scale = SMALLER if span > LARGE else 1.0
    x0, y0 = next(stroke[0] for stroke in strokes if stroke)
    moved = [
        distinct([Vertex(scale * (x - x0), scale * (y - y0), position) for position, (x, y) in enumerate(stroke)])
        for stroke in strokes
    ]
    rough, least = rough_frame([(vertex.x, vertex.y) for stroke in moved for vertex in stroke])
    scaled = [[put(vertex, WritingFrame(0.0, 0.0, rough.height)) for vertex in stroke] for stroke in moved]
    fine = ink_frame(scaled, WritingFrame(rough.slope, rough.centre / rough.height, 1.0), least / rough.height)
    return [[put(vertex, fine) for vertex in stroke] for stroke in scaled]


def distinct(stroke: Sequence[Vertex]) -> list[Vertex]:
    """Drop each point that repeats the one before it: a pen that rests says nothing."""
    return [
        vertex
        for number, vertex in enumerate(stroke)
        if not number or (vertex.x, vertex.y) != (stroke[number - 1].x, stroke[number - 1].y)
    ]


def put(vertex: Vertex, frame: WritingFrame) -> Vertex:
    """Measure a vertex in a frame; x keeps its place, since a slope is taken away by a shear."""
    x = vertex.x / frame.height
    y = (vertex.y - frame.slope * vertex.x - frame.centre) / frame.height
    return Vertex(clipped(x, FARTHEST), clipped(y, FARTHEST), vertex.position)


def rough_frame(points: Sequence[Point]) -> tuple[WritingFrame, float]:
    """Estimate the frame by medians and a quartile, and the least height that is believed.

    The slope is that of Tukey's resistant line: between the medians of the left and the right third of the points.
    """
    ordered = sorted(points)
    third = max(len(ordered) // 3, 1)
    left, right = ordered[:third], ordered[-third:]
    across = median([x for x, _ in right]) - median([x for x, _ in left])
    up = median([y for _, y in right]) - median([y for _, y in left])
    slope = clipped(up / across, STEEPEST) if across > 0 else 0.0
    heights = [y - slope * x for x, y in ordered]
    centre = median(heights)
    distances = sorted(abs(height - centre) for height in heights)
    least = across * FLATTEST
    height = max(ROUGH_DEVIATIONS * distances[len(distances) * 3 // 4], least) or distances[-1] or 1.0
    return WritingFrame(slope, centre, height), least


def ink_frame(strokes: Sequence[Sequence[Vertex]], rough: WritingFrame, least: float) -> WritingFrame:
    """Estimate the frame from the ink near the rough line, each segment counting by its length.

    Moments of a segment are those of the points spread evenly along it, so it does not matter how it is divided.
    Without ink, as in a row of dots, the rough centre and height stay.

    Args:
        strokes: In rough heights.
        rough: The rough frame, in rough heights.
        least: Least height that is believed.
    """
    segments = [
        (start, end, length)
        for stroke in strokes
        for start, end in itertools.pairwise(stroke)
        if (length := distance(start, end)) <= REACH and max(abs(put(one, rough).y) for one in (start, end)) <= REACH
    ]
    total = plain_sum(length for _, _, length in segments)
    if total == 0:
        return WritingFrame(0.0, rough.centre, 1.0)
    mean_x = plain_sum(length * (start.x + end.x) / 2 for start, end, length in segments) / total
    mean_y = plain_sum(length * (start.y + end.y) / 2 for start, end, length in segments) / total
    xx = xy = yy = 0.0
    for start, end, length in segments:
        x, y = (start.x + end.x) / 2 - mean_x, (start.y + end.y) / 2 - mean_y
        dx, dy = end.x - start.x, end.y - start.y
        xx += length * (x * x + dx * dx / 12)
        xy += length * (x * y + dx * dy / 12)
        yy += length * (y * y + dy * dy / 12)
    xx, xy, yy = xx / total, xy / total, yy / total
    about_line = yy - xy * xy / xx if xx > 0 else yy
    doubt = (SHORTEST * DEVIATIONS) ** 2 * max(about_line, 0.0)
    slope = clipped(xy / (xx + doubt), STEEPEST) if xx > 0 else 0.0
    variance = yy - 2 * slope * xy + slope * slope * xx
    height = max(DEVIATIONS * math.sqrt(max(variance, 0.0)), least)
    return WritingFrame(slope, mean_y - slope * mean_x, height or 1.0)


def thinned(stroke: Sequence[Vertex]) -> list[Vertex]:
    """Keep the first vertex, each one that is at least THINNED from the last one kept, and the last."""
    kept: list[Vertex] = []
    for vertex in stroke:
        if not kept or distance(kept[-1], vertex) >= THINNED:
            kept.append(vertex)
    if kept and kept[-1] is not stroke[-1]:
        kept.append(stroke[-1])
    return kept


def cut_at_jumps(stroke: Sequence[Vertex]) -> Iterator[list[Vertex]]:
    """Yield the pieces of a stroke between segments longer than REACH, which are lifts that were not marked, or the
    way to a stray point and back."""
    piece: list[Vertex] = []
    for vertex in stroke:
        if piece and distance(piece[-1], vertex) > REACH:
            yield piece
            piece = []
        piece.append(vertex)
    if piece:
        yield piece


def without_stray_dots(pieces: list[tuple[int, list[Vertex]]]) -> list[tuple[int, list[Vertex]]]:
    """Leave out dots that are more than STRAY from all that is no dot. Where they are most of the row, they stay."""
    ink = [vertex for _, piece in pieces if not is_dot(piece) for vertex in piece]
    kept = [
        (stroke, piece)
        for stroke, piece in pieces
        if not is_dot(piece) or any(distance(piece[0], vertex) <= STRAY for vertex in ink)
    ]
    return kept if 2 * len(kept) >= len(pieces) else pieces


def is_dot(piece: Sequence[Vertex]) -> bool:
    """Whether a piece is as short as any."""
    return steps(piece) == MIN_STEPS


def steps(piece: Sequence[Vertex]) -> int:
    """Number of equal steps that a piece is divided into."""
    return max(math.floor(ink_length(piece) / STEP + 0.5), MIN_STEPS)


def ink_length(piece: Sequence[Vertex]) -> float:
    """Length of a piece in heights."""
    return plain_sum(distance(start, end) for start, end in itertools.pairwise(piece))


def divided(piece: Sequence[Vertex]) -> list[Vertex]:
    """Divide a piece into steps of equal length along the ink; their ends, first to last."""
    count = steps(piece)
    step = ink_length(piece) / count
    ends = [piece[0]]
    before = 0.0
    number = 1
    for start, end in itertools.pairwise(piece):
        length = distance(start, end)
        while length > 0 and number < count and number * step <= before + length:
            share = (number * step - before) / length
            ends.append(Vertex(*(a + share * (b - a) for a, b in zip(start, end, strict=True))))
            number += 1
        before += length
    return ends + [piece[-1]] * (count + 1 - len(ends))


def distance(start: Vertex, end: Vertex) -> float:
    """Distance between two vertices."""
    dx, dy = end.x - start.x, end.y - start.y
    return math.sqrt(dx * dx + dy * dy)


def plain_sum(values: Iterable[float]) -> float:
    """The sum from first to last; `sum` compensates for rounding from Python 3.12 on."""
    return functools.reduce(operator.add, values, 0.0)


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def clipped(value: float, most: float) -> float:
    """The nearest value from -most to most."""
    return min(max(value, -most), most)
