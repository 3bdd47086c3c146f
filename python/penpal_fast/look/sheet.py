"""Contact sheets: one picture of rows sorted by score."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from penpal_fast.checks.quality import Scorer, default_scorer
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.errors import PenpalError
from penpal_fast.first_points import without_first_points
from penpal_fast.frames import column_of
from penpal_fast.look.captions import shortened
from penpal_fast.look.font import font_for
from penpal_fast.look.picture import png, save_png
from penpal_fast.reading.given_texts import listed_texts
from penpal_fast.strokes import words_of

MAX_CELLS, MAX_COLUMNS = 600, 12
"""With three columns, the largest sheet is about 12,800 pixels high."""

CELL_WIDTH, CELL_HEIGHT = 372, 64
SCORE_WIDTH = 66
MARGIN, HEADING_HEIGHT = 24, 44

LONGEST_TEXT = 52
"""Characters of text that fit under a cell."""

OVERSAMPLING = 3
"""Lines are drawn this many times larger and then reduced, which smooths them."""

PAPER, RULE, INK, FAINT = "#ffffff", "#d9d6cf", "#1c2430", "#6b7079"
BAND_COLOURS = ("#c2371c", "#a05a00", "#3d6b35", "#1b5fb8")
"""Colours of the bands of scores: below the lowest threshold, between thresholds, from the highest on."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One row on a sheet.

    Attributes:
        row: Number of the row in its file.
        score: In [0, 1].
        strokes: The row, in any layout that `render_strokes` takes.
        text: What the row says, if known.
        text_match: Whether it says so, in [0, 1], if known.
        problem: Why the row cannot be drawn, if that is known already.
    """

    row: int
    score: float
    strokes: Any
    text: str | None = None
    text_match: float | None = None
    problem: str | None = None


class ContactSheet:
    """Rows sorted by score, the lowest first. Headings count the rows of each band of scores.

    A row that has a score but cannot be drawn is shown with the reason.

    Notebooks show the sheet as a picture.
    """

    def __init__(
        self,
        rows: Any,
        *,
        quality: Sequence[float] | NDArray[np.floating[Any]] | None = None,
        texts: Any = None,
        text_match: Sequence[float] | NDArray[np.floating[Any]] | None = None,
        most: int = 48,
        columns: int = 3,
        scorer: Scorer | None = None,
        column: str = "strokes",
        drop_first_point: bool = False,
    ) -> None:
        """Choose rows and draw them.

        Args:
            rows: Sequence of rows, an Arrow array, chunked array or table, a data frame or a Hugging Face dataset.
            quality: Scores [N], NaN for a bad row; by default the rows are scored.
            texts: What the rows say, if known: what `Reader.match` takes.
            text_match: Whether the rows say so (`Reader.match`) [N], NaN where it is not known; shown under the score.
            most: Rows to show, from 1 to 600. If there are more rows, these are chosen evenly by rank.
            columns: Cells side by side, from 1 to 12.
            scorer: Scores the rows; by default one with the bundled model.
            column: Name of the strokes column of a table.
            drop_first_point: Score and draw rows as `without_first_points` returns them.

        Raises:
            PenpalError: A setting is out of range, no row has a score, or there are fewer or more scores or
                texts than rows.
        """
        rows = column_of(rows, column)
        rows = without_first_points(rows) if drop_first_point else rows
        said = None if texts is None else listed_texts(texts)
        matches = None if text_match is None else np.asarray(text_match, dtype=np.float32)
        if quality is None:
            quality = (scorer or default_scorer()).score(rows, errors="null")
        scores = np.asarray(quality, dtype=np.float32)
        for name, values in (("quality", scores), ("texts", said), ("text_match", matches)):
            if values is not None and len(values) != len(rows):
                raise PenpalError(f"{len(values)} {name} for {len(rows)} rows; give one for each row")
        chosen = chosen_rows(scores, most)
        cells = [
            Cell(
                row,
                float(scores[row]),
                rows[row],
                said[row] if said is not None else None,
                None if matches is None or np.isnan(matches[row]) else float(matches[row]),
            )
            for row in chosen.tolist()
        ]
        self.image = drawn_sheet(cells, band_counts(scores), columns)

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG file, which appears when it is complete."""
        save_png(self.image, path)

    def _repr_png_(self) -> bytes:
        return png(self.image)


