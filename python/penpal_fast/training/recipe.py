"""Every choice of a training, in one JSON file."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from penpal_fast.errors import PenpalError
from penpal_fast.handwriting.junk import KINDS
from penpal_fast.network.config import ModelConfig
from penpal_fast.synthesis.plan import Plan

BUNDLED = Path(__file__).parent / "recipes" / "bundled.json"
"""The recipe of the model in this package."""

CHANNELS = ModelConfig().channels

NAME = re.compile("[A-Za-z0-9_-]+")

MAX_LAYERS = 7
"""Most channels of a network to train: batch norm needs more than one value, and each layer halves the canvas."""


MOST_PICTURES = 1_000_000_000
MOST_OF_BATCH = 1024
"""Pictures of a step; each takes some 3 MB."""


def _check_names(where: str, values: Any, known: Iterable[str]) -> None:
    if not isinstance(values, dict):
        raise PenpalError(f"{where} must be an object, got {type(values).__name__}")
    known = sorted(known)
    if unknown := sorted(set(values) - set(known)):
        raise PenpalError(f"{where} has unknown fields {unknown}; there are {known}")


def _check_range(owner: Any, least: float, most: float, *names: str) -> None:
    """Make sure that fields are numbers in a range, and whole ones where their defaults are."""
    for name in names:
        value, whole = getattr(owner, name), isinstance(getattr(type(owner), name), int)
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else (int, float))
            or not least <= value <= most
        ):
            kind = "a whole number" if whole else "a number"
            raise PenpalError(f"recipe: {name} must be {kind} from {least:,} to {most:,}, got {value!r}")


def _fields(kind: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _built(kind: Any, where: str, values: Any) -> Any:
    """Make a dataclass of what is named, with the defaults for the rest."""
    _check_names(where, values, _fields(kind))
    return kind(**values)


@dataclasses.dataclass(frozen=True)
class Shares:
    """Shares of the kinds of lines among the pictures; they sum to 1."""

    real: float = 0.38
    clean: float = 0.22
    corrupted: float = 0.28
    junk: float = 0.12

    def __post_init__(self) -> None:
        """Check the range of each."""
        _check_range(self, 0, 1, "real", "clean", "corrupted", "junk")


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
            `penpal_fast.handwriting.junk`.
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
        """Check ranges and the kinds of junk."""
        _check_range(self, 0, 1, "real_cut", "matched", "link", "bend", "smooth", "thin", "line_width", "spoilt")
        _check_range(self, 1, 1000, "longest")
        _check_names("recipe: junk_weights", self.junk_weights, KINDS)
        if not all(isinstance(weight, (int, float)) and 0 < weight <= 1e6 for weight in self.junk_weights.values()):
            raise PenpalError(f"recipe: junk_weights must be above 0 and at most a million, got {self.junk_weights}")


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

    def __post_init__(self) -> None:
        """Check ranges."""
        _check_range(self, 1, MOST_PICTURES, "pictures", "checkpoint_steps")
        _check_range(self, 1, MOST_OF_BATCH, "batch_size")
        _check_range(self, 1e-9, 10, "learning_rate")
        shares = ("warmup_share", "weight_decay", "average_decay", "start_share", "level_from", "length_price")
        _check_range(self, 0, 1, *shares)
        _check_range(self, -1, 1, "length_lean")
        _check_range(self, 0, 2**32 - 1, "seed")

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
        _check_names("recipe: a stage", values, parts)
        return cls(**{name: _built(parts[name], f"recipe: {name}", fields) for name, fields in values.items()})


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

    def __post_init__(self) -> None:
        """Check what names a file, and the split."""
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise PenpalError(f"recipe: a name must be of letters, digits, - and _, got {self.name!r}")
        if self.split not in ("train", "validation"):
            raise PenpalError(f"recipe: the split of {self.name} must be train or validation, got {self.split!r}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Making:
        """Take what a recipe says of a file."""
        _check_names("recipe: a file of synthetic lines", values, _fields(cls))
        if missing := set(_fields(cls)) - values.keys():
            raise PenpalError(f"recipe: a file of synthetic lines needs {sorted(missing)}")
        _check_names("recipe: a plan", values["plan"], _fields(Plan))
        return cls(values["name"], values["split"], Plan.from_dict(values["plan"]))


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
        names = [making.name for making in self.synthesis]
        if len(set(names)) < len(names):
            raise PenpalError(f"recipe: files of synthetic lines need names of their own, got {names}")
        (low, many), (high, few) = self.clean_kept
        if not (0 < low < high < 1 and 1 > many > few > 0):
            raise PenpalError(
                f"recipe: clean_kept must be two pairs of a score and the share that is to reach it, the higher score "
                f"with the smaller share, all between 0 and 1, got {self.clean_kept}"
            )
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
            _check_names("the recipe", values, _fields(cls))
            known: dict[str, Any] = {}
            if "network" in values:
                network = dict(values["network"])
                _check_names("recipe: network", network, _fields(ModelConfig))
                known["network"] = ModelConfig(**{**network, "channels": tuple(network.get("channels", CHANNELS))})
            if "synthesis" in values:
                known["synthesis"] = tuple(Making.from_dict(one) for one in values["synthesis"])
            if "stages" in values:
                known["stages"] = tuple(Stage.from_dict(stage) for stage in values["stages"])
            if "clean_kept" in values:
                (low, high) = values["clean_kept"]
                known["clean_kept"] = ((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))
            return cls(**known)
        except PenpalError as error:
            raise PenpalError(f"{path}: {error}") from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise PenpalError(f"{path}: cannot use this recipe: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe with everything that it left to defaults."""
        return dataclasses.asdict(self)
