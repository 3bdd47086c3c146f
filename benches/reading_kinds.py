"""What the scores keep of lines of many kinds, from long ones to gibberish.

    python benches/reading_kinds.py --generator GENERATOR.safetensors --lines REAL_LINES.parquet --made FOLDER

The kinds are long lines, digits, capitals, hasty hands, a generator that stutters, and one that writes gibberish from
some letter on. The lines are made once, with texts of held-out forms, and kept in a folder. Lines of the kind `usual`
are as most data sets have them; the thresholds that keep 95 % of these are given too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from penpal_fast import Reader, Scorer
from penpal_fast.evaluation.figures import threshold_that_keeps
from penpal_fast.handwriting.lines import EARLIER_PREFIX, is_held_out
from penpal_fast.synthesis.corruption import UNDISTURBED, Corruption
from penpal_fast.synthesis.generator import Generator, Request
from penpal_fast.synthesis.plan import Planned
from penpal_fast.synthesis.table import table_of
from penpal_fast.synthesis.texts import Text, read_texts, run_of_words
from penpal_fast.synthesis.words import words_of_strokes

Random = np.random.Generator
Drawn = tuple[str, float, Corruption]
"""A text, a bias, and how sampling is disturbed."""

BIAS = 0.9
HASTY_BIAS = (0.0, 0.2)
STUTTER = (0.5, 0.85)
"""Factors of the attention's movement along the text; below 1, letters are written twice or drawn out."""


def usual(texts: list[Text], random: Random) -> Drawn:
    return run_of_words(_pick(texts, random), random, longest=6), BIAS, UNDISTURBED


def of_35_to_50_letters(texts: list[Text], random: Random) -> Drawn:
    return _long(texts, random, 35, 50), BIAS, UNDISTURBED


def of_60_to_75_letters(texts: list[Text], random: Random) -> Drawn:
    return _long(texts, random, 60, 75), BIAS, UNDISTURBED


def digits(_texts: list[Text], random: Random) -> Drawn:
    numbers = (str(int(random.integers(10 ** int(random.integers(1, 6))))) for _ in range(int(random.integers(1, 5))))
    return " ".join(numbers), BIAS, UNDISTURBED


def capitals(texts: list[Text], random: Random) -> Drawn:
    return run_of_words(_pick(texts, random), random, longest=4).upper(), BIAS, UNDISTURBED


def hasty(texts: list[Text], random: Random) -> Drawn:
    return run_of_words(_pick(texts, random), random, longest=6), random.uniform(*HASTY_BIAS), UNDISTURBED


def stutter(texts: list[Text], random: Random) -> Drawn:
    corruption = Corruption(kappa_scale=random.uniform(*STUTTER))
    return run_of_words(_pick(texts, random), random, longest=6), BIAS, corruption


def late_gibberish(texts: list[Text], random: Random) -> Drawn:
    corruption = Corruption(
        kappa_scale=random.uniform(1.6, 3),
        beta_floor=random.uniform(1, 5),
        noise=random.uniform(0.15, 0.4),
        onset=random.uniform(0.3, 0.7),
    )
    return run_of_words(_pick(texts, random), random, longest=6), BIAS, corruption


KINDS: list[Callable[[list[Text], Random], Drawn]] = [
    usual,
    of_35_to_50_letters,
    of_60_to_75_letters,
    digits,
    capitals,
    hasty,
    stutter,
    late_gibberish,
]


def _pick(texts: list[Text], random: Random) -> Text:
    return texts[int(random.integers(len(texts)))]


def _long(texts: list[Text], random: Random, least: int, most: int) -> str:
    text = ""
    while not least <= len(text) <= most:
        words = [word for _ in range(4) for word in _pick(texts, random).words]
        text = " ".join(words)[: most + 1].rpartition(" ")[0]
    return text


def make(kind: Callable[[list[Text], Random], Drawn], generator: Generator, texts: list[Text], rows: int) -> object:
    """Make lines of a kind."""
    random = np.random.default_rng(1)
    planned = [_planned(kind, generator, texts, random) for _ in range(rows)]
    writings = generator.write([line.request for line in planned], seed=[2])
    words = [words_of_strokes(writing, line.request.text) for writing, line in zip(writings, planned, strict=True)]
    return table_of(planned, words)


def _planned(
    kind: Callable[[list[Text], Random], Drawn], generator: Generator, texts: list[Text], random: Random
) -> Planned:
    text = ""
    while not text:
        text, bias, corruption = kind(texts, random)
        unknown = set(generator.unknown(text))
        text = "".join(letter for letter in text if letter not in unknown).strip()
    style = int(random.integers(len(generator.styles)))
    return Planned(Request(text, style, bias, corruption), "held out", kind.__name__)


def made_lines(options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield the name and file of each kind, and make those that are missing."""
    options.made.mkdir(parents=True, exist_ok=True)
    missing = [kind for kind in KINDS if not (options.made / f"{kind.__name__}.parquet").exists()]
    if missing:
        generator = Generator(options.generator, backend="numpy")
        texts = [text for text in read_texts(options.lines) if is_held_out(text.source, options.source_prefix)]
        for kind in missing:
            pq.write_table(make(kind, generator, texts, options.rows), options.made / f"{kind.__name__}.parquet")
    for kind in KINDS:
        yield kind.__name__.replace("_", " "), options.made / f"{kind.__name__}.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--generator", type=Path, required=True)
    parser.add_argument("--lines", type=Path, required=True)
    parser.add_argument("--made", type=Path, required=True)
    parser.add_argument("--reader", default=None)
    parser.add_argument("--model", default=None)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--source-prefix", type=int, default=EARLIER_PREFIX)
    options = parser.parse_args()

    reader, scorer = Reader(options.reader), Scorer(options.model)
    found, quality = {}, {}
    for name, path in made_lines(options):
        lines = pq.read_table(path)
        found[name] = reader.outcome(lines["strokes"], lines["text"])
        quality[name] = scorer.score(lines["strokes"])
    usual_match = threshold_that_keeps(found["usual"].match, 0.95)
    usual_readability = threshold_that_keeps(found["usual"].readability, 0.95)
    table = Table(
        "lines",
        "quality ≥ 0.3",
        "match ≥ 0.5",
        f"≥ {usual_match:.2f}",
        "readability ≥ 0.5",
        f"≥ {usual_readability:.2f}",
    )
    for name, one in found.items():
        kept = [
            np.mean(quality[name] >= 0.3),
            np.mean(one.match >= 0.5),
            np.mean(one.match >= usual_match),
            np.mean(one.readability >= 0.5),
            np.mean(one.readability >= usual_readability),
        ]
        table.add_row(name, *(f"{share:.1%}" for share in kept))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