def chosen_rows(quality: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Return row numbers spread evenly by rank, the lowest score first.

    Raises:
        PenpalError: `most` is out of range, or no row has a score.
    """
    if not 1 <= most <= MAX_CELLS:
        raise PenpalError(f"a sheet shows from 1 to {MAX_CELLS} rows, got {most}")
    ranked = np.argsort(quality, kind="stable")[: np.count_nonzero(~np.isnan(quality))]
    if len(ranked) == 0:
        raise PenpalError("no row has a score, so there is nothing to show")
    return ranked[np.rint(np.linspace(0, len(ranked) - 1, min(most, len(ranked)))).astype(np.int64)]


def band_counts(scores: NDArray[np.float32], thresholds: Mapping[str, float] = THRESHOLDS) -> list[int]:
    """Count the rows of each band: below the lowest threshold, between thresholds, from the highest on."""
    good = scores[~np.isnan(scores)]
    return np.bincount(_bands(good, thresholds), minlength=len(thresholds) + 1).tolist()


def _bands(scores: NDArray[np.float32], thresholds: Mapping[str, float]) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(np.array(list(thresholds.values()), np.float32)), scores, side="right")


def drawn_sheet(
    cells: Sequence[Cell], counts: Sequence[int], columns: int, thresholds: Mapping[str, float] = THRESHOLDS
) -> Image.Image:
    """Draw cells that are sorted by score, under a heading for each band.

    Args:
        cells: At least one row.
        counts: Rows of each band, of all rows.
        columns: Cells side by side, from 1 to 12.
        thresholds: Named thresholds of the scores, which bound the bands.

    Raises:
        PenpalError: `columns` is out of range.
    """
    if not 1 <= columns <= MAX_COLUMNS:
        raise PenpalError(f"a sheet has from 1 to {MAX_COLUMNS} columns, got {columns}")
    bands = _bands(np.array([cell.score for cell in cells], np.float32), thresholds).tolist()
    runs = groupby(zip(bands, cells, strict=True), key=lambda pair: pair[0])
    shown = {band: [cell for _, cell in run] for band, run in runs}
    heights = [HEADING_HEIGHT + -(-len(section) // columns) * CELL_HEIGHT for section in shown.values()]
    sheet = Image.new("RGB", (columns * CELL_WIDTH + 2 * MARGIN, sum(heights) + 2 * MARGIN), PAPER)
    top = MARGIN
    for (band, section), height in zip(shown.items(), heights, strict=True):
        colour = BAND_COLOURS[round(band / len(thresholds) * (len(BAND_COLOURS) - 1))] if thresholds else INK
        _draw_heading(sheet, top, _band_name(band, thresholds), counts[band], sum(counts), colour)
        for index, cell in enumerate(section):
            line, place = divmod(index, columns)
            left = MARGIN + place * CELL_WIDTH
            _draw_cell(sheet, left, top + HEADING_HEIGHT + line * CELL_HEIGHT, cell, colour)
        top += height
    return sheet


def _band_name(band: int, thresholds: Mapping[str, float]) -> str:
    if not thresholds:
        return "all scores"
    ranked = sorted(thresholds.items(), key=lambda item: item[1])
    if band == 0:
        return f"below {ranked[0][1]:g} ({ranked[0][0]})"
    name, threshold = ranked[band - 1]
    return f"from {threshold:g} ({name})"


def _draw_heading(sheet: Image.Image, top: int, name: str, count: int, total: int, colour: str) -> None:
    text = f"{name}:  {count:,} of {total:,} rows, {count / total:.1%}"
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, top + 8), text, fill=colour, font=ImageFont.load_default(15))
    draw.line([(MARGIN, top + 32), (sheet.width - MARGIN, top + 32)], fill=RULE)


def _draw_cell(sheet: Image.Image, left: int, top: int, cell: Cell, colour: str) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top + 12), f"{cell.score:.3f}", fill=colour, font=ImageFont.load_default(18))
    draw.text((left, top + 35), f"row {cell.row}", fill=FAINT, font=ImageFont.load_default(11))
    if cell.text_match is not None:
        shade = FAINT if cell.text_match >= THRESHOLDS["balanced"] else BAND_COLOURS[0]
        draw.text((left, top + 48), f"text {cell.text_match:.2f}", fill=shade, font=ImageFont.load_default(11))
    caption = 14 if cell.text else 0
    problem = cell.problem
    if problem is None:
        try:
            picture = _drawn_row(cell.strokes, CELL_WIDTH - SCORE_WIDTH - 24, CELL_HEIGHT - 8 - caption)
            sheet.paste(picture, (left + SCORE_WIDTH, top + 4))
        except PenpalError as error:
            problem = error.problem
    if problem is not None:
        reason = shortened(problem, LONGEST_TEXT)
        draw.text((left + SCORE_WIDTH, top + 14), reason, fill=FAINT, font=font_for(reason, 12))
    if cell.text:
        place = (left + SCORE_WIDTH, top + CELL_HEIGHT - 17)
        text = shortened(cell.text, LONGEST_TEXT)
        draw.text(place, text, fill=FAINT, font=font_for(text, 12))


def _drawn_row(row: Any, width: int, height: int) -> Image.Image:
    """Draw a row with smooth lines into a box, at the left and centred vertically.

    Raises:
        PenpalError: The row cannot be drawn.
    """
    strokes = [stroke for word in words_of(row) for stroke in word]
    points = np.concatenate(strokes)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    inner = np.array([width - 6, height - 6], dtype=np.float64)
    longer_side = size.max() or 1.0
    scale = min(inner / np.maximum(size / longer_side, 1e-9))
    margin = np.array([3, (height - size[1] / longer_side * scale) / 2])
    large = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING), 0)
    draw = ImageDraw.Draw(large)
    for stroke in strokes:
        places = ((stroke - corner) / longer_side * scale + margin) * OVERSAMPLING
        if len(places) > 1:
            draw.line(places.ravel().tolist(), fill=255, width=round(1.4 * OVERSAMPLING), joint="curve")
        else:
            draw.circle(places[0].tolist(), OVERSAMPLING, fill=255)
    ink = large.reduce(OVERSAMPLING)
    picture = Image.new("RGB", ink.size, PAPER)
    picture.paste(INK, mask=ink)
    return picture
