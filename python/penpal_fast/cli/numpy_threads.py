"""How many threads NumPy starts when it is loaded."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

VARIABLE = "OPENBLAS_NUM_THREADS"


@contextlib.contextmanager
def no_numpy_threads() -> Iterator[None]:
    """Let NumPy start no threads if it is loaded in this block, unless the environment says how many.

    It starts one for each processor, which wait at full speed. Only products of matrices need them, and scores none.
    """
    if VARIABLE in os.environ or "numpy" in sys.modules:
        yield
        return
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        del os.environ[VARIABLE]  # MLX may have an OpenBLAS of its own.
