"""The files of a trained generator."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.network.weights import read_tensors
from penpal_fast.synthesis.cell import HIDDEN, WINDOWS
from penpal_fast.synthesis.mixture import MIXTURES
from penpal_fast.synthesis.npz import read_npz

ALPHABET = "\0 !\"#'(),-.0123456789:;?ABCDEFGHIJKLMNOPRSTUVWYabcdefghijklmnopqrstuvwxyz"
"""Characters by code, for files without an alphabet; 0 ends a text."""

MAX_LETTERS = 200
"""Maximum number of letters of a line, twice those of a long one; each may take 40 steps."""

MAX_PRIMER_POINTS = 8192
"""Maximum number of points of a primer, which are all read before the first line; one of 35 letters has 900."""

Tensors = dict[str, NDArray[np.float32]]


def read_generator(path: Path) -> tuple[Tensors, list[str], list[str]]:
    """Read a safetensors file with alphabet and primers in its metadata, or an npz file without either.

    Returns:
        The tensors, the alphabet (characters by code) and the texts of the primers.

    Raises:
        PenpalError: The file cannot be read or its tensors do not fit a generator.
    """
    tensors, metadata = (read_npz(path), {}) if path.suffix == ".npz" else _read_safetensors(path)
    alphabet = _texts(path, metadata, "alphabet") if "alphabet" in metadata else list(ALPHABET)
    if any(len(character) != 1 for character in alphabet) or len(set(alphabet)) < len(alphabet) or len(alphabet) < 2:
        raise PenpalError(f"{path}: the alphabet in its metadata must have two characters or more, each of them once")
    primers = _texts(path, metadata, "primers") if "primers" in metadata else []
    _check_primers(path, primers, set(alphabet[1:]))
    _check_shapes(path, tensors, len(alphabet), len(primers))
    return tensors, alphabet, primers


def _texts(path: Path, metadata: Mapping[str, str], name: str) -> list[str]:
    """Read a list of texts from the metadata; a text stands for its characters."""
    try:
        found = json.loads(metadata[name])
    except (ValueError, RecursionError) as error:
        raise PenpalError(f"{path}: the {name} in its metadata cannot be read as JSON: {error}") from error
    found = list(found) if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise PenpalError(f"{path}: the {name} in its metadata must be a list of texts")
    return found


def _check_primers(path: Path, primers: Sequence[str], letters: Collection[str]) -> None:
    for number, primer in enumerate(primers):
        if not 1 <= len(primer) <= MAX_LETTERS:
            raise PenpalError(f"{path}: primer {number} has {len(primer):,} letters; it must have 1 to {MAX_LETTERS}")
        if unknown := sorted(set(primer + " ").difference(letters)):
            raise PenpalError(f"{path}: primer {number} and a space need {unknown}, which the alphabet lacks")


def _read_safetensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    tensors = read_tensors(path)
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return tensors, file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise PenpalError(f"{path}: cannot read the generator's weights: {error}") from error


def _check_shapes(path: Path, tensors: Tensors, alphabet: int, styles: int) -> None:
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
        if (
            found is None
            or len(found) != len(shape)
            or any(a not in (None, b) for a, b in zip(shape, found, strict=True))
        ):
            sizes = ["any" if size is None else size for size in shape]
            problem = "there is no such tensor" if found is None else f"its shape is {list(found)}"
            raise PenpalError(f"{path}: not a handwriting generator: {name} must have shape {sizes}, but {problem}")
    for style in range(styles):
        if not 1 <= (points := len(tensors[f"style{style}_strokes"])) <= MAX_PRIMER_POINTS:
            raise PenpalError(
                f"{path}: style{style}_strokes has {points:,} points; a primer has 1 to {MAX_PRIMER_POINTS:,}"
            )
