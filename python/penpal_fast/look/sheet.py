"""Contact sheets: rows sorted by score on one picture."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from penpal_fast.checks.quality import Scorer, default_scorer
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.strokes import words_of

MOST_CELLS = 600
"""Cells of a sheet: some 12,000 pixels of height with three columns."""

CELL_WIDTH, CELL_HEIGHT = 372, 64
SCORE_WIDTH = 66
MARGIN, HEADING_HEIGHT = 24, 44

OVERSAMPLING = 3
"""Lines are drawn so many times larger and then reduced, which smooths them."""

PAPER, RULE, INK, FAINT = "#ffffff", "#d9d6cf", "#1c2430", "#6b7079"
BAND_COLOURS = ("#c2371c", "#a05a00", "#3d6b35", "#1b5fb8")
"""Colours of the scores below the lowest threshold, between the thresholds, and above the highest."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One row on a sheet.

    Attributes:
        row: Number of the row in its file.
        score: In [0, 1].
        strokes: The row, in any form that `render_strokes` takes.
        text: What is written, where it is known.
    """

    row: int
    score: float
    strokes: Any
    text: str | None = None


class ContactSheet:
    """Rows sorted by score, the lowest first, under headings that say how many of all rows each band of scores has.

    A notebook shows it as a picture.
    """

    def __init__(
        self,
        rows: Any,
        *,
        quality: Sequence[float] | NDArray[np.floating[Any]] | None = None,
        texts: Sequence[str | None] | None = None,
        most: int = 48,
        columns: int = 3,
        scorer: Scorer | None = None,
    ) -> None:
        """Choose rows and draw them.

        Args:
            rows: Sequence of rows, or an Arrow array or chunked array.
            quality: Scores [N], NaN for a bad row; by default the rows are scored.
            texts: What is written in the rows.
            most: Rows to show, from 1 to 600; of more, some are chosen evenly by rank.
            columns: Cells beside each other, from 1 to 12.
            scorer: Scores the rows; by default one with the model of this package.

        Raises:
            PenpalError: A setting is out of range, or there is no row with a score.
        """
        if quality is None:
            quality = (scorer or default_scorer()).score(rows, errors="null")
        scores = np.asarray(quality, dtype=np.float32)
        chosen = chosen_rows(scores, most)
        cells = [
            Cell(int(row), float(scores[row]), rows[int(row)], texts[int(row)] if texts is not None else None)
            for row in chosen
        ]
        self.image = drawn_sheet(cells, band_counts(scores), columns)

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG file, which appears when it is complete."""
        save_sheet(self.image, path)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.image.save(buffer, format="PNG")
        return buffer.getvalue()


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet as a PNG file, which appears when it is complete."""
    with replaced_atomically(path) as aside:
        sheet.save(aside, format="PNG", optimize=True)


def chosen_rows(quality: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Return the numbers of rows that are spread evenly by rank, the lowest score first.

    Raises:
        PenpalError: `most` is out of range, or there is no score.
    """
    if not 1 <= most <= MOST_CELLS:
        raise PenpalError(f"a sheet shows from 1 to {MOST_CELLS} rows, got {most}")
    ranked = np.argsort(quality, kind="stable")[: np.count_nonzero(~np.isnan(quality))]
    if len(ranked) == 0:
        raise PenpalError("there is no row with a score to show")
    return ranked[np.rint(np.linspace(0, len(ranked) - 1, min(most, len(ranked)))).astype(np.int64)]


def band_counts(quality: NDArray[np.float32]) -> list[int]:
    """Count the rows below the lowest threshold, between the thresholds, and at or above the highest."""
    good = quality[~np.isnan(quality)]
    return np.bincount(_bands(good), minlength=len(THRESHOLDS) + 1).tolist()


def _bands(quality: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(np.array(list(THRESHOLDS.values()), np.float32)), quality, side="right")


