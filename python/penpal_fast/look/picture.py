"""Rendered rows as PNG pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penpal_fast.files import replaced_atomically


def save_png(canvas: NDArray[np.float32], path: Path) -> None:
    """Write a rendered row, float32 [256, 256, 1], as an 8-bit grey PNG: black ink on white."""
    with replaced_atomically(path) as aside:
        aside.write_bytes(png(canvas))


def png(canvas: NDArray[np.float32]) -> bytes:
    """Return a rendered row, float32 [256, 256, 1], as an 8-bit grey PNG: black ink on white."""
    grey = 255 - np.rint(canvas[:, :, 0] * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return buffer.getvalue()
