"""Calibration of a reader: which doubts become a score of 0.5."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from penpal_fast.checks.thresholds import CLEAN_KEPT
from penpal_fast.errors import PenpalError
from penpal_fast.evaluation.figures import threshold_that_keeps
from penpal_fast.path_reference import TooLongError
from penpal_fast.reading.config import MAX_OF_SCORE, MIN_OF_SCORE, ReaderConfig
from penpal_fast.reading.scores import reading_doubt, text_doubt
from penpal_fast.training.reader.examples import Example, batch_of
from penpal_fast.training.reader.network import TrainedReader

BATCH_ROWS = 24


@dataclasses.dataclass(frozen=True)
class Read:
    """Rows with what the network says of them, log-probabilities [frames, outputs] each."""

    examples: Sequence[Example]
    log_probabilities: Sequence[NDArray[np.float32]]

    def text_doubts(self, config: ReaderConfig) -> NDArray[np.float64]:
        """Return the doubt of each row's text."""
        pairs = zip(self.log_probabilities, self.examples, strict=True)
        return np.array([text_doubt(one, example.codes, config) for one, example in pairs])

    def reading_doubts(self) -> NDArray[np.float64]:
        """Return how unsure each row's reading is."""
        return np.array([reading_doubt(one) for one in self.log_probabilities])


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
    """Return the configuration in which 95 % of clean lines reach a match of 0.5, and a readability of 0.5.

    Raises:
        PenpalError: Nothing speaks against clean lines, or more than can be counted.
    """
    return dataclasses.replace(
        config,
        match_half=_half(clean.text_doubts(config)),
        readability_half=_half(clean.reading_doubts()),
    )


def _half(doubts: NDArray[np.float64]) -> float:
    half = -threshold_that_keeps(-doubts, CLEAN_KEPT)
    if not MIN_OF_SCORE < half < MAX_OF_SCORE:
        raise PenpalError(f"cannot calibrate: 95 % of clean lines have a doubt up to {half:g}")
    return round(float(half), 4)
