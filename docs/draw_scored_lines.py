"""Draws the README's picture: example lines with their scores, from the lowest to the highest.

python docs/draw_scored_lines.py examples/lines.parquet docs/scored_lines.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFont

import penpal_fast

COLUMNS, ROWS = 3, 8
HEIGHT = 56
"""Pixels of a line that are shown, around the middle of its canvas."""


def main(lines: Path, picture: Path) -> None:
    table = pq.read_table(lines)
    scores = penpal_fast.score(table)
    chosen = np.argsort(scores)[np.linspace(0, len(scores) - 1, COLUMNS * ROWS).astype(int)]
    canvases = np.array(penpal_fast.render_batch(table.take(chosen)))
    width = canvases.shape[2] + 70
    sheet = Image.new("L", (COLUMNS * width, ROWS * HEIGHT), 255)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    top = (canvases.shape[1] - HEIGHT) // 2
    for index, canvas in enumerate(canvases):
        x, y = index // ROWS * width, index % ROWS * HEIGHT
        grey = 255 - np.rint(canvas[top : top + HEIGHT, :, 0] * 255).astype(np.uint8)
        sheet.paste(Image.fromarray(grey), (x + 60, y))
        draw.text((x + 12, y + HEIGHT // 2 - 9), f"{scores[chosen[index]]:.2f}", fill=90, font=font)
    sheet.save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
