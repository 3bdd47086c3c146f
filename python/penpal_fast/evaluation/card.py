"""Tables and pictures for the model card of `quality`."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from penpal_fast.canvas import SIDE
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.evaluation.changed import SETS
from penpal_fast.evaluation.markdown import percent, table
from penpal_fast.evaluation.sets import ScoredSet
from penpal_fast.rendering import render_strokes

NAMES = {
    "real": "real lines, whole",
    "real_short": "real lines, 1 to 6 words",
    "clean": "clean synthetic",
    "corrupted": "corrupted synthetic",
    "junk": "junk",
}


def tables(figures: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    parts = [_scores(figures["scores"]), _auc(figures), _kept(figures), _junk(figures["junk_below_lenient"])]
    if (length := figures["length_correlation_real"]) is not None:
        parts.append(f"Spearman's rank correlation of score and text length on whole real lines: {length:.3f}.")
    if figures.get("files"):
        parts.append(_files(figures["files"]))
    parts += [_changes(figures["changes"]), _outliers(figures["outliers"])]
    return "\n\n".join(parts) + "\n"


def _files(files: dict[str, dict[str, float]]) -> str:
    rows = [
        [name.replace("_", " "), f"{one['rows']:,}", f"{one['mean']:.3f}", *_shares(one)] for name, one in files.items()
    ]
    return table(["generated lines", "rows", "mean", *(f"at or above {value}" for value in THRESHOLDS.values())], rows)


def _shares(one: dict[str, float]) -> list[str]:
    return [percent(one[f"kept_{value}"]) for value in THRESHOLDS.values()]


def _changes(changes: dict[str, dict[str, dict[str, float]]]) -> str:
    rows = [
        [change, *(cell for kind in SETS for cell in (f"{one[kind]['mean']:.3f}", *_shares(one[kind])))]
        for change, one in changes.items()
    ]
    columns = ["mean", *(f"≥ {value}" for value in THRESHOLDS.values())]
    return table(["change", *(f"{kind}: {column}" for kind in SETS for column in columns)], rows)


def _outliers(outliers: dict[str, dict[str, dict[str, float]]]) -> str:
    rows = [
        [
            f"{outlier.replace('_', ' ')}, {kind}",
            f"{one['rise']:+.3f}",
            percent(one["kept"]),
            percent(one["unnoted"]),
        ]
        for outlier, kinds in outliers.items()
        for kind, one in kinds.items()
    ]
    return table(["outlier, and rows that get it", "change of the mean", "at or above 0.3", "and without a note"], rows)


def _scores(scores: dict[str, dict[str, float]]) -> str:
    columns = ["rows", "mean", "p10", "median", "p90", "kept_0.3", "kept_0.5", "kept_0.7", "kept_0.9"]
    rows = [
        [
            NAMES[name],
            f"{one['rows']:,}",
            *(f"{one[column]:.3f}" for column in columns[1:5]),
            *(percent(one[column]) for column in columns[5:]),
        ]
        for name, one in scores.items()
    ]
    return table(["scores", *(column.replace("kept_", "at or above ") for column in columns)], rows)


def _auc(figures: dict[str, Any]) -> str:
    rows = [
        [" from ".join(NAMES[name] for name in pair.split(" / ")), f"{auc:.3f}"] for pair, auc in figures["auc"].items()
    ]
    rows += [
        [f"{NAMES['clean']} from {kind.replace('_', ' ')} corruption", f"{auc:.3f}"]
        for kind, auc in figures["auc_clean_by_corruption"].items()
    ]
    return table(["separation of", "AUC"], rows)


def _kept(figures: dict[str, Any]) -> str:
    shares = figures["kept_where_clean_is"]
    names = [name for name in NAMES if name != "clean"]
    rows = [
        [percent(float(share)), f"{one['threshold']:.3f}", *(percent(one[name]) for name in names)]
        for share, one in shares.items()
    ]
    return table(["threshold that keeps this much clean synthetic", "", *(NAMES[name] for name in names)], rows)


def _junk(junk: dict[str, dict[str, float]]) -> str:
    rows = [
        [kind.replace("_", " "), "yes" if name == "trained_on" else "no", percent(share)]
        for name, kinds in junk.items()
        for kind, share in kinds.items()
    ]
    return table(["junk", "trained on", "below 0.3"], rows)


EXAMPLES = 6
"""Lines at each position in the order of scores."""

COLUMNS = 3

STRIP = 96
"""Height in pixels of the part of a canvas that is shown, from its middle; lines of text are seldom higher."""


def picture(one: ScoredSet) -> Image.Image:
    """Draw the lines of a set with the lowest, middle and highest scores, as the network sees them."""
    order = np.argsort(one.scores)[: len(one.good)]
    middle = max((len(order) - EXAMPLES) // 2, 0)
    places = {"lowest": order[:EXAMPLES], "middle": order[middle : middle + EXAMPLES], "highest": order[-EXAMPLES:]}
    height = 20 + EXAMPLES // COLUMNS * STRIP
    image = Image.new("L", (COLUMNS * SIDE, len(places) * height), 255)
    for number, (place, rows) in enumerate(places.items()):
        ImageDraw.Draw(image).text((4, number * height + 4), place, fill=90)
        for index, row in enumerate(rows.tolist()):
            left, top = index % COLUMNS * SIDE, number * height + 20 + index // COLUMNS * STRIP
            canvas = 1 - render_strokes(one.strokes[row])[(SIDE - STRIP) // 2 : (SIDE + STRIP) // 2, :, 0]
            image.paste(Image.fromarray((255 * canvas).astype(np.uint8)), (left, top))
            ImageDraw.Draw(image).text((left + 4, top + 2), f"{one.scores[row]:.3f}", fill=90)
    return image
