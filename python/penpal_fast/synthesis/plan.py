"""Plans of synthetic lines: a plan is small, complete, and always gives the same requests."""

from __future__ import annotations

import collections
import dataclasses
import logging
from collections.abc import Sequence

import numpy as np

from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.synthesis.corruption import SEVERITIES, Severity
from penpal_fast.synthesis.generator import Generator, Request
from penpal_fast.synthesis.texts import LONG_LINE, Text, long_line, run_of_words
from penpal_fast.synthesis.weights import MAX_LETTERS

logger = logging.getLogger(__name__)

PART_ROWS = 256
"""Rows of a batch and of a part: enough for efficient matrix products, few enough to lose in a kill."""


MAX_ROWS = 100_000_000
"""Maximum number of lines of a plan; each takes a kilobyte."""

MAX_BIAS = 100.0
"""Maximum bias: beyond it the generator writes what is likeliest."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """A set of lines to make.

    Attributes:
        rows: Number of lines.
        corrupted: Whether sampling is disturbed.
        seed: Seed of texts, styles, biases, corruption and sampling.
        bias: Range that each line's bias is drawn from uniformly.
        longest: Maximum number of words in a line that is not a whole text.
        whole_share: Share of the lines that are a whole text; the others have 1 to `longest` words.
        long_share: Share of the lines that are texts one after another, of 45 to 75 letters.
        severities: Share and ranges of each kind of corruption.
    """

    rows: int
    corrupted: bool = False
    seed: int = 0
    bias: tuple[float, float] = (0.9, 0.9)
    longest: int = 6
    whole_share: float = 0.0
    long_share: float = 0.0
    severities: dict[str, Severity] = dataclasses.field(default_factory=lambda: SEVERITIES)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 1 <= self.rows <= MAX_ROWS or self.longest < 1:
            raise UsageError(
                f"rows must be from 1 to {MAX_ROWS:,} and longest at least 1, got {self.rows:,} and {self.longest:,}"
            )
        if self.seed < 0:
            raise UsageError(f"seed must be at least 0, got {self.seed}")
        for name in ("whole_share", "long_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        if not -MAX_BIAS <= self.bias[0] <= self.bias[1] <= MAX_BIAS:
            raise UsageError(
                f"bias must be a range from {-MAX_BIAS:g} to {MAX_BIAS:g}, the lower end first, got {self.bias}"
            )
        shares = [severity.share for severity in self.severities.values()]
        if self.corrupted and (min(shares, default=-1.0) < 0 or abs(sum(shares) - 1) > 1e-6):
            raise UsageError(f"the shares of the severities must be at least 0 and sum to 1, got {shares}")

    @property
    def parts(self) -> int:
        """Number of parts of `PART_ROWS` rows; the last part may be shorter."""
        return -(-self.rows // PART_ROWS)


MAX_NAMED = 20
"""Number of letters that a warning names, the most frequent first."""


@dataclasses.dataclass(frozen=True)
class Planned:
    """A line to make: its request, the source of its text, and the severity of its corruption, None if clean."""

    request: Request
    source: str
    severity: str | None


def writable_texts(texts: Sequence[Text], generator: Generator) -> list[Text]:
    """Return the texts that the generator knows all characters of. A warning says how many others there are, and why.

    Raises:
        PenpalError: There is no such text.
    """
    unknown = [set(generator.unknown(" ".join(text.words))) for text in texts]
    kept = [text for text, letters in zip(texts, unknown, strict=True) if not letters]
    counts = collections.Counter(letter for letters in unknown for letter in letters)
    lacking = ", ".join(repr(letter) for letter, _ in counts.most_common(MAX_NAMED))
    lacking += f" and {len(counts) - MAX_NAMED} others" if len(counts) > MAX_NAMED else ""
    if not kept:
        raise PenpalError(
            f"the generator can write none of the {len(texts):,} texts: it does not know {lacking}; it knows "
            f"{''.join(generator.alphabet[1:])!r}"
        )
    if counts:
        logger.warning(
            "%s of %s texts are left out: the generator does not know %s",
            f"{len(texts) - len(kept):,}",
            f"{len(texts):,}",
            lacking,
        )
    return kept


def check_lengths(plan: Plan, texts: Sequence[Text]) -> None:
    """Make sure that no line of a plan can be too long, whatever is drawn.

    Raises:
        PenpalError: A text, or `longest` words of it, would be; or a word does not fit into a long line.
    """
    words_of_line = max(plan.longest, 1)
    most_of_word = LONG_LINE[0] if plan.long_share else MAX_LETTERS
    for text in texts:
        lengths = [len(word) for word in text.words]
        if max(lengths) > most_of_word:
            word = next(word for word in text.words if len(word) > most_of_word)
            raise PenpalError(
                f"the texts have a word of {len(word):,} letters, {word[:20]!r}...; at most {most_of_word} can be "
                "written; leave it out"
            )
        count = len(lengths) if plan.whole_share else min(words_of_line, len(lengths))
        # Letters of all runs of this many words, with the spaces between them.
        ends = np.cumsum([0, *(length + 1 for length in lengths)])
        if (longest := int((ends[count:] - ends[:-count]).max()) - 1) > MAX_LETTERS:
            raise PenpalError(
                f"a line of {longest:,} letters could come of the text {' '.join(text.words)[:40]!r}...; at most "
                f"{MAX_LETTERS} can be written; shorten it" + ("" if plan.whole_share else ", or take fewer words")
            )


def planned_part(plan: Plan, part: int, texts: Sequence[Text], styles: int) -> list[Planned]:
    """Return the lines of one part; they do not depend on other parts."""
    random = np.random.default_rng([plan.seed, part])
    rows = min(PART_ROWS, plan.rows - part * PART_ROWS)
    return [_planned(plan, texts, styles, random) for _ in range(rows)]


def _planned(plan: Plan, texts: Sequence[Text], styles: int, random: np.random.Generator) -> Planned:
    text = texts[int(random.integers(len(texts)))]
    line = _line(plan, text, texts, random)
    style = int(random.integers(styles)) if styles else None
    bias = float(random.uniform(*plan.bias))
    if not plan.corrupted:
        return Planned(Request(line, style, bias), text.source, None)
    names = list(plan.severities)
    shares = np.array([plan.severities[name].share for name in names])
    # NumPy refuses sums that are farther from 1 than rounding.
    chances = shares if abs(shares.sum() - 1) < 1e-9 else shares / shares.sum()
    severity = str(random.choice(names, p=chances))
    corruption = plan.severities[severity].draw(random)
    return Planned(Request(line, style, bias, corruption), text.source, severity)


def _line(plan: Plan, text: Text, texts: Sequence[Text], random: np.random.Generator) -> str:
    """Return a text, a part of it, or texts one after another."""
    if plan.long_share and random.random() < plan.long_share:
        return long_line(texts, random)
    if random.random() < plan.whole_share:
        return " ".join(text.words)
    return run_of_words(text, random, longest=plan.longest)
