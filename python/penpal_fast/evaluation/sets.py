"""The sets of rows that a model is measured on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.quality import Scorer
from penpal_fast.errors import PenpalError
from penpal_fast.handwriting.augmentation import cut
from penpal_fast.handwriting.junk import KINDS, UNSEEN, Junk, Material
from penpal_fast.handwriting.lines import Line, decided_by, garbled_lines, is_held_out, read_lines
from penpal_fast.strokes import Strokes

SHORT_WORDS = 6
"""Maximum number of words in a short real line."""

JUNK_ROWS = 1000
"""Number of rows of each kind of junk."""


@dataclasses.dataclass(frozen=True)
class ScoredSet:
    """The rows of a set with their scores.

    Attributes:
        strokes: The rows.
        scores: float32 [N]; NaN for a bad row.
        texts: The text of each row, or of the row that junk was made from; None if not known.
        kinds: Kind of each row, such as the severity of its corruption or the kind of junk; None if not known.
    """

    strokes: list[Strokes]
    scores: NDArray[np.float32]
    texts: list[str | None]
    kinds: list[str | None]

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Characters of each row's text, float64 [N]; NaN if the text is not known."""
        return np.array([len(text) if text else np.nan for text in self.texts], dtype=np.float64)

    @property
    def good(self) -> NDArray[np.float32]:
        """The scores of the good rows."""
        return self.scores[~np.isnan(self.scores)]

    def of_kind(self, kind: str) -> NDArray[np.float32]:
        """Return the scores of the good rows of one kind."""
        chosen = np.array([one == kind for one in self.kinds], dtype=bool)
        return self.scores[chosen & ~np.isnan(self.scores)]


def read_set(paths: Sequence[Path]) -> list[Line]:
    """Read lines.

    Raises:
        PenpalError: A file cannot be read, or there are no lines.
    """
    lines = [line for path in paths for line in read_lines(path)]
    if not lines:
        raise PenpalError(f"no lines to measure in {', '.join(map(str, paths))}")
    return lines


def held_out_lines(lines: list[Line], prefix: int | None) -> list[Line]:
    """Return the lines of validation sources and those of unknown source; see `is_held_out` for the prefix.

    Raises:
        PenpalError: There are none.
    """
    held_out = [line for line in lines if line.source is None or is_held_out(line.source, prefix)]
    if not held_out:
        sources = len({str(line.source)[:prefix] for line in lines})
        raise PenpalError(
            f"none of {len(lines):,} lines is held out by {decided_by(prefix)}, of which there are {sources:,}; "
            "measure lines of more sources, or say with --source-prefix how many characters decide"
        )
    return held_out


def scored_sets(real: list[Line], clean: list[Line], corrupted: list[Line], scorer: Scorer) -> dict[str, ScoredSet]:
    """Score the three kinds of lines, short cuts of the real lines, and junk made from the real lines."""
    random = np.random.default_rng(0)
    junk, garbled = {**KINDS, **UNSEEN}, garbled_lines(corrupted)
    rows = [(kind, *spoilt(make, real, garbled, random)) for kind, make in junk.items() for _ in range(JUNK_ROWS)]
    kinds, strokes, texts = (list(column) for column in zip(*rows, strict=True))
    return {
        "real": _whole(real, scorer),
        "real_short": _scored([cut(line, random, longest=SHORT_WORDS) for line in real], scorer),
        "clean": _whole(clean, scorer),
        "corrupted": _whole(corrupted, scorer),
        "junk": _scored(strokes, scorer, texts, kinds),
    }


def spoilt(
    make: Junk, lines: list[Line], garbled: list[Line], random: np.random.Generator
) -> tuple[Strokes, str | None]:
    """Make junk from a line, half of the time cut, and return it with the line's text; None if the line was cut."""
    line, other, noise = (some[int(random.integers(len(some)))] for some in (lines, lines, garbled))
    is_cut = random.random() < 0.5
    first, second = (cut(one, random, longest=SHORT_WORDS) if is_cut else one.strokes() for one in (line, other))
    return make(random, Material(first, second, noise.strokes())), None if is_cut else line.text


def _whole(lines: list[Line], scorer: Scorer) -> ScoredSet:
    strokes = [line.strokes() for line in lines]
    return _scored(strokes, scorer, [line.text for line in lines], [line.severity for line in lines])


def _scored(
    strokes: list[Strokes],
    scorer: Scorer,
    texts: list[str | None] | None = None,
    kinds: list[str | None] | None = None,
) -> ScoredSet:
    unknown: list[str | None] = [None] * len(strokes)
    return ScoredSet(strokes, scorer.score(strokes, errors="null"), texts or unknown, kinds or unknown)
