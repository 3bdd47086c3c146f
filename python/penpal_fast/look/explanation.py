"""Which parts of a row lower its score, and which letters of its text do not fit.

For the first, the row is scored again without each part, where the rest stays in place, and each word alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from html import escape
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.quality import Scorer, default_scorer
from penpal_fast.errors import PenpalError
from penpal_fast.first_points import without_first_points
from penpal_fast.frames import row_of
from penpal_fast.look.drawing import MARK, draw
from penpal_fast.look.effects import Explaining, Level, word_effects
from penpal_fast.look.misfits import marked_ink, marked_pieces
from penpal_fast.look.row_reading import RowReading, read_row
from penpal_fast.reading.given_texts import plain_text
from penpal_fast.reading.reader import Letter, Reader, default_reader
from penpal_fast.strokes import Strokes, words_of

MAX_PARTS = 128
"""Parts that are left out in turn. A row with more words or strokes is split into groups of neighbours."""

MAX_STROKES, MAX_POINTS = 400_000, 4_000_000
"""Strokes and points that one explanation draws, over all its rows; a larger row is split into fewer parts."""

FULL_EFFECT = 2.0
"""A part gets the full colour if its effect is this far beyond what is usual, in log-odds."""

NEUTRAL, LOWERING, RAISING = (112, 117, 125), (200, 55, 28), (24, 98, 190)
"""Colours of parts without effect, and of parts that lower and raise the score."""


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Explanation:
    """What each part of a row does to its score, and what a reader finds in it if there is a text.

    Attributes:
        score: Score of the whole row, in [0, 1].
        strokes: The row's strokes that have points, float64 [N, 2] each, in order.
        level: What a part is: "word", or "stroke" if the row has one word or no word level.
        parts: int64 [S], the part of each stroke, from 0.
        effects: float32 [P], what each part does to the score in log-odds, log(score / (1 - score)); below 0 where it
            lowers it. For a stroke, the log-odds of the row minus those without the stroke, where the rest stays in
            place. For a word, the mean of that and of the log-odds of the word as a row of its own. NaN if the row has
            only one part.
        usual: Range of the effects that parts of clean lines usually have; a part is coloured if it is outside.
        text: What the row should say, if it was given.
        reading: What the ink seems to say; None without a text.
        match: In [0, 1], whether the ink says the text; None without one.
        letters: The letters of the text and where they are (`Reader.align`), their spans in `strokes`; none without a
            text, and where the ink is too short for it.
        note: Which points lie far from the rest, as in `quality_note`; None if none do. Where they hide the writing,
            the score is low for that reason, whatever the effects are.
    """

    score: float
    strokes: Strokes
    level: Level
    parts: NDArray[np.int64]
    effects: NDArray[np.float32]
    usual: tuple[float, float] = (0.0, 0.0)
    text: str | None = None
    reading: str | None = None
    match: float | None = None
    letters: tuple[Letter, ...] = ()
    note: str | None = None

    def pulls(self) -> NDArray[np.float32]:
        """Return how strongly to colour each stroke: float32 [S] from -1 (lowers the score) to 1 (raises it).

        0 is what is usual for parts of clean lines.
        """
        return self.part_pulls()[self.parts]

    def part_pulls(self) -> NDArray[np.float32]:
        """Return how strongly to colour each part, float32 [P]; see `pulls`."""
        effects, (low, high) = np.nan_to_num(self.effects), self.usual
        beyond = np.minimum(effects - low, 0) + np.maximum(effects - high, 0)
        return np.clip(beyond / FULL_EFFECT, -1, 1).astype(np.float32)

    def __repr__(self) -> str:
        """Say the score and the parts that lower it most."""
        count = len(self.effects)
        parts = f"{count} {self.level}{'' if count == 1 else 's'}"
        pulls = self.part_pulls()
        red = [f"{self.level} {part} by {self.effects[part]:+.2f}" for part in np.argsort(pulls)[:3] if pulls[part] < 0]
        match = "" if self.match is None else f", match {self.match:.2f}"
        lowered = f", lowered by {', '.join(red)} log-odds" if red else ""
        note = "" if self.note is None else f", {self.note}"
        return f"<Explanation: score {self.score:.2f}{match}, {parts}{lowered}{note}>"

    def _repr_html_(self) -> str:
        """Show the row with coloured strokes, and letters that do not fit, on white in any theme of the notebook."""
        drawing = draw(self.strokes, () if self.match is None else marked_ink(self.strokes, self.letters))
        svg = drawing.svg(f"Handwriting with a score of {self.score:.2f}", [_colour(pull) for pull in self.pulls()])
        legend = f"<span style='color:{_css(LOWERING)}'>red lowers it</span>, "
        legend += f"<span style='color:{_css(RAISING)}'>blue raises it</span>; by {self.level}"
        note = "" if self.note is None else f"<br>{_marked(self.note)}"
        return (
            "<figure style='margin:0;padding:12px;max-width:640px;background:#fff;color:#222;font:13px sans-serif'>"
            f"{svg}<figcaption>score <b>{self.score:.2f}</b>: {legend}{note}{self._compared()}</figcaption></figure>"
        )

    def _compared(self) -> str:
        """Return the match, the text with its misfits and the reading as HTML, nothing without a text."""
        if self.text is None or self.match is None:
            return ""
        if not self.letters:
            found = _marked("the ink is too short for the text")
        elif count := sum(not letter.fits for letter in self.letters):
            faults = f"{count} {'letter does' if count == 1 else 'letters do'} not fit the ink"
            found = _marked(faults)
        else:
            found = "every letter fits the ink"
        pieces = marked_pieces(self.text, self.letters)
        text = "".join(_marked(piece) if is_marked else escape(piece) for piece, is_marked in pieces)
        lines = {"text": text, "reads": escape(self.reading or "")}
        rows = "".join(
            f"<div><span style='display:inline-block;width:4em;color:#666'>{name}</span>"
            f"<span style='font-size:16px;white-space:pre-wrap;overflow-wrap:anywhere'>{line}</span></div>"
            for name, line in lines.items()
        )
        return f"<br>match <b>{self.match:.2f}</b>: {found}{rows}"


def explain(
    row: Any,
    *,
    text: str | None = None,
    scorer: Scorer | None = None,
    reader: Reader | None = None,
    drop_first_point: bool = False,
) -> Explanation:
    """Score a row without each of its words, and each word alone; if it has only one, without each of its strokes.

    With a text, also read the row, and find each letter of the text in the ink.

    Args:
        row: Words of strokes or strokes, in any layout that `render_strokes` takes; or a record with these in
            `strokes`, such as a row of a data frame or a Hugging Face dataset.
        text: What the row should say, if that is to be compared.
        scorer: Scores the rows; by default one with the bundled model.
        reader: Compares the row with its text; by default the bundled reader.
        drop_first_point: Explain the row as `without_first_points` returns it.

    Raises:
        PenpalError: The row cannot be drawn. With a text also: the row is too long to read, or the text is empty, of
            more than 1,000 characters or in letters that the reader does not know.
    """
    if text is not None:
        text = plain_text(text)
    if not (text is None or isinstance(text, str)):
        raise PenpalError(f"text must be a string or None, got {type(text).__name__}")
    words = words_of(row_of(row))
    words = words_of(without_first_points([words])[0]) if drop_first_point else words
    found = None if text is None else read_row(reader or default_reader(), words, text)
    if found and (problem := found.problem or found.text_problem):
        raise PenpalError(problem, reason=problem.partition(":")[0])
    explanation = explained(words, scorer or default_scorer())
    return explanation if found is None else with_reading(explanation, text, found)


def with_reading(explanation: Explanation, text: str | None, found: RowReading) -> Explanation:
    """Add to an explanation what a reader found in its row, and the text that it compared."""
    return dataclasses.replace(explanation, text=text, reading=found.reading, match=found.match, letters=found.letters)


def explained(words: list[Strokes], scorer: Explaining) -> Explanation:
    """Explain the score of a row of words; see `explain`.

    Args:
        words: At least one word; each has at least one stroke, and each stroke at least one point.
        scorer: Scores the row and its parts.
    """
    by_word = len(words) > 1
    level: Level = "word" if by_word else "stroke"
    units: list[Strokes] = words if by_word else [[stroke] for stroke in words[0]]
    groups = np.array_split(np.arange(len(units)), min(len(units), _most_parts(words)))
    lengths = [sum(len(units[unit]) for unit in group) for group in groups]
    strokes, parts = _joined(words), np.repeat(np.arange(len(groups)), lengths)
    log_odds = scorer.log_odds_without(strokes, parts)
    effects = log_odds[0] - log_odds[1:] if len(groups) > 1 else np.array([np.nan], np.float32)
    if by_word:  # A stroke alone says nothing.
        effects = word_effects(scorer, strokes, parts, effects)
    score, note = scorer.judged(strokes, float(log_odds[0]))
    return Explanation(
        score=score,
        strokes=strokes,
        level=level,
        parts=parts,
        effects=effects,
        usual=scorer.usual_effects(level, len(groups)),
        note=note,
    )


def _most_parts(words: list[Strokes]) -> int:
    strokes = _joined(words)
    return max(2, min(MAX_PARTS, MAX_STROKES // len(strokes), MAX_POINTS // sum(map(len, strokes))))


def _joined(groups: Iterable[Strokes]) -> Strokes:
    return list(chain.from_iterable(groups))


def _marked(text: str) -> str:
    return f"<mark style='background:{MARK};color:inherit'>{escape(text)}</mark>"


def _colour(pull: float) -> str:
    end = LOWERING if pull < 0 else RAISING
    return _css(tuple(round(start + (full - start) * abs(pull)) for start, full in zip(NEUTRAL, end, strict=True)))


def _css(colour: tuple[int, ...]) -> str:
    return f"#{bytes(colour).hex()}"
