"""The handwriting generator: trained weights, styles to write in, and writing many lines at once."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx
import numpy as np
import safetensors
from numpy.typing import NDArray

from penpal_fast.engines.gpu import gpu_answers
from penpal_fast.errors import PenpalError
from penpal_fast.network.weights import read_tensors
from penpal_fast.synthesis.cell import HIDDEN, WINDOWS, Cell, Disturbance, State
from penpal_fast.synthesis.corruption import UNDISTURBED, Corruption
from penpal_fast.synthesis.mixture import MIXTURES, sample

STEPS_PER_CHARACTER = 40
"""A line is cut off after so many steps for each of its characters."""

UNSEEN = 1e-7
"""While the attention beyond a primer is below this, what follows the primer cannot change the state in float32."""

ALPHABET = "\0 !\"#'(),-.0123456789:;?ABCDEFGHIJKLMNOPRSTUVWYabcdefghijklmnopqrstuvwxyz"
"""Characters by code, for weights that do not bring their own; 0 ends a text."""


@dataclasses.dataclass(frozen=True)
class Request:
    """One line to be written."""

    text: str
    style: int | None
    """Number of the primer whose handwriting is taken up; None for whatever hand comes."""
    bias: float = 0.9
    """From 0 (wild) up; the higher, the tidier."""
    corruption: Corruption = UNDISTURBED


@dataclasses.dataclass(frozen=True)
class Writing:
    """One line as it was written: pen offsets [T, 3] (dx, dy, end of stroke; y upward) and, for each, the index of the
    character that was being written."""

    offsets: NDArray[np.float32]
    characters: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class _Primed:
    """A style's primer as far as it has been written before any line: the state of one row, and the steps taken."""

    state: State
    steps: int


class Generator:
    """A trained generator."""

    def __init__(self, path: Path, *, backend: Literal["auto", "mlx", "numpy"] = "auto") -> None:
        """Load trained weights.

        Args:
            path: A safetensors file, with the alphabet and the texts of the primers in its metadata, or an npz file of
                the same tensors; without metadata the alphabet is `ALPHABET` and there are no styles.
            backend: What computes: "mlx" (for a GPU), "numpy" (three times faster on a CPU), or by what is there.

        Raises:
            PenpalError: The file cannot be read or its tensors are not those of a generator.
        """
        tensors, metadata = _read(path)
        self.alphabet: list[str] = list(json.loads(metadata["alphabet"])) if "alphabet" in metadata else list(ALPHABET)
        self.primers: list[str] = json.loads(metadata.get("primers", "[]"))
        _check(path, tensors, len(self.alphabet), len(self.primers))
        self.styles = [tensors.pop(f"style{style}_strokes") for style in range(len(self.primers))]
        if backend == "auto":
            backend = "mlx" if gpu_answers() else "numpy"
        self._cell = Cell(tensors, mx if backend == "mlx" else np)
        self._code = {character: code for code, character in enumerate(self.alphabet)}

    def encode(self, text: str) -> list[int]:
        """Return a text's character codes with the closing 0.

        Raises:
            PenpalError: The text has a character that the generator never learned.
        """
        unknown = self.unknown(text)
        if unknown:
            raise PenpalError(f"the generator cannot write {unknown}; it knows {''.join(self.alphabet[1:])!r}")
        return [self._code[character] for character in text] + [0]

    def unknown(self, text: str) -> list[str]:
        """Return the characters of a text that the generator never learned."""
        return sorted({character for character in text if self._code.get(character, 0) == 0})

    def write(self, requests: Sequence[Request], *, seed: int | list[int]) -> list[Writing]:
        """Write lines together, as one batch; rows that have ended leave it.

        The same requests in the same order with the same seed give the same lines on the same machine.

        Raises:
            PenpalError: A text is empty or cannot be written, or there is no such style.
        """
        return _Batch(self, requests, np.random.default_rng(seed)).write() if requests else []

    def primer(self, style: int | None) -> str:
        """Return what stands before a line's own text: the style's primer and a space."""
        return "" if style is None else self.primers[style] + " "

    @functools.cached_property
    def primed(self) -> dict[int | None, _Primed]:
        """The state of each style, after as many steps of its primer as are the same whatever line follows."""
        xp = self._cell.arrays
        blank = _Primed(self._cell.blank(1, len(self.alphabet)), 0)
        return {None: blank, **{style: self._prime(style, xp) for style in range(len(self.styles))}}

    def _prime(self, style: int, xp: Any) -> _Primed:
        codes = self.encode(self.primer(style))[:-1]
        text = xp.array(np.eye(len(self.alphabet), dtype=np.float32)[codes][None])
        # One more character, unwritten: the first one of a line, to see when the attention reaches it.
        text = xp.concatenate([text, xp.zeros((1, 1, len(self.alphabet)), dtype=xp.float32)], axis=1)
        probe = xp.concatenate([text[:, :-1], xp.ones_like(text[:, -1:])], axis=1)
        state = self._cell.blank(1, len(self.alphabet))
        undisturbed = Disturbance(_column(xp, [1.0]), _column(xp, [UNDISTURBED.beta_floor]), None)
        for step, x in enumerate(self.styles[style]):
            with np.errstate(over="ignore"):
                phi, following = self._cell.step(xp.array(x[None]), probe, state, undisturbed)
            if float(phi[0, -1]) > UNSEEN:
                return _Primed(state, step)
            state = following
        return _Primed(state, len(self.styles[style]))


