"""The handwriting generator, which writes many lines at once in the styles of its primers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast.engines.gpu import gpu_answers
from penpal_fast.engines.mlx_thread import go_on, run_on_mlx_thread
from penpal_fast.errors import PenpalError
from penpal_fast.synthesis.cell import HIDDEN, Cell, Disturbance, State
from penpal_fast.synthesis.corruption import UNDISTURBED, Corruption
from penpal_fast.synthesis.mixture import sample
from penpal_fast.synthesis.weights import MAX_LETTERS, read_generator

STEPS_PER_CHARACTER = 40
"""A line is cut off after this many steps for each of its characters."""

UNSEEN = 1e-7
"""While the attention beyond a primer is below this, the text after the primer cannot change the state in float32."""


@dataclasses.dataclass(frozen=True)
class Request:
    """One line to write."""

    text: str
    style: int | None
    """Index of the primer whose handwriting is continued; None for a random hand."""
    bias: float = 0.9
    """At least 0 (wild); higher is tidier."""
    corruption: Corruption = UNDISTURBED


@dataclasses.dataclass(frozen=True)
class Writing:
    """A written line: pen offsets [T, 3] (dx, dy, end of stroke; y upward) and the index of the character that each
    offset was written for [T]."""

    offsets: NDArray[np.float32]
    characters: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class _Primed:
    """The state of one row after the first steps of a style's primer, and the number of these steps."""

    state: State
    steps: int


class Generator:
    """A trained generator."""

    def __init__(self, path: Path, *, backend: Literal["auto", "mlx", "numpy"] = "auto") -> None:
        """Load trained weights.

        Args:
            path: A safetensors file with the alphabet and the texts of the primers in its metadata, or an npz file of
                the same tensors, which has the default alphabet and no styles.
            backend: "mlx" (for a GPU), "numpy" (three times as fast on the processor), or "auto": MLX if it has a GPU.

        Raises:
            PenpalError: The file cannot be read or its tensors do not fit a generator; or the backend is MLX, and the
                process was forked from one that had used it.
        """
        tensors, self.alphabet, self.primers = read_generator(path)
        self.styles = [tensors.pop(f"style{style}_strokes") for style in range(len(self.primers))]
        if backend == "auto":
            backend = "mlx" if gpu_answers() else "numpy"
        self._run: Callable[[Callable[[], Any]], Any] = run_on_mlx_thread if backend == "mlx" else _run
        self._cell = self._run(lambda: Cell(tensors, mx if backend == "mlx" else np))
        self._code = {character: code for code, character in enumerate(self.alphabet)}

    def encode(self, text: str) -> list[int]:
        """Return a text's character codes, with a 0 at the end.

        Raises:
            PenpalError: The text has a character that is not in the alphabet.
        """
        unknown = self.unknown(text)
        if unknown:
            raise PenpalError(f"the generator cannot write {unknown}; it knows {''.join(self.alphabet[1:])!r}")
        return [self._code[character] for character in text] + [0]

    def unknown(self, text: str) -> list[str]:
        """Return the characters of a text that are not in the alphabet."""
        return sorted({character for character in text if self._code.get(character, 0) == 0})

    def write(self, requests: Sequence[Request], *, seed: int | list[int]) -> list[Writing]:
        """Write lines as one batch; rows leave it when they end.

        The same requests in the same order with the same seed give the same lines on the same machine.

        Raises:
            PenpalError: A text is empty, longer than a line or cannot be written, or there is no such style.
        """
        if not requests:
            return []
        return self._run(lambda: _Batch(self, requests, np.random.default_rng(seed)).write())

    def primer(self, style: int | None) -> str:
        """Return the text before a line's own text: the style's primer and a space."""
        return "" if style is None else self.primers[style] + " "

    @functools.cached_property
    def primed(self) -> dict[int | None, _Primed]:
        """The state of each style after the first steps of its primer, which do not depend on the line that follows."""
        xp = self._cell.arrays
        blank = _Primed(self._cell.blank(1, len(self.alphabet)), 0)
        return {None: blank, **{style: self._prime(style, xp) for style in range(len(self.styles))}}

    def _prime(self, style: int, xp: Any) -> _Primed:
        codes = self.encode(self.primer(style))[:-1]
        text = xp.array(np.eye(len(self.alphabet), dtype=np.float32)[codes][None])
        # A probe for the first character of a line, to see when the attention reaches it.
        text = xp.concatenate([text, xp.zeros((1, 1, len(self.alphabet)), dtype=xp.float32)], axis=1)
        probe = xp.concatenate([text[:, :-1], xp.ones_like(text[:, -1:])], axis=1)
        state = self._cell.blank(1, len(self.alphabet))
        undisturbed = Disturbance(
            xp.array([[UNDISTURBED.kappa_scale]], dtype=xp.float32),
            xp.array([[UNDISTURBED.beta_floor]], dtype=xp.float32),
            None,
        )
        for step, x in enumerate(self.styles[style]):
            with np.errstate(over="ignore"):
                phi, following = self._cell.step(xp.array(x[None]), probe, state, undisturbed)
            if float(phi[0, -1]) > UNSEEN:
                return _Primed(state, step)
            state = following
        return _Primed(state, len(self.styles[style]))


