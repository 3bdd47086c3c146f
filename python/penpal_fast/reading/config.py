"""What a reader is, apart from its numbers: `config.json`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.network.config_file import read_fields
from penpal_fast.path_reference import CHANNELS
from penpal_fast.reading.alphabet import LETTERS

MAX_LETTERS = 1000
MAX_STEM_LAYERS = 4
MAX_BLOCKS = 64
MAX_CHANNELS = 1024
MAX_KERNEL = 31
MAX_STRIDE = 8
MAX_DILATION = 64
OF_SCORES = ("half_letters", "unread_weight", "misfit_weight", "match_half", "readability_half")
MIN_OF_SCORE, MAX_OF_SCORE = 1e-3, 1e3


@dataclasses.dataclass(frozen=True)
class ReaderConfig:
    """Architecture of a `ReaderNetwork`, the letters it knows, and how its likelihoods become scores.

    Attributes:
        letters: The alphabet; output 0 is the blank, output i + 1 is letter i.
        inputs: Numbers of a sample of the path.
        stem_channels: Outputs of each convolution of the stem; the last is the width of the blocks.
        stem_kernels: Samples that each sees.
        stem_strides: Samples that each moves on.
        block_kernel: Frames that each block's depthwise convolution sees.
        dilations: Distance between them, block by block.
        half_letters: Length of a text, in letters, at which the evidence against it counts half.
        unread_weight: How much unsure ink counts.
        misfit_weight: How much the largest deficit of a letter of the text counts.
        match_half: Doubt of a text at which its match is 0.5.
        readability_half: Doubt of reading at which readability is 0.5.
    """

    letters: str = LETTERS
    inputs: int = CHANNELS
    stem_channels: tuple[int, ...] = (64, 128)
    stem_kernels: tuple[int, ...] = (9, 7)
    stem_strides: tuple[int, ...] = (3, 2)
    block_kernel: int = 9
    dilations: tuple[int, ...] = (1, 1, 2, 1, 1, 2, 1, 4, 1, 2, 1, 4)
    half_letters: float = 10.0
    unread_weight: float = 12.0
    misfit_weight: float = 0.6
    match_half: float = 1.0
    readability_half: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.inputs != CHANNELS:
            raise PenpalError(f"config: a sample of the path has {CHANNELS} numbers, got inputs {self.inputs}")
        if not 1 <= len(self.letters) <= MAX_LETTERS or len(set(self.letters)) < len(self.letters):
            raise PenpalError(f"config: letters must be 1 to {MAX_LETTERS} different ones, got {self.letters[:200]!r}")
        if any("\ud800" <= letter <= "\udfff" for letter in self.letters):
            raise PenpalError(f"config: letters has half of a surrogate pair: {self.letters[:200]!r}")
        if not len(self.stem_channels) == len(self.stem_kernels) == len(self.stem_strides) <= MAX_STEM_LAYERS:
            raise PenpalError(
                f"config: the stem needs one channel count, kernel and stride for each layer, at most {MAX_STEM_LAYERS}"
            )
        self._check("stem_channels", self.stem_channels, MAX_CHANNELS, MAX_STEM_LAYERS)
        self._check("stem_kernels", self.stem_kernels, MAX_KERNEL, MAX_STEM_LAYERS, odd=True)
        self._check("stem_strides", self.stem_strides, MAX_STRIDE, MAX_STEM_LAYERS)
        self._check("block_kernel", (self.block_kernel,), MAX_KERNEL, 1, odd=True)
        self._check("dilations", self.dilations, MAX_DILATION, MAX_BLOCKS)
        for name in OF_SCORES:
            value = getattr(self, name)
            if not MIN_OF_SCORE <= value <= MAX_OF_SCORE:
                raise PenpalError(f"config: {name} must be from {MIN_OF_SCORE} to {MAX_OF_SCORE}, got {value}")

    @staticmethod
    def _check(name: str, values: tuple[int, ...], most: int, count: int, *, odd: bool = False) -> None:
        if not (1 <= len(values) <= count and all(1 <= value <= most and (value % 2 or not odd) for value in values)):
            kind = "odd numbers" if odd else "numbers"
            raise PenpalError(f"config: {name} must be 1 to {count} {kind} from 1 to {most}, got {str(values)[:200]}")

    @property
    def outputs(self) -> int:
        """Outputs of a frame: the letters and the blank."""
        return len(self.letters) + 1

    def frames(self, samples: int) -> int:
        """Number of frames for a path with this number of samples."""
        for stride in self.stem_strides:
            samples = -(-samples // stride)
        return samples

    def multiplications(self, samples: int) -> int:
        """Number of multiplications for a path with this number of samples."""
        total, inputs = 0, self.inputs
        for outputs, kernel, stride in zip(self.stem_channels, self.stem_kernels, self.stem_strides, strict=True):
            samples = -(-samples // stride)
            total += samples * inputs * outputs * kernel
            inputs = outputs
        block = inputs * (inputs + self.block_kernel)
        return total + samples * (len(self.dilations) * block + inputs * self.outputs)

    @classmethod
    def from_file(cls, path: Path) -> ReaderConfig:
        """Read `config.json`. Keys that are not a field are ignored; missing ones default.

        Raises:
            PenpalError: The file is missing, too large, not a JSON object, or has a field that cannot be used.
        """
        return cls(**read_fields(cls, path, "reader's configuration"))

    def to_json(self) -> str:
        """Write the configuration as JSON text."""
        return json.dumps({"model_type": "penpal-reader", **dataclasses.asdict(self)}, indent=2) + "\n"
