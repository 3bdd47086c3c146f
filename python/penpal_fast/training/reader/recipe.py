"""Every choice of a reader's training, in one JSON file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.files import open_regular
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.training.reader.augmentation import Changes
from penpal_fast.training.recipe import check_prefix

BUNDLED = Path(__file__).parent.parent / "recipes" / "reader.json"
"""The recipe of the reader in this package."""


@dataclasses.dataclass(frozen=True)
class ReaderRecipe:
    """What decides which weights come out, but for the data.

    Attributes:
        network: Architecture and letters.
        changes: How rows are changed before they are learned from.
        source_prefix: How many of the first characters of a source decide whether its lines are for training or for
            validation (`penpal_fast.handwriting.lines.is_held_out`); None for the whole source.
        made_lines: Generated lines to make.
        real_share: Share of the real lines among the rows.
        rows: Rows to train on, each row counting each time.
        settled_share: Share of the rows, at the end, that are hardly changed any more: what is learned last is what
            lines usually are.
        settled_changes: How much they are still changed, as a factor.
        round_rows: Rows that are drawn together; after each round there is a checkpoint, and the made lines that do not
            say their text are known better.
        batch_samples: Samples of a batch, padding included; some 30 lines.
        learning_rate: Peak of the learning rate.
        warmup_steps: Steps until the peak; a cosine leads down from it.
        weight_decay: Of AdamW, on matrices.
        average_decay: Of the running average of the weights.
        unreadable_loss: Mean loss a letter above which a made line is left out: it does not say its text.
        seed: Of everything.
    """

    network: ReaderConfig = dataclasses.field(default_factory=ReaderConfig)
    changes: Changes = dataclasses.field(default_factory=Changes)
    source_prefix: int | None = None
    made_lines: int = 12_000
    real_share: float = 0.5
    rows: int = 400_000
    settled_share: float = 0.15
    settled_changes: float = 0.2
    round_rows: int = 8_000
    batch_samples: int = 15_000
    learning_rate: float = 4e-3
    warmup_steps: int = 300
    weight_decay: float = 0.02
    average_decay: float = 0.998
    unreadable_loss: float = 1.0
    seed: int = 5

    def __post_init__(self) -> None:
        """Check ranges."""
        check_prefix(self.source_prefix)
        ranges = {
            "made_lines": (0, 10_000_000),
            "real_share": (0, 1),
            "rows": (1, 1_000_000_000),
            "settled_share": (0, 1),
            "settled_changes": (0, 1),
            "round_rows": (1, 1_000_000),
            "batch_samples": (1, 10_000_000),
            "learning_rate": (1e-9, 10),
            "warmup_steps": (1, 1_000_000),
            "weight_decay": (0, 1),
            "average_decay": (0, 1),
            "unreadable_loss": (0, 1000),
            "seed": (0, 2**32 - 1),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
                raise PenpalError(f"recipe: {name} must be from {least:,} to {most:,}, got {value!r}")

    @classmethod
    def from_file(cls, path: Path) -> ReaderRecipe:
        """Read a recipe; what it does not name has its default.

        Raises:
            PenpalError: The file cannot be read, or has a field that is not known or cannot be used.
        """
        try:
            with open_regular(path) as file:
                values: dict[str, Any] = json.load(file)
            values["network"] = ReaderConfig(
                **{name: _frozen(value) for name, value in values.get("network", {}).items()}
            )
            values["changes"] = Changes(**values.get("changes", {}))
            return cls(**values)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise PenpalError(f"{path}: cannot read the recipe: {error}") from error

    def to_json(self) -> str:
        """Write the recipe as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
