"""Settings that all engines share."""

from __future__ import annotations

from typing import Literal, get_args

from penpal_fast.engines.gpu import gpu_answers
from penpal_fast.errors import PenpalError

Backend = Literal["auto", "mlx", "native"]
Errors = Literal["raise", "null"]

MAX_BATCH_ROWS = 4096


def takes_mlx(backend: Backend, batch_size: int | None) -> bool:
    """Whether these settings ask for MLX rather than for the engine in Rust.

    Raises:
        PenpalError: A setting is out of range.
    """
    if backend not in get_args(Backend):
        raise PenpalError(f"backend must be one of {get_args(Backend)}, got {backend!r}")
    if batch_size is not None and not (isinstance(batch_size, int) and 1 <= batch_size <= MAX_BATCH_ROWS):
        raise PenpalError(f"batch_size must be from 1 to {MAX_BATCH_ROWS} or None, got {batch_size!r}")
    return backend == "mlx" or (backend == "auto" and gpu_answers())


def check_errors(errors: str) -> None:
    """Make sure that what to do with a bad row is known.

    Raises:
        PenpalError: It is not.
    """
    if errors not in get_args(Errors):
        raise PenpalError(f"errors must be one of {get_args(Errors)}, got {errors!r}")
