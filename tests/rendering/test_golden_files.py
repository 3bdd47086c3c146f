"""A line in a file of each format and in each layout has the golden picture of its strokes, pixel for pixel.

Offsets add up to other last bits than the points that they were made of, and text formats round: `TOLERANCE` is what
this may do to a pixel of 255 levels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import penpal_fast
from helpers.ink_files import INK_FILES
from helpers.layout_forms import FORMS, NAMED, TABLES, points, steps
from helpers.made_lines import GOLDEN
from helpers.table_files import TABLE_FILES

TOLERANCE = 1

LINE = "short_line"
ROW = [[(x, y) for x, y in stroke] for stroke in GOLDEN[LINE]]

with Image.open(Path(__file__).parent / "golden" / f"{LINE}.png") as picture:
    RIGHT = np.asarray(picture).astype(int)


def same_picture(row) -> bool:
    drawn = np.rint(penpal_fast.render_strokes(row) * 255)[:, :, 0].astype(int)
    return bool(np.abs(drawn - RIGHT).max() <= TOLERANCE)


def check(path, rows=2, **options) -> None:
    """Check that a file draws its first and last row as the golden picture."""
    table = penpal_fast.read_rows(path, **options)
    strokes = table["strokes"].to_pylist()
    assert len(strokes) == rows
    assert same_picture(strokes[0])
    assert same_picture(strokes[-1])


@pytest.mark.parametrize("layout", FORMS)
@pytest.mark.parametrize("name", TABLE_FILES)
def test_layouts_in_tables(tmp_path, name, layout):
    path = tmp_path / name
    path.write_bytes(TABLE_FILES[name]({"strokes": FORMS[layout](ROW)}))
    check(path)


@pytest.mark.parametrize("layout", NAMED)
@pytest.mark.parametrize("name", TABLE_FILES)
def test_layouts_that_are_named(tmp_path, name, layout):
    named, form = NAMED[layout]
    path = tmp_path / name
    path.write_bytes(TABLE_FILES[name]({"strokes": form(ROW)}))
    check(path, layout=named)


@pytest.mark.parametrize("layout", TABLES)
@pytest.mark.parametrize("name", TABLE_FILES)
def test_strokes_in_several_columns(tmp_path, name, layout):
    path = tmp_path / name
    path.write_bytes(TABLE_FILES[name](TABLES[layout](ROW)))
    check(path)


OFFSETS, DOWN = (np.array(steps(ROW, down=down)) for down in (False, True))
STROKE_5 = np.column_stack([DOWN[:, :2], 1 - DOWN[:, 2], DOWN[:, 2], np.zeros(len(DOWN))])
ENDED = np.concatenate([STROKE_5, [[0, 0, 0, 0, 1]] * 3])
ARRAYS = {
    "offsets": (OFFSETS, None),
    "flag first": (OFFSETS[:, [2, 0, 1]], None),
    "y down": (DOWN, "stroke-3"),
    "stroke-5": (STROKE_5, None),
    "stroke-5 that ends": (ENDED, None),
    "lifts": (np.array(points(ROW))[:, :3], "lifts"),
}


@pytest.mark.parametrize("layout", ARRAYS)
def test_numpy_files(tmp_path, layout):
    array, named = ARRAYS[layout]
    padded = np.zeros((3, len(array) + 5, array.shape[1]))
    padded[:, : len(array)] = array
    np.save(tmp_path / "row.npy", array)
    np.save(tmp_path / "rows.npy", padded)
    np.savez(tmp_path / "rows.npz", array, array)
    np.savez_compressed(tmp_path / "more.npz", train=padded, texts=np.array(["a", "b", "c"]), lengths=[len(array)] * 3)
    for name, rows in (("row.npy", 1), ("rows.npy", 3), ("rows.npz", 2), ("more.npz", 3)):
        check(tmp_path / name, rows, layout=named)


@pytest.mark.parametrize("name", INK_FILES)
def test_ink_files(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(INK_FILES[name](ROW))
    check(path, 1)
