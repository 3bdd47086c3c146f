from . import reference
from .checks.arrow import ArrowScorer
from .checks.check import Check, Outcome
from .checks.quality import QualityCheck, Scorer, score
from .checks.text_match import ReadabilityCheck, TextCheck
from .errors import PenpalError
from .first_points import without_first_points
from .jobs.convert import convert_dataset
from .jobs.filter import filter_dataset
from .jobs.score import score_dataset
from .look.explanation import Explanation, explain
from .look.sheet import ContactSheet
from .network.config import ModelConfig
from .network.model import BasicBlock, QualityClassifier
from .reading.model import ReaderNetwork
from .reading.reader import Letter, Reader, Span
from .rendering import render_batch, render_into, render_strokes
from .sources.tables import read_rows
from .strokes import strokes_from_offsets

__all__ = [
    "ArrowScorer",
    "BasicBlock",
    "Check",
    "ContactSheet",
    "Explanation",
    "Letter",
    "ModelConfig",
    "Outcome",
    "PenpalError",
    "QualityCheck",
    "QualityClassifier",
    "ReadabilityCheck",
    "Reader",
    "ReaderNetwork",
    "Scorer",
    "Span",
    "TextCheck",
    "convert_dataset",
    "explain",
    "filter_dataset",
    "read_rows",
    "reference",
    "render_batch",
    "render_into",
    "render_strokes",
    "score",
    "score_dataset",
    "strokes_from_offsets",
    "without_first_points",
]

__version__: str
