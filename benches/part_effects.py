"""What words and strokes do to the scores of clean lines, and whether `explain` finds a word of gibberish.

    python benches/part_effects.py --clean CLEAN.parquet --corrupted CORRUPTED.parquet

The table has the ranges that `checks/usual_effects.py` calls usual: 90 % of the parts are in each. The lines below it
say how many words of clean lines are red, and, where one word of a clean line was replaced by gibberish of its height,
how often that word is the reddest.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from penpal_fast import Scorer
from penpal_fast.checks.usual_effects import USUAL
from penpal_fast.handwriting.junk.material import fitted, width_of
from penpal_fast.handwriting.lines import Line, read_lines
from penpal_fast.look.explanation import Explanation, explained
from penpal_fast.strokes import Strokes

RED = -0.1
"""Of what full red is."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clean", type=Path, required=True)
    parser.add_argument("--corrupted", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--model", default=None)
    options = parser.parse_args()
    scorer = Scorer(options.model)
    clean = read_lines(options.clean)[: options.rows]
    gibberish = [line for line in read_lines(options.corrupted) if line.severity == "gibberish"]
    several = [explained(words_of(line), scorer) for line in clean if len(words_of(line)) > 1]
    single = [explained([line.strokes()], scorer) for line in clean]

    usual = Table("parts", "of a row with at least", "5 %", "median", "95 %")
    for level, found in (("word", several), ("stroke", single)):
        steps = [*USUAL[level], 10**9]
        for least, beyond in itertools.pairwise(steps):
            effects = [one.effects for one in found if least <= len(one.effects) < beyond and len(one.effects) > 1]
            if effects:
                low, middle, high = np.quantile(np.concatenate(effects), [0.05, 0.5, 0.95])
                usual.add_row(level, str(least), f"{low:+.2f}", f"{middle:+.2f}", f"{high:+.2f}")
    random = np.random.default_rng(0)
    changed = [replaced(words_of(line), gibberish, random) for line in clean if len(words_of(line)) > 1]
    found = [(explained(words, scorer), word) for words, word in changed]
    console = Console(width=100)
    console.print(usual)
    console.print(
        f"red words of clean lines: {np.mean([pull < RED for one in several for pull in one.part_pulls()]):.1%}"
    )
    console.print(f"a word of gibberish has the lowest effect in {np.mean([lowest(*one) for one in found]):.1%}")
    console.print(f"... and is red in {np.mean([one.part_pulls()[word] < RED for one, word in found]):.1%}")


def words_of(line: Line) -> list[Strokes]:
    """Return the words of a line that have strokes."""
    return [word for word in line.words if word]


def lowest(explanation: Explanation, word: int) -> bool:
    """Whether a word has the lowest effect."""
    return int(np.argmin(explanation.effects)) == word


def replaced(words: list[Strokes], gibberish: list[Line], random: np.random.Generator) -> tuple[list[Strokes], int]:
    """Replace a word by gibberish of its height and about its width; return the words and which one it is."""
    word = int(random.integers(len(words)))
    strokes = fitted(gibberish[int(random.integers(len(gibberish)))].strokes(), words[word])
    left, width = min(stroke[:, 0].min() for stroke in strokes), width_of(words[word])
    kept = [stroke for stroke in strokes if stroke[:, 0].min() <= left + width] or strokes[:1]
    more = np.array([max(width_of(kept) - width, 0.0), 0.0])
    after = [[stroke + more for stroke in later] for later in words[word + 1 :]]
    return [*words[:word], kept, *after], word


if __name__ == "__main__":
    main()
