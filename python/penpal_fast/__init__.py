"""Scores rows of pen strokes by handwriting quality, from 0 (corrupted) to 1 (legible, human-looking).

MLX is imported when something first needs it, not by `import penpal_fast`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from penpal_fast.errors import PenpalError
from penpal_fast.rendering import render_batch, render_into, render_strokes
from penpal_fast.strokes import strokes_from_offsets

if TYPE_CHECKING:
    __version__: str
    from penpal_fast import reference
    from penpal_fast.checks.quality import ArrowScorer, Scorer, score
    from penpal_fast.jobs.filter import filter_dataset
    from penpal_fast.jobs.score import score_dataset
    from penpal_fast.look.saliency import Explanation, explain
    from penpal_fast.look.sheet import ContactSheet
    from penpal_fast.network.config import ModelConfig
    from penpal_fast.network.model import BasicBlock, QualityClassifier

_LAZY = {
    "ArrowScorer": "penpal_fast.checks.quality",
    "BasicBlock": "penpal_fast.network.model",
    "ContactSheet": "penpal_fast.look.sheet",
    "Explanation": "penpal_fast.look.saliency",
    "ModelConfig": "penpal_fast.network.config",
    "QualityClassifier": "penpal_fast.network.model",
    "Scorer": "penpal_fast.checks.quality",
    "explain": "penpal_fast.look.saliency",
    "filter_dataset": "penpal_fast.jobs.filter",
    "score": "penpal_fast.checks.quality",
    "score_dataset": "penpal_fast.jobs.score",
}

__all__ = [
    "ArrowScorer",
    "BasicBlock",
    "ContactSheet",
    "Explanation",
    "ModelConfig",
    "PenpalError",
    "QualityClassifier",
    "Scorer",
    "explain",
    "filter_dataset",
    "reference",
    "render_batch",
    "render_into",
    "render_strokes",
    "score",
    "score_dataset",
    "strokes_from_offsets",
]


def __getattr__(name: str) -> Any:
    if name == "reference":
        return importlib.import_module("penpal_fast.reference")
    if name == "__version__":
        return importlib.metadata.version("penpal-fast")
    if name not in _LAZY:
        raise AttributeError(f"module 'penpal_fast' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
