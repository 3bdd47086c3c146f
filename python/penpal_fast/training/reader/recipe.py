"""Every choice of a reader's training, in one JSON file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.training.reader.augmentation import Changes
from penpal_fast.training.recipe_fields import (
    check_prefix,
    check_ranges,
    check_shares,
    number,
    read_recipe,
    share,
    shown,
)
from penpal_fast.training.synthetic_lines import SyntheticFile, check_files

BUNDLED = Path(__file__).parent.parent / "recipes" / "reader.json"
"""The recipe of the reader in this package."""


@dataclasses.dataclass(frozen=True)
class Shares:
    """Shares of the kinds of lines among the rows; they sum to 1. A kind of which there are no lines is left out.

    Attributes:
        real: Real lines.
        made: Lines made for their letters, with digits, capitals and rare letters, by hasty and tidy hands.
        clean: Lines of the recipe's files of clean synthetic lines.
        corrupted: Lines of its files of corrupted ones. Their texts are not learned; they are learned to be doubted.
    """

    real: float = share(0.5)
    made: float = share(0.5)
    clean: float = share(0.0)
    corrupted: float = share(0.0)

    def __post_init__(self) -> None:
        """Check the ranges and the sum."""
        check_shares(self)


@dataclasses.dataclass(frozen=True)
class Changed:
    """How much the lines of each kind are changed, as factors of the recipe's `changes`: at first, and once the stage
    settles. What is learned last is what lines usually are."""

    real: tuple[float, float] = (1.0, 0.2)
    made: tuple[float, float] = (1.0, 0.2)
    clean: tuple[float, float] = (1.0, 0.2)
    corrupted: tuple[float, float] = (1.0, 0.2)

    def __post_init__(self) -> None:
        """Check the ranges."""
        for kind, factors in dataclasses.asdict(self).items():
            if len(factors) != 2 or not all(0 <= factor <= 1 for factor in factors):
                raise PenpalError(f"recipe: changed: {kind} must have two numbers from 0 to 1, got {shown(factors)}")


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of the training. The first starts from random weights or a finished reader, each later one from the
    result before it.

    Attributes:
        rows: Rows to train on, each row counting each time.
        shares: Shares of the kinds of lines.
        severity_weights: How often corrupted lines of each severity are drawn, relative to severities that are not
            named.
        doubt_weight: Weight of the loss that teaches to doubt corrupted lines, beside that of reading.
        real_doubt: How much a real line counts in that loss, beside 1 for clean and corrupted ones. Made lines do not.
        wrong_texts: Share of real and clean lines whose text is given with a mistake in one letter. It is learned to be
            doubted, not to be read; this takes a doubt_weight above 0.
        changed: How much lines are changed.
        settled_share: Share of the rows, at the end, in which the training settles.
        start_share: Share of the stage's first weights in its result, to forget less (Wortsman et al., "Robust
            fine-tuning of zero-shot models", 2022).
        learning_rate: Peak of the learning rate.
        warmup_steps: Steps until the peak; a cosine leads down from it.
    """

    rows: int = number(400_000, 1, 1_000_000_000)
    shares: Shares = dataclasses.field(default_factory=Shares)
    severity_weights: dict[str, float] = dataclasses.field(default_factory=dict)
    doubt_weight: float = number(0.0, 0, 1000)
    real_doubt: float = share(0.4)
    wrong_texts: float = share(0.0)
    changed: Changed = dataclasses.field(default_factory=Changed)
    settled_share: float = share(0.15)
    start_share: float = share(0.0)
    learning_rate: float = number(4e-3, 1e-9, 10)
    warmup_steps: int = number(300, 1, 1_000_000)

    def __post_init__(self) -> None:
        """Check ranges."""
        check_ranges(self)
        for severity, weight in self.severity_weights.items():
            if not 0 <= weight <= 1000:
                raise PenpalError(f"recipe: severity_weights must be from 0 to 1,000, {severity} has {weight}")
        if self.wrong_texts and not self.doubt_weight:
            raise PenpalError(f"recipe: wrong_texts is {self.wrong_texts}, but doubt_weight is 0; give it a weight")


@dataclasses.dataclass(frozen=True)
class ReaderRecipe:
    """What decides which weights come out, but for the data.

    Attributes:
        network: Architecture and letters.
        changes: How rows are changed before they are learned from.
        source_prefix: How many of the first characters of a source decide whether its lines are for training or for
            validation (`penpal_fast.handwriting.lines.is_held_out`); None for the whole source.
        made_lines: Lines to make for their letters.
        synthesis: Files of clean and of corrupted synthetic lines to make, of the split `train`.
        stages: The stages of the training, in order.
        round_rows: Rows that are drawn together; after each round there is a checkpoint, and the made lines that do not
            say their text are known better.
        batch_samples: Samples of a batch, padding included; some 30 lines.
        weight_decay: Of AdamW, on matrices.
        average_decay: Of the running average of the weights.
        unreadable_loss: Mean loss per letter above which a made or clean line is left out: it does not say its text.
        seed: Of everything.
    """

    network: ReaderConfig = dataclasses.field(default_factory=ReaderConfig)
    changes: Changes = dataclasses.field(default_factory=Changes)
    source_prefix: int | None = None
    made_lines: int = number(12_000, 0, 10_000_000)
    synthesis: tuple[SyntheticFile, ...] = ()
    stages: tuple[Stage, ...] = (Stage(),)
    round_rows: int = number(8_000, 1, 1_000_000)
    batch_samples: int = number(15_000, 1, 10_000_000)
    weight_decay: float = number(0.02, 0, 1)
    average_decay: float = number(0.998, 0, 1)
    unreadable_loss: float = number(1.0, 0, 1000)
    seed: int = number(5, 0, 2**32 - 1)

    def __post_init__(self) -> None:
        """Check what the parts cannot check by themselves."""
        check_prefix(self.source_prefix)
        check_ranges(self)
        if not self.stages:
            raise PenpalError("recipe: stages is empty; give at least one")
        check_files(self.synthesis)
        if others := [file.name for file in self.synthesis if file.split != "train"]:
            raise PenpalError(f"recipe: the files of synthetic lines must be of the split train, not so {others}")
        made = {severity for file in self.synthesis if file.plan.corrupted for severity in file.plan.severities}
        if unknown := sorted({severity for stage in self.stages for severity in stage.severity_weights} - made):
            raise PenpalError(
                f"recipe: severity_weights names {shown(unknown)}, which no file of synthetic lines has; they have "
                f"{sorted(made)}"
            )

    @classmethod
    def from_file(cls, path: Path) -> ReaderRecipe:
        """Read a recipe; what it does not name has its default.

        Raises:
            PenpalError: The file cannot be read, or has a field that is not known or cannot be used.
        """
        recipe: ReaderRecipe = read_recipe(cls, path)
        return recipe

    def to_json(self) -> str:
        """Write the recipe as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"