class _Batch:
    """Lines being written."""

    def __init__(self, generator: Generator, requests: Sequence[Request], random: np.random.Generator) -> None:
        for row, request in enumerate(requests):
            if not request.text:
                raise PenpalError(f"line {row}: there is no text to write")
            if request.style is not None and not 0 <= request.style < len(generator.styles):
                raise PenpalError(f"line {row}: there is no style {request.style}; there are {len(generator.styles)}")
        self.cell = generator._cell
        self.requests = requests
        self.random = random
        codes = [generator.encode(generator.primer(request.style) + request.text) for request in requests]
        primed = [generator.primed[request.style] for request in requests]

        # Per row; shortened together whenever rows leave.
        self.row = np.arange(len(requests))
        self.first_character = np.array([len(generator.primer(request.style)) for request in requests])
        self.closing = np.array([len(code) - 1 for code in codes])
        self.primer = [_rest_of_primer(generator, request, one) for request, one in zip(requests, primed, strict=True)]
        self.cap = STEPS_PER_CHARACTER * (self.closing - self.first_character)
        self.text = np.zeros((len(codes), max(map(len, codes)), len(generator.alphabet)), dtype=np.float32)
        for row, code in enumerate(codes):
            self.text[row, np.arange(len(code)), code] = 1.0
        joined = self.cell.arrays.concatenate
        self.state = State(
            [joined([one.state.hidden[layer] for one in primed]) for layer in range(3)],
            [joined([one.state.cell[layer] for one in primed]) for layer in range(3)],
            joined([one.state.kappa for one in primed]),
            joined([one.state.window for one in primed]),
        )
        self.points: list[list[NDArray[np.float32]]] = [[] for _ in requests]
        self.characters: list[list[int]] = [[] for _ in requests]

    def write(self) -> list[Writing]:
        """Step until every line has ended."""
        xp = self.cell.arrays
        primer_steps = np.array([len(primer) for primer in self.primer])
        text, running = xp.array(self.text), np.ones(len(self.row), dtype=bool)
        settings = _Settings.of(self.requests, self.row)
        x, step = np.stack([primer[0] for primer in self.primer]), 0
        while True:
            # The step that reads the primer's last point is the first whose output is the line's own.
            free = step + 1 >= primer_steps
            disturbance = settings.disturbance(xp, free, self.random)
            with np.errstate(over="ignore"):  # a sigmoid far below 0 is 0
                phi, self.state = self.cell.step(xp.array(x), text, self.state, disturbance)
            if xp is mx:
                mx.eval(phi, *self.state.all())
            sampled = sample(self.cell.head(self.state.hidden[2]), settings.bias, self.random)
            character = np.asarray(phi).argmax(axis=1)
            self._record(np.flatnonzero(free & running), sampled, character)
            ended = (character >= self.closing) & (sampled[:, 2] > 0.5)
            running &= ~(free & (ended | (step + 2 - primer_steps >= self.cap)))
            if not running.any():
                break
            x = sampled.copy()
            for index in np.flatnonzero(~free):
                x[index] = self.primer[index][step + 1]
            step += 1
            if running.mean() < 0.9:
                x, primer_steps = x[running], primer_steps[running]
                self._keep(running)
                longest = int(self.closing.max()) + 1
                self.text = self.text[:, :longest]
                text, settings = xp.array(self.text), _Settings.of(self.requests, self.row)
                running = np.ones(len(self.row), dtype=bool)
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

    def _keep(self, running: NDArray[np.bool_]) -> None:
        """Drop the rows that have ended."""
        kept = np.flatnonzero(running)
        self.row, self.first_character, self.closing = self.row[kept], self.first_character[kept], self.closing[kept]
        self.cap, self.text = self.cap[kept], self.text[kept]
        self.primer = [self.primer[index] for index in kept]
        index = self.cell.arrays.array(kept)
        self.state = self.state.map(lambda array: array[index])


