"""Draws the README's picture: example lines with both scores, and the letters of their texts that do not fit the ink.

python docs/draw_scored_lines.py examples/lines.parquet docs/scored_lines.png
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import penpal_fast
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.look.misfits import marked_ink, marked_pieces
from penpal_fast.strokes import words_of

LINES = 6
"""Lines of each column."""

WIDTH, LINE_HEIGHT, HEADING = 440, 88, 34
INK_WIDTH, INK_HEIGHT = 390, 46
"""Room for the ink of a line, in pixels."""

SCALE = 2
"""The picture is drawn this many times larger and scaled down, which smooths it."""

DARK, GREY, MISFIT, MARK = (30, 30, 34), (110, 112, 118), (205, 50, 25), (248, 200, 188)


def columns_of(quality: NDArray[np.float32], match: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
    """Choose lines of three kinds, spread over their scores."""
    looks, says = quality >= THRESHOLDS["lenient"], match >= THRESHOLDS["balanced"]
    kinds = {
        "looks right, says its text": (looks & says, quality),
        "looks right, says something else": (looks & ~says, quality),
        "neither": (~looks & ~says, match),
    }
    return {name: _spread(np.flatnonzero(rows), by[rows]) for name, (rows, by) in kinds.items()}


def _spread(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    places = np.linspace(0, len(rows) - 1, min(LINES, len(rows)))
    return rows[np.argsort(-scores, kind="stable")[np.rint(places).astype(int)]]


class Sheet:
    """A picture that lines are drawn on."""

    def __init__(self, columns: int) -> None:
        size = (SCALE * WIDTH * columns, SCALE * (HEADING + LINE_HEIGHT * LINES))
        self.image = Image.new("RGB", size, "white")
        self._draw = ImageDraw.Draw(self.image)
        self._fonts = {size: ImageFont.load_default(SCALE * size) for size in (13, 16)}

    def text(
        self,
        place: tuple[float, float],
        text: str,
        colour: tuple[int, int, int],
        size: int = 13,
        end: float = math.inf,
    ) -> float:
        """Write a text, cut off where it would go beyond `end`, and return where it ends."""
        x, y = place
        font = self._fonts[size]
        if x + font.getlength(text) / SCALE > end:
            while text and x + font.getlength(f"{text} ...") / SCALE > end:
                text = text[:-1]
            text = f"{text} ..."
        self._draw.text((SCALE * x, SCALE * y), text, fill=colour, font=font)
        return x + font.getlength(text) / SCALE

    def ink(self, place: tuple[float, float], strokes: list, marks: list) -> None:
        """Draw strokes, with marked pieces wide and pale below them."""
        points = np.concatenate(strokes)
        corner, size = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
        scale = SCALE * min(INK_WIDTH / size[0], INK_HEIGHT / size[1])
        start = SCALE * np.array(place) + (0, (SCALE * INK_HEIGHT - scale * size[1]) / 2)
        for lines, colour, width in ((marks, MARK, 9), (strokes, DARK, 2)):
            for line in lines:
                at = [tuple(point) for point in (line - corner) * scale + start]
                self._draw.line(at if len(at) > 1 else at * 2, fill=colour, width=SCALE * width, joint="curve")


def draw_line(sheet: Sheet, place: tuple[float, float], row: pa.Scalar, text: str, scores: tuple[float, float]) -> None:
    """Draw a line of ink, its scores and its text."""
    reader = penpal_fast.Reader()
    strokes = [stroke for word in words_of(row) for stroke in word]
    letters = reader.align(strokes, text)
    sheet.ink((place[0], place[1] + 2), strokes, marked_ink(strokes, letters))
    pieces = marked_pieces(text, letters)
    y = place[1] + INK_HEIGHT + 8
    x = sheet.text((place[0], y), f"{scores[0]:.2f}  {scores[1]:.2f}   ", GREY)
    for piece, is_marked in pieces:
        x = sheet.text((x, y), piece, MISFIT if is_marked else DARK)
    if any(is_marked for _, is_marked in pieces):
        sheet.text((x, y), f"   reads: {reader.read([strokes])[0]}", GREY, end=place[0] + WIDTH - 24)


def main(lines: Path, picture: Path) -> None:
    table = pq.read_table(lines)
    strokes, texts = table["strokes"], table["text"].to_pylist()
    quality, match = penpal_fast.score(table), penpal_fast.Reader().match(table, texts)
    columns = columns_of(quality, match)
    sheet = Sheet(len(columns))
    for column, (name, rows) in enumerate(columns.items()):
        sheet.text((column * WIDTH + 12, 8), name, DARK, 16)
        for place, row in enumerate(rows.tolist()):
            at = (column * WIDTH + 12, HEADING + place * LINE_HEIGHT)
            draw_line(sheet, at, strokes[row], texts[row], (quality[row], match[row]))
    size = (sheet.image.width // SCALE, sheet.image.height // SCALE)
    smooth = sheet.image.resize(size, Image.Resampling.LANCZOS).quantize(64, dither=Image.Dither.NONE)
    smooth.save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
