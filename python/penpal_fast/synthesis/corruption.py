"""The disturbances of sampling that make corrupted lines."""

from __future__ import annotations

import dataclasses

import numpy as np

from penpal_fast.errors import PenpalError

BETA_FLOOR = 0.01
"""Lower limit of the attention's beta in undisturbed sampling."""


@dataclasses.dataclass(frozen=True)
class Corruption:
    """A disturbance of the sampling steps after priming."""

    kappa_scale: float = 1.0
    """Factor of the attention's movement along the text; above 1 it skips characters, below 1 it stutters."""
    beta_floor: float = BETA_FLOOR
    """Lower limit of beta; above the default the attention blurs neighbouring characters."""
    noise: float = 0.0
    """Standard deviation of the normal noise on each LSTM's output."""
    onset: float = 0.0
    """Share of the text that is written before the disturbance begins."""


UNDISTURBED = Corruption()

RANGES = {"kappa_scale": 100.0, "beta_floor": 1000.0, "noise": 100.0, "onset": 1.0}
"""What is drawn, and the most that it may be; far less leaves nothing of a text."""


@dataclasses.dataclass(frozen=True)
class Severity:
    """A kind of corruption: its share of the lines, and the ranges that its values are drawn from uniformly."""

    share: float
    kappa_scale: tuple[float, float]
    beta_floor: tuple[float, float]
    noise: tuple[float, float]
    onset: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, most in RANGES.items():
            low, high = getattr(self, name)
            if not 0 <= low <= high <= most:
                raise PenpalError(f"{name} of a severity must be a range from 0 to {most:g}, got {(low, high)}")

    def draw(self, random: np.random.Generator) -> Corruption:
        """Draw one corruption."""
        ranges = (self.kappa_scale, self.beta_floor, self.noise)
        kappa_scale, beta_floor, noise = (float(random.uniform(low, high)) for low, high in ranges)
        onset = float(random.uniform(*self.onset)) if self.onset[1] else 0.0
        return Corruption(kappa_scale, beta_floor, noise, onset)


SEVERITIES = {
    "very_mild": Severity(0.1, kappa_scale=(1.02, 1.15), beta_floor=(0.02, 0.1), noise=(0.01, 0.04)),
    "mild": Severity(0.7, kappa_scale=(1.15, 1.6), beta_floor=(0.1, 0.6), noise=(0.04, 0.12)),
    "gibberish": Severity(0.2, kappa_scale=(1.6, 3.0), beta_floor=(1.0, 5.0), noise=(0.15, 0.4)),
}
"""The default severities of corrupted lines."""
