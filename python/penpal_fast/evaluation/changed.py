"""What changes of rows do to their scores: changes that nobody would call another quality, and outliers; and files of
further kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.quality import NOTE, Scorer
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.errors import UsageError
from penpal_fast.evaluation.figures import kept, rounded
from penpal_fast.evaluation.sets import ScoredSet
from penpal_fast.handwriting.augmentation import resample, resize_dots, smooth, thin
from penpal_fast.handwriting.geometry import Geometry
from penpal_fast.handwriting.lines import read_lines
from penpal_fast.handwriting.outliers import OUTLIERS
from penpal_fast.strokes import Strokes

Change = Callable[[Strokes, np.random.Generator], Strokes]

SETS = ("clean", "real", "corrupted")

MAX_ROWS = 1000
"""Rows of each set that are changed: the first ones."""


def _geometry(**parts: float) -> Change:
    change = Geometry(**parts)
    return lambda strokes, _random: change(strokes)


def _twice(change: Change) -> Change:
    return lambda strokes, random: change(change(strokes, random), random)


CHANGES: dict[str, Change] = {
    **{f"slope {angle:+d}°": _geometry(slope=angle) for angle in (-10, -6, -3, 3, 6, 10)},
    **{f"slant {angle:+d}°": _geometry(slant=angle) for angle in (-25, -15, -8, 8, 15, 25)},
    **{f"stretch {factor:g}": _geometry(stretch=factor) for factor in (0.5, 0.7, 1.5, 2, 3, 4)},
    "smoothed": smooth,
    "smoothed twice": _twice(smooth),
    "fewer points": thin,
    "points at equal distances": resample,
    "dots of another size": resize_dots,
}
"""Changes that nobody would call another quality."""


def measure_changes(sets: dict[str, ScoredSet], scorer: Scorer) -> dict[str, dict[str, dict[str, float]]]:
    """Return the mean score and the shares kept of each set: as it is ("unchanged"), and with each change."""
    unchanged = {kind: figures_of(sets[kind].scores[:MAX_ROWS]) for kind in SETS}
    changed = {
        name: {kind: _changed(sets[kind].strokes[:MAX_ROWS], change, scorer) for kind in SETS}
        for name, change in CHANGES.items()
    }
    return {"unchanged": unchanged, **changed}


def _changed(rows: Sequence[Strokes], change: Change, scorer: Scorer) -> dict[str, float]:
    random = np.random.default_rng(0)
    scores = scorer.score([change(row, random) for row in rows], errors="null")
    return figures_of(scores)


def by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """Return files by their names without the ending.

    Raises:
        UsageError: Two have one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise UsageError(
                f"{found[path.stem]} and {path} have one name; rename one, as figures are named after files"
            )
        found[path.stem] = path
    return found


def measure_files(files: dict[str, Path], scorer: Scorer) -> dict[str, dict[str, float]]:
    """Return the number of rows, the mean score and the shares kept of each file, by its name."""
    found = {}
    for name, path in files.items():
        scores = scorer.score([line.strokes() for line in read_lines(path)], errors="null")
        found[name] = {"rows": len(scores), **figures_of(scores)}
    return found


def figures_of(scores: NDArray[np.float32]) -> dict[str, float]:
    """Return the mean of the good scores and the share kept at each threshold."""
    good = scores[~np.isnan(scores)]
    shares = {f"kept_{threshold}": kept(good, threshold) for threshold in THRESHOLDS.values()}
    return {name: rounded(value) for name, value in {"mean": float(good.mean()), **shares}.items()}


def measure_outliers(sets: dict[str, ScoredSet], scorer: Scorer) -> dict[str, dict[str, dict[str, float]]]:
    """Return what each kind of outlier does to clean, real and gibberish rows.

    `rise` is the growth of the mean score, `kept` the share at or above 0.3, and `unnoted` the share of rows that are
    kept without a note on far points.
    """
    corrupted = sets["corrupted"]
    gibberish = [row for row, kind in enumerate(corrupted.kinds) if kind == "gibberish"]
    chosen = {
        "clean": (sets["clean"], range(len(sets["clean"].strokes))),
        "real": (sets["real"], range(len(sets["real"].strokes))),
        "gibberish": (corrupted, gibberish),
    }
    return {
        outlier: {
            name: _with_outlier(one, rows[:MAX_ROWS], outlier, scorer) for name, (one, rows) in chosen.items() if rows
        }
        for outlier in OUTLIERS
    }


def _with_outlier(one: ScoredSet, rows: Sequence[int], outlier: str, scorer: Scorer) -> dict[str, float]:
    random = np.random.default_rng(0)
    found = scorer.outcome([OUTLIERS[outlier](random, one.strokes[row]) for row in rows])
    is_kept = found.scores >= THRESHOLDS["lenient"]
    unnoted = np.asarray(found.details[NOTE].is_null()) & is_kept
    values: dict[str, Any] = {
        "rise": np.nanmean(found.scores) - np.nanmean(one.scores[list(rows)]),
        "kept": is_kept.mean(),
        "unnoted": unnoted.mean(),
    }
    return {name: rounded(value) for name, value in values.items()}
