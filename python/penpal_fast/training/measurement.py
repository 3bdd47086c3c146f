"""Measurements at every checkpoint, on the validation lines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.checks.thresholds import CLEAN_KEPT, THRESHOLDS
from penpal_fast.engines.native import NativeEngine
from penpal_fast.errors import PenpalError
from penpal_fast.evaluation.figures import area_under_curve, kept, rank_correlation, threshold_that_keeps
from penpal_fast.handwriting.augmentation import cut, link, smooth
from penpal_fast.handwriting.geometry import Geometry
from penpal_fast.handwriting.junk import KINDS, UNSEEN, Material
from penpal_fast.handwriting.lines import Line, garbled_lines
from penpal_fast.handwriting.outliers import OUTLIERS
from penpal_fast.network.model import QualityClassifier
from penpal_fast.strokes import Strokes
from penpal_fast.training.examples import Sources
from penpal_fast.training.recipe import Recipe

JUNK_ROWS = 40
"""Rows of each kind of junk and outlier."""

CHANGED_ROWS = 200
"""Rows of each kind of lines that are measured with a changed geometry."""

TRAINED_ON_ROWS = 1000
"""Rows of clean and of corrupted lines that a network is measured on although it is trained on them."""

CHANGES = (
    Geometry(slope=8),
    Geometry(slope=-8),
    Geometry(slant=20),
    Geometry(slant=-20),
    Geometry(stretch=0.5),
    Geometry(stretch=2),
    Geometry(stretch=4),
)


class Validation:
    """The validation lines, and some of the lines to train on, the same for every network."""

    def __init__(self, sources: Sources, recipe: Recipe) -> None:
        """Make the cut lines and the junk with a fixed seed."""
        random = np.random.default_rng(0)
        real = [line for line in sources.real.validation if line.text]
        rows: dict[str, list[Strokes]] = {
            "real": [line.strokes() for line in real],
            "short": [cut(line, random, longest=6) for line in real],
            "joined": [smooth(link(line, random, longest=2), random) for line in real],
            "clean": [line.strokes() for line in sources.clean.validation],
            "corrupted": [line.strokes() for line in sources.corrupted.validation],
        }
        garbled = garbled_lines(sources.corrupted.validation)
        for name, functions in {"junk": KINDS, "unseen": UNSEEN}.items():
            rows[name] = [
                function(random, Material(_any(real, random), _any(real, random), _any(garbled, random)))
                for function in functions.values()
                for _ in range(JUNK_ROWS)
            ]
        rows["outlier"] = [
            function(random, line.strokes())
            for lines in (real, sources.clean.validation, garbled)
            for function in OUTLIERS.values()
            for line in lines[:JUNK_ROWS]
        ]
        for name in ("real", "clean", "corrupted"):
            changed = [change(strokes) for change in CHANGES for strokes in rows[name][:CHANGED_ROWS]]
            rows[f"{name}_changed"] = changed
        for name, lines in (("clean", sources.clean.train), ("corrupted", sources.corrupted.train)):
            chosen = random.choice(len(lines), min(TRAINED_ON_ROWS, len(lines)), replace=False)
            rows[f"{name}_trained_on"] = [lines[index].strokes() for index in chosen]
        self._rows = {name: Rows(strokes) for name, strokes in rows.items()}
        self._lengths = np.array([len(line.text or "") for line in real])
        self._clean_kept = recipe.clean_kept

    def logits(self, model: QualityClassifier) -> dict[str, NDArray[np.float32]]:
        """Score every set of lines."""
        engine = _engine(model)
        return {name: engine.logits(rows)[0] for name, rows in self._rows.items()}

    def calibration(self, model: QualityClassifier) -> tuple[float, float]:
        """Return the scale and shift of logits that make the recipe's scores keep the recipe's shares of clean lines.

        Raises:
            PenpalError: The network gives all clean lines the same logit.
        """
        scale, shift = self._calibration(_engine(model).logits(self._rows["clean"])[0])
        if not 0 < scale < math.inf:
            raise PenpalError(
                "cannot calibrate: clean validation lines that should score differently have the same logit; train "
                "longer, or validate on more of them"
            )
        return scale, shift

    def _calibration(self, clean: NDArray[np.float32]) -> tuple[float, float]:
        low, high = (threshold_that_keeps(clean, share) for _, share in self._clean_kept)
        wanted_low, wanted_high = (_logit(score) for score, _ in self._clean_kept)
        scale = (wanted_high - wanted_low) / (high - low) if high > low else math.inf
        return scale, wanted_low - scale * low if high > low else 0.0

    def _largest_drift(self, found: dict[str, NDArray[np.float32]], thresholds: tuple[float, ...]) -> dict[str, float]:
        """Return by how much a change of geometry moves the share kept of each kind, at most."""
        drift = {}
        for name in ("real", "clean", "corrupted"):
            usual = found[name][:CHANGED_ROWS]
            changed = found[f"{name}_changed"].reshape(len(CHANGES), -1)
            drift[f"{name}_drift"] = max(
                abs(kept(one, threshold) - kept(usual, threshold)) for one in changed for threshold in thresholds
            )
        return drift

    def measure(self, model: QualityClassifier) -> dict[str, float]:
        """Measure a network. The thresholds are those of the scores after calibration.

        What cannot be measured, such as a correlation over one line, is left out.
        """
        found = self.logits(model)
        scale, shift = self._calibration(found["clean"])
        lenient, half, strict = (
            (_logit(THRESHOLDS[name]) - shift) / scale for name in ("lenient", "balanced", "strict")
        )
        figures = {
            "auc_real_corrupted": area_under_curve(found["real"], found["corrupted"]),
            "auc_real_clean": area_under_curve(found["real"], found["clean"]),
            "auc_short_corrupted": area_under_curve(found["short"], found["corrupted"]),
            "auc_short_clean": area_under_curve(found["short"], found["clean"]),
            "auc_clean_corrupted": area_under_curve(found["clean"], found["corrupted"]),
            # If this is far above the figure before it, the network knows its lines by heart: more lines would help.
            "auc_clean_corrupted_trained_on": area_under_curve(
                found["clean_trained_on"], found["corrupted_trained_on"]
            ),
            "real_kept": kept(found["real"], half),
            "real_kept_strict": kept(found["real"], strict),
            "short_kept": kept(found["short"], half),
            "joined_kept": kept(found["joined"], half),
            "corrupted_kept": kept(found["corrupted"], threshold_that_keeps(found["clean"], CLEAN_KEPT)),
            "junk_dropped": 1 - kept(found["junk"], lenient),
            "unseen_junk_dropped": 1 - kept(found["unseen"], lenient),
            "outliers_dropped": 1 - kept(found["outlier"], lenient),
            **self._largest_drift(found, (lenient, half, strict)),
            "length_correlation": rank_correlation(found["real"], self._lengths),
        }
        return {name: round(value, 4) for name, value in figures.items() if math.isfinite(value)}


def _any(lines: list[Line], random: np.random.Generator) -> Strokes:
    return lines[int(random.integers(len(lines)))].strokes()


def _engine(model: QualityClassifier) -> NativeEngine:
    return NativeEngine(model.config, model.tensors(), threads=0)


def _logit(score: float) -> float:
    return math.log(score / (1 - score))
