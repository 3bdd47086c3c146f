"""Measurements at every checkpoint, on the validation lines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.engines.native import NativeEngine
from penpal_fast.evaluation.figures import area_under_curve, kept, rank_correlation, threshold_that_keeps
from penpal_fast.handwriting.augmentation import cut, link, smooth
from penpal_fast.handwriting.junk import KINDS, UNSEEN
from penpal_fast.network.model import QualityClassifier
from penpal_fast.strokes import Strokes
from penpal_fast.training.examples import Sources
from penpal_fast.training.recipe import Recipe

JUNK_ROWS = 40
"""Rows of each kind of junk."""


class Validation:
    """The validation lines, the same for every network."""

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
        kinds = {"junk": KINDS, "unseen": UNSEEN}
        for name, functions in kinds.items():
            rows[name] = [
                function(random, real[int(random.integers(len(real)))].strokes())
                for function in functions.values()
                for _ in range(JUNK_ROWS)
            ]
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
            ValueError: The network gives all clean lines the same logit.
        """
        found = self._thresholds(_engine(model).logits(self._rows["clean"])[0])
        expected = [_logit(score) for score, _ in self._clean_kept]
        if not found[1] > found[0]:
            raise ValueError(
                f"cannot calibrate: clean lines that should score differently have the same logit {found[0]}"
            )
        scale = float((expected[1] - expected[0]) / (found[1] - found[0]))
        return scale, float(expected[0] - scale * found[0])

    def _thresholds(self, clean: NDArray[np.float32]) -> list[float]:
        return [threshold_that_keeps(clean, share) for _, share in self._clean_kept]

    def _lenient(self, thresholds: list[float]) -> float:
        """Return the logit that calibration maps to the lenient threshold."""
        low, high = (_logit(score) for score, _ in self._clean_kept)
        along = (_logit(THRESHOLDS["lenient"]) - low) / (high - low)
        return thresholds[0] + along * (thresholds[1] - thresholds[0])

    def measure(self, model: QualityClassifier) -> dict[str, float]:
        """Measure a network. Thresholds keep given shares of clean lines, so calibration changes no figure."""
        found = self.logits(model)
        half, strict = thresholds = self._thresholds(found["clean"])
        lenient = self._lenient(thresholds)
        figures = {
            "auc_real_corrupted": area_under_curve(found["real"], found["corrupted"]),
            "auc_real_clean": area_under_curve(found["real"], found["clean"]),
            "auc_short_corrupted": area_under_curve(found["short"], found["corrupted"]),
            "auc_short_clean": area_under_curve(found["short"], found["clean"]),
            "auc_clean_corrupted": area_under_curve(found["clean"], found["corrupted"]),
            "real_kept": kept(found["real"], half),
            "real_kept_strict": kept(found["real"], strict),
            "short_kept": kept(found["short"], half),
            "joined_kept": kept(found["joined"], half),
            "corrupted_kept": kept(found["corrupted"], threshold_that_keeps(found["clean"], 0.95)),
            "junk_dropped": 1 - kept(found["junk"], lenient),
            "unseen_junk_dropped": 1 - kept(found["unseen"], lenient),
            "length_correlation": rank_correlation(found["real"], self._lengths),
        }
        return {name: round(value, 4) for name, value in figures.items()}


def _engine(model: QualityClassifier) -> NativeEngine:
    return NativeEngine(model.config, model.tensors(), threads=0)


def _logit(score: float) -> float:
    return math.log(score / (1 - score))
