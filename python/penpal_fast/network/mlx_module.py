"""Tensors of an MLX network: into it, out of it, and into a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from penpal_fast.files import made_folder, replaced_atomically
from penpal_fast.forks import check_not_forked
from penpal_fast.network.config import Tensors
from penpal_fast.network.pretrained import CONFIG_FILE, WEIGHTS_FILE

Network = TypeVar("Network", bound=nn.Module)


def with_tensors(network: Network, tensors: Tensors) -> Network:
    """Load checked tensors into a network, and put it into evaluation mode.

    Raises:
        PenpalError: The process was forked from one that had used MLX.
    """
    check_not_forked()
    network.load_weights([(name, mx.array(values)) for name, values in tensors.items()])
    network.eval()
    mx.eval(network.parameters())
    return network


def tensors_of(network: nn.Module) -> Tensors:
    """Return all tensors of a network as NumPy arrays, by name.

    Raises:
        PenpalError: The process was forked from one that had used MLX.
    """
    check_not_forked()
    return {name: np.array(values) for name, values in dict(tree_flatten(network.parameters())).items()}


def save(folder: str | os.PathLike[str], config: str, write: Callable[[Path], None]) -> None:
    """Write `config.json` with this text and `weights.safetensors` into a folder, which is created if needed.

    Raises:
        PenpalError: The process was forked from one that had used MLX, or the files cannot be written.
    """
    check_not_forked()
    folder = Path(folder)
    made_folder(folder)
    # Both are written before one is replaced, so that a full disk leaves the model that was there.
    with replaced_atomically(folder / CONFIG_FILE) as path, replaced_atomically(folder / WEIGHTS_FILE) as weights:
        write(weights)
        path.write_text(config, encoding="utf-8")
