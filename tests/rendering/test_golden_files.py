"""A line in a file of each format and in each layout has the golden picture of its strokes, pixel for pixel.

Offsets add up to other last bits than the points that they were made of, and text formats round: `TOLERANCE` is what
this may do to a pixel of 255 levels.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow import feather, ipc

import penpal_fast
from helpers.ink_files import INK_FILES
from helpers.layout_forms import FORMS, NAMED, TABLES, points, steps
from helpers.made_lines import GOLDEN

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


def as_parquet(cells):
    return pa_bytes(cells, lambda table, file: pq.write_table(table, file))


def as_arrow(cells):
    def write(table, file):
        with ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=1)

    return pa_bytes(cells, write)


def as_stream(cells):
    def write(table, file):
        with ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)

    return pa_bytes(cells, write)


def pa_bytes(cells, write):
    table = pa.table({name: pa.array([value, value]) for name, value in cells.items()})
    file = io.BytesIO()
    write(table, file)
    return file.getvalue()


def as_lines(cells):
    return (json.dumps({"text": "a", **cells}) + "\n").encode() * 2


def as_array(cells):
    return json.dumps([cells, cells]).encode()


def as_indented(cells):
    return json.dumps([{"n": 1, **cells}, cells], indent=1).encode()


def as_csv(cells, delimiter=","):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["id", *cells])
    texts = [value if isinstance(value, str) else json.dumps(value) for value in cells.values()]
    writer.writerows([[1, *texts], [2, *texts]])
    return file.getvalue().encode()


def zstd(content):
    file = io.BytesIO()
    with pa.CompressedOutputStream(pa.PythonFile(file), "zstd") as packed:
        packed.write(content)
        packed.flush()
        packed.close()
    return file.getvalue()


TABLE_FILES = {
    "rows.parquet": as_parquet,
    "rows.arrow": as_arrow,
    "rows.arrows": as_stream,
    "rows.feather": lambda cells: pa_bytes(cells, feather.write_feather),
    "rows.jsonl": as_lines,
    "rows.ndjson.gz": lambda cells: gzip.compress(as_lines(cells)),
    "rows.json": as_array,
    "indented.json": as_indented,
    "rows.csv": as_csv,
    "rows.tsv": lambda cells: as_csv(cells, "\t"),
}
"""What a file of each format holds, given the cells of a row."""


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
