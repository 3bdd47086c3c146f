"""What a reader is measured by: character error rates, doubts of right and wrong texts, and calibration."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from penpal_fast.evaluation.figures import area_under_curve, kept, threshold_that_keeps
from penpal_fast.path_reference import TooLongError
from penpal_fast.reading.alphabet import encode
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.ctc import best_path
from penpal_fast.reading.scores import reading_doubt, text_doubt
from penpal_fast.training.reader.examples import Example, batch_of
from penpal_fast.training.reader.network import TrainedReader
from penpal_fast.training.reader.wrong_texts import EDITS

BATCH_ROWS = 24
KEPT = 0.95
"""Share of clean lines that reach a score of 0.5."""

USUAL_KEPT, USUAL_SCORE = 0.5, 0.9
"""Share of clean lines that reach the other score that calibration fixes."""

SEED = 3
"""Of the edits of texts."""


@dataclasses.dataclass(frozen=True)
class Read:
    """Rows with what the network says of them, log-probabilities [frames, outputs] each."""

    examples: Sequence[Example]
    log_probabilities: Sequence[NDArray[np.float32]]

    def error_rate(self) -> float:
        """Return the edits from the best path to the text, of all rows, by the letters of all texts."""
        pairs = zip(self.examples, self.log_probabilities, strict=True)
        edits = sum(edit_distance(best_path(one), example.codes) for example, one in pairs)
        return edits / sum(len(example.codes) for example in self.examples)

    def text_doubts(self, config: ReaderConfig, texts: Sequence[tuple[int, ...]] | None = None) -> NDArray[np.float64]:
        """Return the doubt of each row's text, or of other texts, given by their codes."""
        codes = texts or [example.codes for example in self.examples]
        pairs = zip(self.log_probabilities, codes, strict=True)
        return np.array([text_doubt(one, code, config) for one, code in pairs])

    def reading_doubts(self) -> NDArray[np.float64]:
        """Return how unsure each row's reading is."""
        return np.array([reading_doubt(one) for one in self.log_probabilities])

    def chosen(self, rows: Sequence[int]) -> Read:
        """Return some of the rows."""
        return Read([self.examples[row] for row in rows], [self.log_probabilities[row] for row in rows])


def read(network: TrainedReader, examples: Sequence[Example]) -> Read:
    """Read rows as they are; those that are too long to read are left out."""
    found: list[tuple[Example, NDArray[np.float32]]] = []
    rows = sorted(_with_paths(examples), key=lambda row: len(row[1]))
    for first in range(0, len(rows), BATCH_ROWS):
        chosen, paths = zip(*rows[first : first + BATCH_ROWS], strict=True)
        batch = batch_of(paths, [example.codes for example in chosen], range(len(paths)))
        with torch.no_grad():
            batched, frames = network(torch.from_numpy(batch.paths), torch.from_numpy(batch.samples))
        lengths = frames.tolist()
        found += [
            (example, one[:length]) for example, one, length in zip(chosen, batched.numpy(), lengths, strict=True)
        ]
    return Read([example for example, _ in found], [one for _, one in found])


def _with_paths(examples: Sequence[Example]) -> Iterator[tuple[Example, NDArray[np.float32]]]:
    for example in examples:
        with contextlib.suppress(TooLongError):
            yield example, example.path()


def calibrated(config: ReaderConfig, clean: Read) -> ReaderConfig:
    """Return the configuration in which 95 % of clean lines reach 0.5 and half of them 0.9, match and readability.

    Raises:
        ValueError: The doubts of clean lines do not differ, so nothing can be calibrated.
    """
    match_half, match_power = _half_and_power(clean.text_doubts(config))
    readability_half, readability_power = _half_and_power(clean.reading_doubts())
    return dataclasses.replace(
        config,
        match_half=match_half,
        match_power=match_power,
        readability_half=readability_half,
        readability_power=readability_power,
    )


def _half_and_power(doubts: NDArray[np.float64]) -> tuple[float, float]:
    half, usual = -threshold_that_keeps(-doubts, KEPT), -threshold_that_keeps(-doubts, USUAL_KEPT)
    if not 0 < usual < half < math.inf:
        raise ValueError(f"cannot calibrate: 95 % of clean lines have a doubt up to {half}, half of them up to {usual}")
    return round(float(half), 4), round(math.log(USUAL_SCORE / (1 - USUAL_SCORE)) / math.log(half / usual), 4)


def measure(config: ReaderConfig, real: Read, clean: Read, corrupted: Read) -> dict[str, Any]:
    """Return the tables of a reader; none depends on the calibration.

    Args:
        config: Of the network.
        real: Real lines of held-out forms.
        clean: Generated lines that were not trained on.
        corrupted: The same with the sampling disturbed.
    """
    sets = {"real": real, "clean": clean, "corrupted": corrupted}
    match = {name: -one.text_doubts(config) for name, one in sets.items()}
    readability = {name: -one.reading_doubts() for name, one in sets.items()}
    severities = np.array([example.severity or "" for example in corrupted.examples])
    return {
        "error_rate": {"real": real.error_rate(), "clean": clean.error_rate()},
        "match": _separation(match, severities),
        "readability": _separation(readability, severities),
        "wrong_texts": _wrong_texts(config, real, clean, match["clean"]),
    }


def _separation(scores: dict[str, NDArray[np.float64]], severities: NDArray[np.str_]) -> dict[str, Any]:
    """Areas under the curve, and what is kept where 95 % of clean lines are."""
    real, clean, corrupted = scores["real"], scores["clean"], scores["corrupted"]
    kinds = {"all": np.ones(len(corrupted), dtype=np.bool_)}
    kinds |= {str(name): severities == name for name in np.unique(severities) if name}
    threshold = threshold_that_keeps(clean, KEPT)
    return {
        "auc_real": area_under_curve(real, corrupted),
        "auc_clean": {name: area_under_curve(clean, corrupted[rows]) for name, rows in kinds.items()},
        "kept": {name: kept(corrupted[rows], threshold) for name, rows in kinds.items()},
        "kept_real": kept(real, threshold),
    }


def _wrong_texts(config: ReaderConfig, real: Read, clean: Read, right: NDArray[np.float64]) -> dict[str, float]:
    """Area under the curve of the texts of clean lines against the same with one mistake, by the kind of mistake.

    A kind that fits none of the texts is left out.
    """
    words = [word for example in real.examples for word in example.text.split()]
    found = {}
    for name, edit in EDITS.items():
        random = np.random.default_rng(SEED)
        texts = [edit(example.text, words, random) for example in clean.examples]
        codes = [encode(text or "", config.letters).codes for text in texts]
        rows = [row for row, code in enumerate(codes) if code]
        if rows:
            wrong = clean.chosen(rows).text_doubts(config, [codes[row] for row in rows])
            found[name] = area_under_curve(right, -wrong)
    return found


def edit_distance(found: Sequence[int], wanted: Sequence[int]) -> int:
    """Return the fewest letters to insert, delete or replace (Levenshtein, 1966)."""
    costs = list(range(len(wanted) + 1))
    for row, letter in enumerate(found, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(wanted, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (letter != other)),
            )
    return costs[-1]