class _Batch:
    """A batch of lines while they are written."""

    def __init__(self, generator: Generator, requests: Sequence[Request], random: np.random.Generator) -> None:
        for row, request in enumerate(requests):
            if not request.text:
                raise PenpalError(f"line {row}: there is no text to write")
            if len(request.text) > MAX_LETTERS:
                raise PenpalError(
                    f"line {row}: the text has {len(request.text):,} letters; a line has at most {MAX_LETTERS}"
                )
            if request.style is not None and not 0 <= request.style < len(generator.styles):
                raise PenpalError(f"line {row}: there is no style {request.style}; there are {len(generator.styles)}")
        self.cell = generator._cell
        self.random = random
        codes = [generator.encode(generator.primer(request.style) + request.text) for request in requests]
        primed = [generator.primed[request.style] for request in requests]

        # One entry a row; `_keep` drops the entries of rows that have ended.
        self.row = np.arange(len(requests))
        self.first_character = np.array([len(generator.primer(request.style)) for request in requests])
        self.closing = np.array([len(code) - 1 for code in codes])
        self.primer = [_rest_of_primer(generator, request, one) for request, one in zip(requests, primed, strict=True)]
        self.primer_steps = np.array([len(primer) for primer in self.primer])
        self.cap = STEPS_PER_CHARACTER * (self.closing - self.first_character)
        self.text = np.zeros((len(codes), max(map(len, codes)), len(generator.alphabet)), dtype=np.float32)
        for row, code in enumerate(codes):
            self.text[row, np.arange(len(code)), code] = 1.0
        corruptions = [request.corruption for request in requests]
        self.bias = _column([request.bias for request in requests])
        self.kappa_scale = _column([corruption.kappa_scale for corruption in corruptions])
        self.beta_floor = _column([corruption.beta_floor for corruption in corruptions])
        self.noise = _column([corruption.noise for corruption in corruptions])
        letters = self.closing - self.first_character
        self.onset = self.first_character + letters * np.array([corruption.onset for corruption in corruptions])
        self.disturbed = np.array([corruption.onset == 0 for corruption in corruptions])
        joined = self.cell.arrays.concatenate
        self.state = State.of([joined(arrays) for arrays in zip(*(one.state.values() for one in primed), strict=True)])
        self.points: list[list[NDArray[np.float32]]] = [[] for _ in requests]
        self.characters: list[list[int]] = [[] for _ in requests]

    def write(self) -> list[Writing]:
        """Step until every line has ended."""
        xp = self.cell.arrays
        text, running = xp.array(self.text), np.ones(len(self.row), dtype=bool)
        x, step = np.stack([primer[0] for primer in self.primer]), 0
        while True:
            go_on()
            # The step that reads the primer's last point is the first whose output belongs to the line.
            free = step + 1 >= self.primer_steps
            disturbance = self._disturbance(free & self.disturbed)
            with np.errstate(over="ignore", invalid="ignore"):  # A sigmoid far below 0 is 0; see `_ended_by_overflow`.
                phi, self.state = self.cell.step(xp.array(x), text, self.state, disturbance)
            if xp is mx:
                mx.eval(phi, *self.state.values())
            sampled = sample(self.cell.head(self.state.hidden[2]), self.bias, self.random)
            character = np.asarray(phi).argmax(axis=1)
            self.disturbed |= character >= self.onset
            lost = _ended_by_overflow(sampled)
            self._record(np.flatnonzero(free & running), sampled, character)
            ended = ((character >= self.closing) & (sampled[:, 2] > 0.5)) | lost
            running &= ~(free & (ended | (step + 2 - self.primer_steps >= self.cap)))
            if not running.any():
                break
            x = sampled.copy()
            for index in np.flatnonzero(~free):
                x[index] = self.primer[index][step + 1]
            step += 1
            if running.mean() < 0.9:
                x = x[running]
                self._keep(np.flatnonzero(running))
                text, running = xp.array(self.text), np.ones(len(self.row), dtype=bool)
        return [
            Writing(np.array(points, dtype=np.float32), np.array(characters))
            for points, characters in zip(self.points, self.characters, strict=True)
        ]

    def _record(self, rows: NDArray[np.int64], sampled: NDArray[np.float32], character: NDArray[np.int64]) -> None:
        last = self.closing - self.first_character - 1
        written = np.clip(character - self.first_character, 0, last)
        for index in rows.tolist():
            row = int(self.row[index])
            self.points[row].append(sampled[index])
            self.characters[row].append(int(written[index]))

    def _disturbance(self, disturbed: NDArray[np.bool_]) -> Disturbance:
        """Return the corruption of each row that is disturbed, and none for the other rows."""
        xp, past = self.cell.arrays, disturbed[:, None]
        strength = np.where(past, self.noise, np.float32(0))
        noise = None
        if strength.any():
            noise = xp.array(strength * self.random.standard_normal((3, len(disturbed), HIDDEN), dtype=np.float32))
        return Disturbance(
            xp.array(np.where(past, self.kappa_scale, np.float32(UNDISTURBED.kappa_scale))),
            xp.array(np.where(past, self.beta_floor, np.float32(UNDISTURBED.beta_floor))),
            noise,
        )

    def _keep(self, kept: NDArray[np.int64]) -> None:
        """Drop all other rows, which have ended."""
        self.row, self.first_character, self.closing = self.row[kept], self.first_character[kept], self.closing[kept]
        self.primer_steps, self.cap, self.bias = self.primer_steps[kept], self.cap[kept], self.bias[kept]
        self.kappa_scale, self.beta_floor = self.kappa_scale[kept], self.beta_floor[kept]
        self.onset, self.disturbed = self.onset[kept], self.disturbed[kept]
        self.noise, self.text = self.noise[kept], self.text[kept, : int(self.closing.max()) + 1]
        self.primer = [self.primer[index] for index in kept]
        index = self.cell.arrays.array(kept)
        self.state = State.of([array[index] for array in self.state.values()])


def _ended_by_overflow(sampled: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the rows whose state has left float32, as strong disturbances can make it, and end their strokes."""
    lost = np.logical_not(np.isfinite(sampled).all(axis=1))
    sampled[lost] = 0.0, 0.0, 1.0
    return lost


def _rest_of_primer(generator: Generator, request: Request, primed: _Primed) -> NDArray[np.float32]:
    """Return the points to read before a line: the rest of the primer and a lift of the pen.

    A primer may stop within a stroke, and a line starts with a new stroke.
    """
    lift = np.array([[0.0, 0.0, 1.0]], dtype=np.float32)
    if request.style is None:
        return lift
    return np.concatenate([generator.styles[request.style][primed.steps :], lift])


def _run(work: Callable[[], Any]) -> Any:
    return work()


def _column(values: list[float]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)[:, None]
