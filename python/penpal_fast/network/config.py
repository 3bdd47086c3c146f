"""The configuration of a model: `config.json`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from penpal_fast.canvas import LINE_WIDTH, PADDING, SIDE
from penpal_fast.errors import PenpalError
from penpal_fast.network.config_file import parse_fields, read_fields

Tensors = dict[str, NDArray[np.float32]]
"""Tensors of a model, by name."""

Shortcut = Literal["identity", "projection"]
"""How a block adds its input to its output. "identity" takes every second pixel and pads the new channels with 0;
"projection" is a 1x1 convolution of stride 2 (options A and B of He et al., 2015, section 3.3)."""

MAX_LAYERS = 64
"""Limit on the entries of `channels`; after eight the picture is down to one pixel."""

SMALLEST_EPSILON = 1e-12
"""With less, the square root of a small variance is inexact or 0 in float32."""


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Architecture of a `QualityClassifier` and the rendering that it was trained with.

    Attributes:
        canvas: Side of the picture in pixels; must be 256, which this package renders.
        padding: Margin of the picture in pixels; must be 12, which this package renders.
        line_width: Width of the drawn lines in pixels.
        channels: Channels of the stem and of the blocks.
        shortcut: Kind of shortcut connection.
        batch_norm: Whether batch norm follows each convolution; if not, each convolution has a bias.
        batch_norm_epsilon: Added to the variance before the square root.
    """

    canvas: int = SIDE
    padding: int = PADDING
    line_width: float = LINE_WIDTH
    channels: tuple[int, ...] = (4, 8, 16, 32, 32)
    shortcut: Shortcut = "identity"
    batch_norm: bool = True
    batch_norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        """Check that the network can be built and its pictures rendered."""
        if (self.canvas, self.padding) != (SIDE, PADDING):
            raise PenpalError(
                f"config: this package renders a canvas of {SIDE} with a padding of {PADDING}; "
                f"the model needs {self.canvas} and {self.padding}"
            )
        if not 0 < self.line_width <= SIDE:
            raise PenpalError(f"config: line_width must be above 0 and at most {SIDE}, got {self.line_width}")
        if not (2 <= len(self.channels) <= MAX_LAYERS and all(1 <= count <= 1024 for count in self.channels)):
            raise PenpalError(
                f"config: channels must be 2 to {MAX_LAYERS} numbers from 1 to 1024, got {str(self.channels)[:200]}"
            )
        if self.shortcut not in get_args(Shortcut):
            raise PenpalError(f"config: shortcut must be one of {get_args(Shortcut)}, got {self.shortcut!r}")
        if self.shortcut == "identity" and list(self.channels) != sorted(self.channels):
            raise PenpalError(
                f"config: identity shortcuts need channels that never decrease, got {str(self.channels)[:200]}"
            )
        if not SMALLEST_EPSILON <= self.batch_norm_epsilon <= 1:
            raise PenpalError(
                f"config: batch_norm_epsilon must be from {SMALLEST_EPSILON} to 1, got {self.batch_norm_epsilon}"
            )

    @classmethod
    def from_file(cls, path: Path) -> ModelConfig:
        """Read `config.json`. Keys that are not fields are ignored; missing fields get their defaults.

        Raises:
            PenpalError: The file is missing, too large or not a JSON object, or has an unusable field.
        """
        return cls(**read_fields(cls, path, "model configuration"))

    @classmethod
    def from_json(cls, text: bytes, *, source: str) -> ModelConfig:
        """Parse JSON text, as `from_file` does; `source` names it in errors."""
        return cls(**parse_fields(cls, text, source, "model configuration"))

    def to_json(self) -> str:
        """Return the configuration as JSON text."""
        return json.dumps({"model_type": "penpal-quality-assurance", **dataclasses.asdict(self)}, indent=2) + "\n"
