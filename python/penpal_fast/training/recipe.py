"""Every choice of a training, in one JSON file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penpal_fast.errors import PenpalError
from penpal_fast.network.config import ModelConfig
from penpal_fast.synthesis.plan import Plan
from penpal_fast.training.junk import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

BUNDLED = Path(__file__).parent / "recipes" / "bundled.json"
"""The recipe of the model in this package."""

MAX_LAYERS = 7
"""Most channels of a network to train: batch norm needs more than one value, and each layer halves the canvas."""


def _check_names(values: dict[str, Any], known: Iterable[str]) -> None:
    if unknown := values.keys() - set(known):
        raise PenpalError(f"unknown fields {sorted(unknown)}")


@dataclasses.dataclass(frozen=True)
class Shares:
    """Shares of the kinds of lines among the pictures; they sum to 1."""

    real: float = 0.38
    clean: float = 0.22
    corrupted: float = 0.28
    junk: float = 0.12


@dataclasses.dataclass(frozen=True)
class Changes:
    """How often lines are changed before they are drawn.

    Attributes:
        real_cut: Share of the real lines that are cut to 1 to `longest` words.
        longest: Most words of a cut line.
        matched: Share of the synthetic lines that are chosen to have the proportions of a real line, cut or not, lest
            the network learn length: long lines are small on the canvas.
        link: Share of the real lines that are cut and have their letters joined.
        bend: Share of all lines that are bent a little.
        smooth: Share of the real lines whose pen noise is taken away.
        thin: Share of all lines that lose points.
        line_width: Standard deviation of the line width of a batch around the model's, in pixels.
        spoilt: Share of the junk that is a spoilt line, not drawn from nothing.
        junk_weights: For kinds of junk that are to be more or less frequent than others like them, by how much; see
            `penpal_fast.training.junk`.
    """

    real_cut: float = 0.45
    longest: int = 6
    matched: float = 0.85
    link: float = 0.12
    bend: float = 0.8
    smooth: float = 0.45
    thin: float = 0.15
    line_width: float = 0.08
    spoilt: float = 0.6
    junk_weights: dict[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the kinds of junk."""
        _check_names(self.junk_weights, KINDS)
        if not all(weight > 0 for weight in self.junk_weights.values()):
            raise PenpalError(f"recipe: junk_weights must be above 0, got {self.junk_weights}")


@dataclasses.dataclass(frozen=True)
class Optimization:
    """How the weights are found: AdamW with a linear warm-up, then a cosine to a hundredth of the learning rate.

    Attributes:
        pictures: Number of pictures to train on.
        batch_size: Pictures of a step.
        learning_rate: Peak of the learning rate.
        warmup_share: Share of the steps that warm up.
        weight_decay: Of AdamW.
        average_decay: Of the running average of the weights, which is what is kept.
        start_share: Of the weights that the stage started from in what is kept, so that less is forgotten (Wortsman et
            al., "Robust fine-tuning of zero-shot models", 2022).
        level_from: Share of the steps after which the score of whole real lines is kept from growing with their length.
        length_price: What growth with length costs at the start; see `penpal_fast.training.loop.Slope`.
        length_lean: Correlation of score and length that is let be.
        checkpoint_steps: Steps between checkpoints, each with a measurement.
        seed: Of the first weights and of the examples.
    """

    pictures: int = 640_000
    batch_size: int = 64
    learning_rate: float = 5e-3
    warmup_share: float = 0.03
    weight_decay: float = 0.03
    average_decay: float = 0.999
    start_share: float = 0.0
    level_from: float = 0.25
    length_price: float = 0.0
    length_lean: float = 0.0
    checkpoint_steps: int = 500
    seed: int = 1

    @property
    def steps(self) -> int:
        """Number of steps."""
        return max(self.pictures // self.batch_size, 1)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of the training; the first starts from random weights, each other one from what the one before gave.

    Attributes:
        shares: Of the kinds of lines.
        changes: Of the lines before they are drawn.
        optimization: Of the weights.
    """

    shares: Shares = dataclasses.field(default_factory=Shares)
    changes: Changes = dataclasses.field(default_factory=Changes)
    optimization: Optimization = dataclasses.field(default_factory=Optimization)

    def __post_init__(self) -> None:
        """Check what the parts cannot check by themselves."""
        if abs(sum(dataclasses.astuple(self.shares)) - 1) > 1e-6:
            raise PenpalError(f"recipe: the shares must sum to 1, got {dataclasses.asdict(self.shares)}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Stage:
        """Take what is named, and the default for the rest."""
        parts: dict[str, Any] = {"shares": Shares, "changes": Changes, "optimization": Optimization}
        _check_names(values, parts)
        return cls(**{name: parts[name](**fields) for name, fields in values.items()})


@dataclasses.dataclass(frozen=True)
class Making:
    """A file of synthetic lines to be made for the training.

    Attributes:
        name: Of the file.
        split: Which of the real lines' texts are written.
        plan: How many lines of which kind.
    """

    name: str
    split: Literal["train", "validation"]
    plan: Plan


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides what weights come out, but for the data.

    Attributes:
        network: The network and its line width.
        synthesis: What is made of synthetic lines.
        stages: Of the training, one after another.
        clean_kept: For each score the share of clean validation lines that are to reach it; decides the map from the
            network's logits to the score.
    """

    network: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    synthesis: tuple[Making, ...] = ()
    stages: tuple[Stage, ...] = (Stage(),)
    clean_kept: tuple[tuple[float, float], tuple[float, float]] = ((0.5, 0.138), (0.7, 0.03))

    def __post_init__(self) -> None:
        """Check what the parts cannot check by themselves."""
        if not self.stages:
            raise PenpalError("recipe: it has no stages")
        if not self.network.batch_norm:
            raise PenpalError("recipe: training needs batch_norm; a network is folded when it is loaded for scoring")
        if len(self.network.channels) > MAX_LAYERS:
            raise PenpalError(
                f"recipe: a network to train has at most {MAX_LAYERS} channels, got {len(self.network.channels)}"
            )

    @classmethod
    def from_file(cls, path: Path) -> Recipe:
        """Read a recipe; what it does not name has its default.

        Raises:
            PenpalError: The file cannot be read, or has a field that is not known or cannot be used.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            _check_names(values, [field.name for field in dataclasses.fields(cls)])
            makings = tuple(
                Making(one["name"], one["split"], Plan.from_dict(one["plan"])) for one in values.get("synthesis", [])
            )
            network = dict(values.get("network", {}))
            if "channels" in network:
                network["channels"] = tuple(network["channels"])
            known: dict[str, Any] = {"network": ModelConfig(**network), "synthesis": makings}
            if "stages" in values:
                known["stages"] = tuple(Stage.from_dict(stage) for stage in values["stages"])
            if "clean_kept" in values:
                (low, high) = values["clean_kept"]
                known["clean_kept"] = ((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))
            return cls(**known)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PenpalError(f"{path}: cannot use this recipe: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe with everything that it left to defaults."""
        return dataclasses.asdict(self)
