"""Ways to make a match out of the losses of a text and of a reading: what each tells apart.

    python benches/match_definitions.py --clean CLEAN.parquet --corrupted CORRUPTED.parquet --real REAL.parquet

Areas under the ROC curve of clean lines against corrupted ones and against their own ink with a wrong text, of real
lines against themselves with the text of another, and the share of corrupted lines that is kept where 95 % of clean
ones are. The real lines are of forms that were not trained on.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from penpal_fast._core import Rows
from penpal_fast.evaluation.figures import area_under_curve, kept, threshold_that_keeps
from penpal_fast.evaluation.sets import held_out_lines, read_set
from penpal_fast.evaluation.wrong_texts import EDITS
from penpal_fast.handwriting.lines import EARLIER_PREFIX, Line
from penpal_fast.reading.alphabet import encode_texts
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.native import NativeReadingEngine
from penpal_fast.reading.scores import text_doubts
from penpal_fast.reading.weights import load

SEED = 3


@dataclasses.dataclass(frozen=True)
class Losses:
    """The loss of each row's text, that of what it seems to say, the largest deficit of a letter of the text, and the
    number of its letters."""

    text: np.ndarray
    reading: np.ndarray
    misfit: np.ndarray
    letters: np.ndarray


def divided(half_letters: float, weight: float, misfit_weight: float = 0) -> Callable[[Losses], np.ndarray]:
    def doubt(of: Losses) -> np.ndarray:
        lack = np.maximum(of.text - of.reading, 0) / (1 + of.letters / half_letters)
        worst = misfit_weight * of.misfit if misfit_weight else 0
        return lack + weight * np.minimum(of.text, of.reading) / of.letters + worst

    return doubt


def root(weight: float) -> Callable[[Losses], np.ndarray]:
    def doubt(of: Losses) -> np.ndarray:
        lack = np.maximum(of.text - of.reading, 0) / np.sqrt(of.letters)
        return lack + weight * np.minimum(of.text, of.reading) / of.letters

    return doubt


def larger(half_letters: float, weight: float, misfit_weight: float) -> Callable[[Losses], np.ndarray]:
    config = ReaderConfig(half_letters=half_letters, unread_weight=weight, misfit_weight=misfit_weight)
    return lambda of: text_doubts(of.text, of.letters, of.reading, of.misfit, config)


DEFINITIONS: dict[str, Callable[[Losses], np.ndarray]] = {
    "loss per letter": lambda of: of.text / of.letters,
    "difference": lambda of: np.maximum(of.text - of.reading, 0),
    "largest deficit of a letter": lambda of: of.misfit,
    "difference / root of letters + loss per letter": root(1),
    "difference / (1 + letters / 3) + 8 losses per letter": divided(3, 8),
    "the same + deficit / 2 (once bundled)": divided(3, 8, 0.5),
    "the same + deficit": divided(3, 8, 1),
    "larger of two, 0.6 deficits, 10 logarithms (once bundled)": larger(10, 10, 0.6),
    "larger of two, 0.6 deficits, 12 logarithms (bundled)": larger(10, 12, 0.6),
    "larger of two, 0.8 deficits, 12 logarithms": larger(10, 12, 0.8),
    "larger of two, 0.5 deficits, 15 logarithms": larger(10, 15, 0.5),
}


class Judge:
    def __init__(self, reader: str | None) -> None:
        self.config, tensors = load(reader)
        self._engine = NativeReadingEngine(self.config, tensors, threads=0)

    def losses(self, lines: list[Line], texts: list[str | None]) -> Losses:
        """The losses of the rows whose texts can be compared."""
        encoded = encode_texts(texts, self.config.letters)
        found = self._engine.read(Rows([line.strokes() for line in lines]), encoded)
        letters = np.diff(encoded.offsets)
        known = ~np.isnan(found.text_losses)
        losses = (found.text_losses, found.reading_losses, found.misfits)
        return Losses(*(values[known].astype(float) for values in losses), letters[known])


def wrong_texts(lines: list[Line]) -> dict[str, list[str | None]]:
    words = [word for line in lines for word in line.text.split()]
    found = {}
    for name, edit in EDITS.items():
        random = np.random.default_rng(SEED)
        found[name] = [edit(line.text, words, random) for line in lines]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("clean", "corrupted", "real"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--reader", default=None)
    options = parser.parse_args()

    judge = Judge(options.reader)
    lines = {name: read_set([getattr(options, name)]) for name in ("clean", "corrupted", "real")}
    lines["real"] = held_out_lines(lines["real"], EARLIER_PREFIX)
    lines = {name: [line for line in some if line.text] for name, some in lines.items()}
    own = {name: judge.losses(some, [line.text for line in some]) for name, some in lines.items()}
    wrong = {name: judge.losses(lines["clean"], texts) for name, texts in wrong_texts(lines["clean"]).items()}
    texts = [line.text for line in lines["real"]]
    anothers = judge.losses(lines["real"], texts[1:] + texts[:1])

    table = Table("doubt", "clean / corrupted", "corrupted kept", *wrong, "real, another's text")
    for name, definition in DEFINITIONS.items():
        clean, corrupted = -definition(own["clean"]), -definition(own["corrupted"])
        areas = [area_under_curve(clean, -definition(one)) for one in wrong.values()]
        another = area_under_curve(-definition(own["real"]), -definition(anothers))
        share = kept(corrupted, threshold_that_keeps(clean, 0.95))
        table.add_row(
            name,
            f"{area_under_curve(clean, corrupted):.3f}",
            f"{share:.1%}",
            *(f"{area:.3f}" for area in [*areas, another]),
        )
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
