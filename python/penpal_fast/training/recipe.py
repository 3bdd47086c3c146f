"""Every choice of a training run, in one JSON file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from penpal_fast.errors import PenpalError
from penpal_fast.handwriting.junk import DRAWN, KINDS, SPOILT
from penpal_fast.network.config import ModelConfig
from penpal_fast.training.recipe_fields import (
    SHARES_ROUNDING,
    WHOLE,
    built,
    check_names,
    check_prefix,
    check_ranges,
    check_shares,
    number,
    read_recipe,
    share,
    shown,
)
from penpal_fast.training.synthetic_lines import SyntheticFile, check_files

BUNDLED = Path(__file__).parent / "recipes" / "bundled.json"
"""The recipe of the bundled model."""

MAX_LAYERS = 7
"""Limit on `channels` in training: each layer halves the picture, and batch norm needs more than one value."""

MAX_PICTURES = 1_000_000_000

FIGURES = (
    "auc_real_corrupted",
    "auc_real_clean",
    "auc_short_corrupted",
    "auc_short_clean",
    "auc_clean_corrupted",
    "auc_clean_corrupted_trained_on",
    "real_kept",
    "real_kept_strict",
    "short_kept",
    "joined_kept",
    "corrupted_kept",
    "junk_dropped",
    "unseen_junk_dropped",
    "outliers_dropped",
    "real_drift",
    "clean_drift",
    "corrupted_drift",
    "length_correlation",
)
"""What `penpal_fast.training.measurement.Validation` measures."""

MAX_BATCH_SIZE = 1024
"""Limit on the pictures of a step; each takes about 3 MB."""


@dataclasses.dataclass(frozen=True)
class Shares:
    """Shares of the kinds of lines among the pictures; they sum to 1."""

    real: float = share(0.36)
    clean: float = share(0.22)
    corrupted: float = share(0.25)
    junk: float = share(0.12)
    outlier: float = share(0.05)

    def __post_init__(self) -> None:
        """Check the ranges and the sum."""
        check_shares(self)


@dataclasses.dataclass(frozen=True)
class Changes:
    """How often lines are changed before they are rendered.

    Attributes:
        real_cut: Share of the real lines that are cut to 1 to `longest` words.
        longest: Maximum number of words in a cut line.
        matched: Share of the synthetic lines that are chosen to have the proportions of a real line, whole or cut. Long
            lines are small on the canvas, and matching keeps the network from learning length.
        short: Share of the synthetic lines that are chosen among those of fewer than 20 characters; `matched` and this
            are at most 1 together.
        link: Share of the real lines that are cut and have their letters joined.
        follow: Share of the real lines that go on with the next line of the file, to be as long as the longest; `link`,
            `real_cut` and this are at most 1 together.
        reshape: Share of all rows whose slope, slant and proportions are changed.
        slope: Largest change of the slope, in degrees.
        slant: Largest change of the slant, in degrees.
        stretch: Largest factor of the width; the smallest is 2 divided by it.
        smooth: Share of the real and synthetic lines whose pen noise is removed.
        thin: Share of the rows, junk left out, that lose points.
        resample: Share of the rows, junk left out, whose points are put at equal distances; `thin` and this are at most
            1 together.
        dots: Share of the rows, junk left out, whose dots are drawn smaller or larger.
        line_width: Standard deviation of a batch's line width from the model's, in pixels.
        spoilt: Share of the junk that is a spoilt line; the rest is drawn from nothing.
        junk_weights: Relative frequency of kinds of junk, 1 for those not named, 0 for none; see
            `penpal_fast.handwriting.junk`.
    """

    real_cut: float = share(0.45)
    longest: int = number(6, 1, 1000)
    matched: float = share(0.85)
    short: float = share(0.0)
    link: float = share(0.12)
    follow: float = share(0.06)
    reshape: float = share(0.85)
    slope: float = number(11.0, 0, 45)
    slant: float = number(27.0, 0, 60)
    stretch: float = number(4.4, 2, 10)
    smooth: float = share(0.3)
    thin: float = share(0.12)
    resample: float = share(0.12)
    dots: float = share(0.2)
    line_width: float = share(0.08)
    spoilt: float = share(0.6)
    junk_weights: dict[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the ranges and the kinds of junk."""
        check_ranges(self)
        for together in (("matched", "short"), ("link", "follow", "real_cut"), ("thin", "resample")):
            if (total := sum(getattr(self, name) for name in together)) > 1 + SHARES_ROUNDING:
                raise PenpalError(f"recipe: {', '.join(together)} are at most 1 together, got {total}")
        check_names("recipe: junk_weights", self.junk_weights, KINDS)
        if not all(0 <= weight <= 1e6 for weight in self.junk_weights.values()):
            raise PenpalError(f"recipe: junk_weights must be from 0 to a million, got {shown(self.junk_weights)}")


