"""The files of a trained generator."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import safetensors
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.network.weights import read_tensors
from penpal_fast.synthesis.cell import HIDDEN, WINDOWS
from penpal_fast.synthesis.mixture import MIXTURES

ALPHABET = "\0 !\"#'(),-.0123456789:;?ABCDEFGHIJKLMNOPRSTUVWYabcdefghijklmnopqrstuvwxyz"
"""Characters by code, for files without an alphabet; 0 ends a text."""

Tensors = dict[str, NDArray[np.float32]]


def read_generator(path: Path) -> tuple[Tensors, list[str], list[str]]:
    """Read a safetensors file with alphabet and primers in its metadata, or an npz file without either.

    Returns:
        The tensors, the alphabet (characters by code) and the texts of the primers.

    Raises:
        PenpalError: The file cannot be read or its tensors do not fit a generator.
    """
    tensors, metadata = _read_npz(path) if path.suffix == ".npz" else _read_safetensors(path)
    alphabet = list(json.loads(metadata["alphabet"])) if "alphabet" in metadata else list(ALPHABET)
    primers = json.loads(metadata.get("primers", "[]"))
    _check_shapes(path, tensors, len(alphabet), len(primers))
    return tensors, alphabet, primers


def _read_safetensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    tensors = read_tensors(path)
    with safetensors.safe_open(path, framework="np") as file:
        return tensors, file.metadata() or {}


def _read_npz(path: Path) -> tuple[Tensors, dict[str, str]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: np.asarray(file[name], dtype=np.float32) for name in file.files}, {}
    except (OSError, ValueError) as error:
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
