"""The canvas that the network sees. Its sizes come from the Rust core."""

from __future__ import annotations

from penpal_fast._core import PADDING, SIDE

LINE_WIDTH = 1.5
"""Width of a drawn line in pixels, unless a model's configuration says otherwise."""

CANVAS_SHAPE = (SIDE, SIDE, 1)
"""Shape of one rendered row: height, width, channels."""

__all__ = ["CANVAS_SHAPE", "LINE_WIDTH", "PADDING", "SIDE"]