@dataclasses.dataclass
class _Settings:
    """Bias and corruption of the rows of a batch, [rows, 1]."""

    bias: NDArray[np.float32]
    kappa_scale: NDArray[np.float32]
    beta_floor: NDArray[np.float32]
    noise: NDArray[np.float32]

    @classmethod
    def of(cls, requests: Sequence[Request], rows: NDArray[np.int64]) -> _Settings:
        chosen = [requests[int(row)] for row in rows]
        return cls(
            _column(np, [request.bias for request in chosen]),
            _column(np, [request.corruption.kappa_scale for request in chosen]),
            _column(np, [request.corruption.beta_floor for request in chosen]),
            _column(np, [request.corruption.noise for request in chosen]),
        )

    def disturbance(self, xp: Any, free: NDArray[np.bool_], random: np.random.Generator) -> Disturbance:
        """Return each row's corruption where it is past its primer, else none."""
        past = free[:, None]
        strength = np.where(past, self.noise, np.float32(0))
        noise = None
        if strength.any():
            noise = xp.array(strength * random.standard_normal((3, len(free), HIDDEN), dtype=np.float32))
        return Disturbance(
            xp.array(np.where(past, self.kappa_scale, np.float32(1))),
            xp.array(np.where(past, self.beta_floor, np.float32(UNDISTURBED.beta_floor))),
            noise,
        )


def _rest_of_primer(generator: Generator, request: Request, primed: _Primed) -> NDArray[np.float32]:
    """Return the points that are still to be read before a line: the primer's last ones and a lift of the pen.

    A primer need not end with the end of a stroke, and a line starts with a new one.
    """
    lift = np.array([[0.0, 0.0, 1.0]], dtype=np.float32)
    if request.style is None:
        return lift
    return np.concatenate([generator.styles[request.style][primed.steps :], lift])


def _column(xp: Any, values: list[float]) -> Any:
    return xp.array(values, dtype=xp.float32)[:, None]


def _read(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    if path.suffix != ".npz":
        tensors = read_tensors(path)
        with safetensors.safe_open(path, framework="np") as file:
            return tensors, file.metadata() or {}
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: np.asarray(file[name], dtype=np.float32) for name in file.files}, {}
    except (OSError, ValueError) as error:
        raise PenpalError(f"{path}: cannot read the generator's weights: {error}") from error


def _check(path: Path, tensors: dict[str, NDArray[np.float32]], alphabet: int, styles: int) -> None:
    """Check that the tensors are those of a generator, so that a wrong file is named as such."""
    inner = alphabet + 3 + HIDDEN
    expected: dict[str, tuple[int | None, ...]] = {
        "lstm1_kernel": (inner, 4 * HIDDEN),
        "lstm2_kernel": (inner + HIDDEN, 4 * HIDDEN),
        "lstm3_kernel": (inner + HIDDEN, 4 * HIDDEN),
        **{f"lstm{layer}_bias": (4 * HIDDEN,) for layer in (1, 2, 3)},
        "attention_weights": (inner, 3 * WINDOWS),
        "attention_biases": (3 * WINDOWS,),
        "gmm_weights": (HIDDEN, 6 * MIXTURES + 1),
        "gmm_biases": (6 * MIXTURES + 1,),
        **{f"style{style}_strokes": (None, 3) for style in range(styles)},
    }
    for name, shape in expected.items():
        found = tensors[name].shape if name in tensors else None
        fits = found is not None and len(found) == len(shape)
        if not fits or any(want not in (None, have) for want, have in zip(shape, found or (), strict=True)):
            said = "no such tensor" if found is None else f"the shape {list(found)}"
            wanted = [("any" if want is None else want) for want in shape]
            raise PenpalError(f"{path}: not a handwriting generator: {name} must have shape {wanted}; found {said}")
