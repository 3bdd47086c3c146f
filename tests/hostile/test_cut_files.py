"""Files of every format that end too early, and layouts made to cost much: read or refused by name, soon."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.alarm import worked
from helpers.hostile_files import SECONDS, read_or_refused, refused
from helpers.ink_files import INK_FILES
from helpers.layout_forms import FORMS, TABLES, steps
from helpers.made_lines import GOLDEN
from helpers.table_files import TABLE_FILES
from penpal_fast import PenpalError, read_rows

ROW = GOLDEN["short_line"]
CUTS = 10


def numpy_file(save) -> bytes:
    file = io.BytesIO()
    save(file, np.array(steps(ROW)))
    return file.getvalue()


FILES = {
    **{f"strokes {name}": write({"strokes": FORMS["offsets"](ROW)}) for name, write in TABLE_FILES.items()},
    **{f"columns {name}": write(TABLES["numbered"](ROW)) for name, write in TABLE_FILES.items()},
    **{name: write(ROW) for name, write in INK_FILES.items()},
    "row.npy": numpy_file(np.save),
    "rows.npz": numpy_file(np.savez_compressed),
}


@pytest.mark.parametrize("name", FILES)
def test_cut_files(tmp_path, name):
    path = tmp_path / name
    content = FILES[name]
    for tenth in range(CUTS):
        path.write_bytes(content[: len(content) * tenth // CUTS])
        read_or_refused(path)


MANY = 200_000


@pytest.mark.parametrize(
    "row",
    [
        [[]] * MANY,
        [list(range(MANY))],
        [[0.0, 1.0], [2.0, 3.0, 4.0]] * (MANY // 5),
        [[1e308, -1e308] * (MANY // 2), [0.0] * MANY],
        [[[0.0, 1.0], [2.0, 3.0]]] * (MANY // 4),
        {"x": list(range(MANY)), "y": list(range(MANY)), "stroke": list(range(MANY))},
    ],
    ids=["empty lists", "one list", "uneven", "largest numbers", "pairs", "a stroke for each point"],
)
def test_large_rows_are_told_apart_soon(tmp_path, row):
    path = tmp_path / "large.parquet"
    pq.write_table(pa.table({"strokes": pa.array([row])}), path)
    with worked(6 * SECONDS):
        try:
            read_rows(path)
        except PenpalError as error:
            assert str(path) in str(error)


def test_texts_of_columns_that_are_made_to_look_like_others(tmp_path):
    """A text that closes its list and opens another is a bad row, or that row as it says; never another."""
    path = tmp_path / "rows.jsonl"
    good = {"x": "[[1, 2], [3, 4]]", "y": "[[5, 6], [7, 8]]"}
    path.write_text("".join(json.dumps(one) + "\n" for one in (good, {**good, "x": '[[1]], "y": [[2]]'}, good)))
    table = read_rows(path)
    assert [None if row is None else len(row[0]) for row in table["strokes"].to_pylist()] == [2, None, 2]


def test_shapes_of_five_that_lie(tmp_path):
    path = tmp_path / "lies.npy"
    header = numpy_file(np.save)[:128]
    lies = header.replace(b"(120, 3)", b"(1000000000, 5)")
    path.write_bytes(lies[:8] + header[8:10] + lies[10:].rstrip()[:117].ljust(117) + b"\n" + b"\0" * 100)
    assert "shape" in refused(path)
