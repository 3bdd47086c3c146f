"""Rows with their texts, and batches of paths made from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penpal_fast.handwriting.lines import Line, read_lines
from penpal_fast.path_reference import TooLongError
from penpal_fast.reading.alphabet import encode
from penpal_fast.training.reader.augmentation import Changes, changed
from penpal_fast.training.reader.paths import framed, path_of
from penpal_fast.training.reader.wrong_codes import Codes

POOL_BATCHES = 24
"""Batches whose rows are drawn together and sorted by length, so that little of a batch is padding."""


@dataclasses.dataclass(frozen=True)
class Example:
    """A row to learn from: its points in heights [N, 2], the number of each point's stroke [N], its text
    and, of generated lines, how they were corrupted."""

    points: NDArray[np.float32]
    stroke: NDArray[np.int32]
    text: str
    codes: Codes
    severity: str | None

    @classmethod
    def of(cls, line: Line, letters: str) -> Example | None:
        """Take a line; None where its text cannot be learned from: not there, or with a letter that is not known."""
        encoded = encode(line.text or "", letters)
        strokes = line.strokes()
        if encoded.problem or encoded.unreadable or not strokes:
            return None
        stroke = np.repeat(np.arange(len(strokes)), [len(one) for one in strokes])
        points, stroke = framed(np.concatenate(strokes), stroke)
        return cls(points.astype(np.float32), stroke.astype(np.int32), line.text or "", encoded.codes, line.severity)

    def path(self) -> NDArray[np.float32]:
        """Return the path [N, 5] of the row as it is."""
        return path_of(self.points.astype(np.float64), self.stroke.astype(np.int64))

    def changed_path(self, changes: Changes, random: np.random.Generator) -> NDArray[np.float32]:
        """Return the path [N, 5] of a changed row."""
        return path_of(*changed(self.points.astype(np.float64), self.stroke.astype(np.int64), changes, random))


def read_examples(path: Path, letters: str, keep: Callable[[str], bool] = lambda _source: True) -> list[Example]:
    """Read the lines of a Parquet file whose source is to be kept and whose text can be learned from."""
    lines = [line for line in read_lines(path) if keep(line.source or "")]
    examples = [Example.of(line, letters) for line in lines]
    return [example for example in examples if example is not None]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Padded paths [rows, samples, 5], the samples of each, the codes of all texts in a row, how many each text has,
    which examples they are, and whether each was given a wrong text."""

    paths: NDArray[np.float32]
    samples: NDArray[np.int64]
    codes: NDArray[np.int64]
    letters: NDArray[np.int64]
    rows: NDArray[np.int64]
    is_wrong: NDArray[np.bool_]


def batch_of(
    paths: Sequence[NDArray[np.float32]],
    codes: Sequence[Codes],
    rows: Sequence[int],
    is_wrong: Sequence[bool] | None = None,
) -> Batch:
    """Pad paths to the longest; without `is_wrong`, no text is wrong."""
    samples = np.array([len(path) for path in paths])
    padded = np.zeros((len(paths), int(samples.max()), paths[0].shape[1]), dtype=np.float32)
    for row, path in enumerate(paths):
        padded[row, : len(path)] = path
    letters = np.array([len(code) for code in codes])
    wrong = np.zeros(len(paths), dtype=bool) if is_wrong is None else np.array(is_wrong, dtype=bool)
    return Batch(padded, samples, np.concatenate([np.array(code) for code in codes]), letters, np.array(rows), wrong)


_Told = tuple[NDArray[np.float32], Codes, int, bool]
"""A path, the codes of the text given for it, the row, and whether the text is wrong."""


def batches(
    examples: Sequence[Example],
    drawn: NDArray[np.int64],
    batch_samples: int,
    fits: Callable[[int, Sequence[int]], bool],
    changes: Callable[[int], Changes],
    told: Callable[[int], tuple[Codes, bool]],
    random: np.random.Generator,
) -> Iterator[Batch]:
    """Yield batches of examples with similar lengths, in the order drawn except for the sorting within a pool.

    Args:
        examples: All examples.
        drawn: Indices of the examples to take.
        batch_samples: Samples of a batch, padding included.
        fits: Whether a path of this many samples can say a text of these letters.
        changes: How a row is changed.
        told: The codes of the text that is given for a row, and whether it is a wrong one.
        random: Source of randomness.
    """
    pool_rows = POOL_BATCHES * max(batch_samples // 450, 1)
    for first in range(0, len(drawn), pool_rows):
        made: list[_Told] = []
        for row in drawn[first : first + pool_rows].tolist():
            example = examples[row]
            try:
                path = example.changed_path(changes(row), random)
            except TooLongError:
                continue
            codes, is_wrong = told(row)
            if fits(len(path), codes):
                made.append((path, codes, row, is_wrong))
        made.sort(key=lambda one: len(one[0]))
        groups: list[list[_Told]] = []
        group: list[_Told] = []
        for one in made:
            if group and (len(group) + 1) * len(one[0]) > batch_samples:
                groups.append(group)
                group = []
            group.append(one)
        if group:
            groups.append(group)
        for index in random.permutation(len(groups)):
            yield batch_of(*zip(*groups[index], strict=True))