def drawn_sheet(cells: Sequence[Cell], counts: Sequence[int], columns: int) -> Image.Image:
    """Draw cells that are sorted by score, under a heading for each band of scores.

    Args:
        cells: At least one row.
        counts: Rows of each band among all rows.
        columns: Cells beside each other, from 1 to 12.

    Raises:
        PenpalError: `columns` is out of range.
    """
    if not 1 <= columns <= 12:
        raise PenpalError(f"a sheet has from 1 to 12 columns, got {columns}")
    bands = _bands(np.array([cell.score for cell in cells], np.float32))
    sections = [[cell for cell, its in zip(cells, bands, strict=True) if its == band] for band in range(len(counts))]
    lines = [-(-len(section) // columns) for section in sections]
    height = sum(HEADING_HEIGHT + count * CELL_HEIGHT for count in lines if count) + 2 * MARGIN
    sheet = Image.new("RGB", (columns * CELL_WIDTH + 2 * MARGIN, height), PAPER)
    top = MARGIN
    for band, (section, count) in enumerate(zip(sections, lines, strict=True)):
        if not section:
            continue
        _draw_heading(sheet, top, band, counts)
        for index, cell in enumerate(section):
            left = MARGIN + index % columns * CELL_WIDTH
            _draw_cell(sheet, left, top + HEADING_HEIGHT + index // columns * CELL_HEIGHT, cell, _band_colour(band))
        top += HEADING_HEIGHT + count * CELL_HEIGHT
    return sheet


def _band_colour(band: int) -> str:
    return BAND_COLOURS[round(band / len(THRESHOLDS) * (len(BAND_COLOURS) - 1))]


def _draw_heading(sheet: Image.Image, top: int, band: int, counts: Sequence[int]) -> None:
    thresholds = sorted(THRESHOLDS.items(), key=lambda item: item[1])
    if band == 0:
        name = f"below {thresholds[0][1]:g}, dropped by every threshold"
    else:
        name = f"from {thresholds[band - 1][1]:g} ({thresholds[band - 1][0]})"
    total = sum(counts)
    text = f"{name}:  {counts[band]:,} of {total:,} rows, {counts[band] / total:.1%}"
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, top + 8), text, fill=_band_colour(band), font=ImageFont.load_default(15))
    draw.line([(MARGIN, top + 32), (sheet.width - MARGIN, top + 32)], fill=RULE)


def _draw_cell(sheet: Image.Image, left: int, top: int, cell: Cell, colour: str) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top + 12), f"{cell.score:.3f}", fill=colour, font=ImageFont.load_default(18))
    draw.text((left, top + 35), f"row {cell.row}", fill=FAINT, font=ImageFont.load_default(11))
    caption = 14 if cell.text else 0
    picture = _drawn_line(cell.strokes, CELL_WIDTH - SCORE_WIDTH - 24, CELL_HEIGHT - 8 - caption)
    sheet.paste(picture, (left + SCORE_WIDTH, top + 4))
    if cell.text:
        place = (left + SCORE_WIDTH, top + CELL_HEIGHT - 17)
        draw.text(place, _shortened(cell.text), fill=FAINT, font=ImageFont.load_default(12))


def _shortened(text: str) -> str:
    """Return one line of text that fits under a cell."""
    line = " ".join(text.split())
    return line if len(line) <= 52 else line[:51] + "…"


def _drawn_line(strokes: Any, width: int, height: int) -> Image.Image:
    """Draw a row into a box, at the left and halfway down, with smooth lines."""
    lines = [stroke for word in words_of(strokes) for stroke in word]
    points = np.concatenate(lines)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    inner = np.array([width - 6, height - 6], dtype=np.float64)
    longer_side = size.max() or 1.0
    scale = min(inner / np.maximum(size / longer_side, 1e-9))
    margin = np.array([3, (height - size[1] / longer_side * scale) / 2])
    large = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING), 0)
    draw = ImageDraw.Draw(large)
    for line in lines:
        places = ((line - corner) / longer_side * scale + margin) * OVERSAMPLING
        if len(places) > 1:
            draw.line(places.ravel().tolist(), fill=255, width=round(1.4 * OVERSAMPLING), joint="curve")
        else:
            draw.circle(places[0].tolist(), OVERSAMPLING, fill=255)
    ink = large.reduce(OVERSAMPLING)
    picture = Image.new("RGB", ink.size, PAPER)
    picture.paste(INK, mask=ink)
    return picture
