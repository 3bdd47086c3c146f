"""Fonts for text on pictures."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import ImageFont

FONT = Path(__file__).with_name("fonts") / "DejaVuSansCondensed.ttf"
"""Latin, Greek and Cyrillic letters of DejaVu Sans Condensed; Pillow's own font has those of ASCII."""

DEJAVU_SIZE = 11 / 12
"""Size at which as many of its letters fit as of Pillow's font at 1."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@functools.lru_cache(maxsize=100)
def _loaded(size: float, *, is_ascii: bool) -> Font:
    if is_ascii:
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(FONT), round(size * DEJAVU_SIZE))


def font_for(text: str, size: float) -> Font:
    """Return a font that has the letters of a text."""
    return _loaded(size, is_ascii=text.replace("…", "").isascii())