@dataclasses.dataclass(frozen=True)
class Optimization:
    """An optimizer with a linear warm-up, then a cosine decay to a hundredth of the learning rate.

    Attributes:
        optimizer: "adamw", or "muon" for Muon on the weights of convolutions and AdamW on the rest.
        pictures: Number of pictures to train on.
        batch_size: Pictures of a step.
        learning_rate: Peak of the learning rate.
        warmup_share: Share of the steps that warm up.
        weight_decay: Weight decay.
        average_decay: Decay of the running average of the weights. The average is the stage's result.
        start_share: Share of the stage's first weights in its result, to forget less (Wortsman et al., "Robust
            fine-tuning of zero-shot models", 2022).
        keeps_start: Whether that share is of the first weights of the stage before, which this stage goes on with.
        fixed_statistics: Whether batch norm keeps the statistics that the stage begins with, as in scoring, in place of
            those of each batch, which depend on the other pictures in it. Random weights have no statistics to begin
            with, and `keeps_start` would mix those of two stages.
        level_from: Share of the steps before the score of whole real lines is kept from growing with their length.
        length_price: First price of that growth; see `penpal_fast.training.loop.Slope`.
        length_lean: Correlation of score and length below which there is no price.
        checkpoint_steps: Steps between checkpoints; each checkpoint is measured.
        seed: Seed of the first weights and of the examples.
    """

    optimizer: Literal["adamw", "muon"] = "muon"
    pictures: int = number(640_000, 1, MAX_PICTURES)
    batch_size: int = number(64, 1, MAX_BATCH_SIZE)
    learning_rate: float = number(5e-3, 1e-9, 10)
    warmup_share: float = share(0.03)
    weight_decay: float = share(0.03)
    average_decay: float = share(0.999)
    start_share: float = share(0.0)
    keeps_start: bool = False
    fixed_statistics: bool = False
    level_from: float = share(0.25)
    length_price: float = share(0.0)
    length_lean: float = number(0.0, -1, 1)
    checkpoint_steps: int = number(500, 1, MAX_PICTURES)
    seed: int = number(1, 0, 2**32 - 1)

    def __post_init__(self) -> None:
        """Check the optimizer and the ranges."""
        if self.optimizer not in ("adamw", "muon"):
            raise PenpalError(f"recipe: optimizer must be adamw or muon, got {self.optimizer!r}")
        if self.fixed_statistics and self.keeps_start:
            raise PenpalError("recipe: fixed_statistics stay those of one stage, and keeps_start mixes two; choose one")
        check_ranges(self)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return max(self.pictures // self.batch_size, 1)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of the training. The first stage starts from random weights or a given model, each later one from the
    result before it.

    Attributes:
        shares: Shares of the kinds of lines.
        changes: Changes to the lines before they are rendered.
        optimization: How the weights are found.
    """

    shares: Shares = dataclasses.field(default_factory=Shares)
    changes: Changes = dataclasses.field(default_factory=Changes)
    optimization: Optimization = dataclasses.field(default_factory=Optimization)

    def __post_init__(self) -> None:
        """Check that there is a kind of junk wherever some is made."""
        weights, spoilt = self.changes.junk_weights, self.changes.spoilt
        for kinds, part, share_of_junk in (("spoilt", SPOILT, spoilt), ("drawn", DRAWN, 1 - spoilt)):
            if self.shares.junk * share_of_junk > 0 and not any(weights.get(kind, 1.0) for kind in part):
                raise PenpalError(f"recipe: junk_weights are 0 for every kind of {kinds} junk, but spoilt is {spoilt}")


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The search for a factor of each batch norm's variance; see `penpal_fast.training.tuning`.

    Attributes:
        figures: How much each figure of the validation lines counts; below 0 for those that are to be small.
        generations: Length of the search; 0 for none.
        spread: Standard deviation of the factors' logarithms in the first generation.
        seed: Seed of the search.
    """

    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    generations: int = number(0, 0, 10_000)
    spread: float = number(0.03, 0, 1)
    seed: int = number(1, 0, 2**32 - 1)

    def __post_init__(self) -> None:
        """Check the ranges and the names of figures."""
        check_ranges(self)
        check_names("recipe: figures", self.figures, FIGURES)
        if not all(abs(weight) <= 1e6 for weight in self.figures.values()):
            raise PenpalError(f"recipe: figures must be from minus a million to a million, got {shown(self.figures)}")
        if bool(self.figures) != bool(self.generations) or (self.generations and not self.spread):
            raise PenpalError(
                "recipe: a search needs figures, generations and a spread above 0; leave tuning out for none"
            )


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, except the data.

    Attributes:
        network: The network and its line width.
        synthesis: The files of synthetic lines to make.
        stages: The stages of the training, in order.
        tuning: The search after them.
        source_prefix: How many of the first characters of a source decide whether its lines are for training or for
            validation (`penpal_fast.handwriting.lines.is_held_out`); None for the whole source.
        clean_kept: Two pairs of a score and the share of clean validation lines that must reach it. They decide the map
            from the network's logits to the score.
    """

    network: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    synthesis: tuple[SyntheticFile, ...] = ()
    stages: tuple[Stage, ...] = (Stage(),)
    tuning: Tuning = dataclasses.field(default_factory=Tuning)
    source_prefix: int | None = None
    clean_kept: tuple[tuple[float, float], tuple[float, float]] = ((0.3, 0.95), (0.5, 0.138))

    def __post_init__(self) -> None:
        """Check what the parts cannot check by themselves."""
        if not self.stages:
            raise PenpalError("recipe: stages is empty; give at least one")
        check_prefix(self.source_prefix)
        check_files(self.synthesis)
        if self.stages and self.stages[0].optimization.keeps_start:
            raise PenpalError(
                "recipe: keeps_start is for the second stage and later ones; the first has none before it"
            )
        (low, many), (high, few) = self.clean_kept
        if not (0 < low < high < 1 and 1 > many > few > 0):
            raise PenpalError(
                f"recipe: clean_kept must be two pairs of a score and the share that reaches it, the higher score with "
                f"the smaller share, all between 0 and 1, got {self.clean_kept}"
            )
        if not self.network.batch_norm:
            raise PenpalError("recipe: training needs batch_norm; it is folded when a network is loaded for scoring")
        layers = len(self.network.channels)
        if layers > MAX_LAYERS:
            raise PenpalError(f"recipe: `channels` has {layers} entries; a network to train has at most {MAX_LAYERS}")

    @classmethod
    def from_file(cls, path: Path) -> Recipe:
        """Read a recipe; fields that are missing get their defaults.

        Raises:
            PenpalError: The file cannot be read, or has an unknown or unusable field.
        """
        recipe: Recipe = read_recipe(cls, path)
        return recipe

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Make a recipe from a JSON object; see `from_file`."""
        recipe: Recipe = built(cls, WHOLE, values)
        return recipe

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe with all defaults filled in."""
        return dataclasses.asdict(self)
