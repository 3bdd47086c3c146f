"""The last step of a training: how strongly each batch norm scales, tuned on the validation lines.

The loss of the steps weighs lines of all kinds and geometries alike. What a score is for weighs some figures more than
others, and a few numbers suffice to move them: one factor for the variance of each batch norm. A plain evolution
strategy searches for them; a gradient would need figures without steps, which shares above a threshold are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from penpal_fast.network.layers import layers
from penpal_fast.network.model import QualityClassifier
from penpal_fast.progress import Progress, no_progress
from penpal_fast.training.recipe import Tuning

CHILDREN = 12
"""Networks that are measured in a generation."""

PARENTS = 4
"""The best of them, whose mean the next generation is drawn around."""

LAST_SPREAD = 0.2
"""What the spread falls towards, as a share of the first generation's."""


def tune(
    model: QualityClassifier,
    tuning: Tuning,
    measure: Callable[[QualityClassifier], Mapping[str, float]],
    progress: Progress = no_progress,
) -> None:
    """Multiply the variance of each batch norm of a network by the factor that makes most of its figures.

    Args:
        model: The network, which is changed in place.
        tuning: What each figure counts, and how long to search.
        measure: Measures a network. Figures that it leaves out at first count nothing; a network without one of the
            others is not chosen.
        progress: Called with the generations done and planned.
    """
    modules = dict(model.named_modules())
    norms = [modules[layer.norm] for layer in layers(model.config)]
    variances = [norm.running_var for norm in norms]

    def scale(logarithms: NDArray[np.float64]) -> None:
        for norm, variance, factor in zip(norms, variances, np.exp(logarithms), strict=True):
            norm.running_var = variance * float(factor)

    first = measure(model)
    weights = {name: weight for name, weight in tuning.figures.items() if name in first}

    def worth(figures: Mapping[str, float]) -> float:
        if not weights.keys() <= figures.keys():
            return -np.inf
        return sum(weight * figures[name] for name, weight in weights.items())

    def tried(logarithms: NDArray[np.float64]) -> float:
        scale(logarithms)
        return worth(measure(model))

    random = np.random.default_rng(tuning.seed)
    best = mean = np.zeros(len(norms))
    most = worth(first)
    for generation in range(tuning.generations):
        progress(generation, tuning.generations)
        spread = tuning.spread * LAST_SPREAD ** (generation / tuning.generations)
        children = mean + spread * random.normal(size=(CHILDREN, len(norms)))
        worths = np.array([tried(child) for child in children])
        order = np.argsort(-worths, kind="stable")
        mean = children[order[:PARENTS]].mean(axis=0)
        for candidate, value in ((children[order[0]], worths[order[0]]), (mean, tried(mean))):
            if value > most:
                best, most = candidate, value
    scale(best)
    progress(tuning.generations, tuning.generations)
