"""Pictures as PNG files and data URLs."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penpal_fast.files import replaced_atomically


def picture_of(canvas: NDArray[np.float32]) -> Image.Image:
    """Return a picture that the network sees, float32 [256, 256, 1], as 8-bit grey: black ink on white."""
    return Image.fromarray(255 - np.rint(canvas[:, :, 0] * 255).astype(np.uint8))


def save_png(picture: Image.Image, path: Path) -> None:
    """Write a picture as a PNG file, which appears when it is complete."""
    with replaced_atomically(path) as aside:
        picture.save(aside, format="PNG", optimize=True)


def png(picture: Image.Image) -> bytes:
    """Return the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def data_url(canvas: NDArray[np.float32]) -> str:
    """Return a PNG picture in a data URL, as `picture_of` draws it."""
    return png_url(picture_of(canvas))


def png_url(picture: Image.Image) -> str:
    """Return a picture as a PNG file in a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"
