"""Prints how a model tells lines apart that it was not trained on, as JSON.

python -m penpal_fast.training.figures DATA [MODEL]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from penpal_fast.network.model import QualityClassifier
from penpal_fast.training.first_weights import Sources, measure


def main(data: str, model: str | None = None) -> None:
    """Measure a model, the bundled one by default, on the validation lines of a data folder."""
    figures = measure(QualityClassifier.from_pretrained(model), Sources.read(Path(data)))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
