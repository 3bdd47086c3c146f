"""Every hostile row in one file, given to the command: each good row gets the score that it has alone."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.made_lines import scrawl

GOOD = [scrawl(seed, 3, 12) for seed in range(60)]
"""Good rows, one after each hostile one."""

POINTS_TOO_MANY = (1 << 20) + 1


def points(values):
    return [{"x": float(x), "y": float(y)} for x, y in values]


def nested(row):
    return [{"points": points(stroke)} for stroke in row]


NAN, INF, MOST = float("nan"), float("inf"), sys.float_info.max
HOSTILE_STROKES = {
    "null": None,
    "no strokes": [],
    "empty strokes": [{"points": []}] * 1000,
    "null stroke": [*nested(GOOD[0]), None],
    "null points": [{"points": None}],
    "null point": [{"points": [None, *points([(0, 0)])]}],
    "null coordinate": [{"points": [{"x": 0.0, "y": None}]}],
    "NaN": [{"points": points([(0, 0), (NAN, 1)])}],
    "infinity": [{"points": points([(0, 0), (1, -INF)])}],
    "span beyond float64": [{"points": points([(MOST, 0), (-MOST, 0)])}],
    "too many points": [{"points": [{"x": 1.0, "y": 2.0}] * POINTS_TOO_MANY}],
    "too many strokes": [{"points": []}] * (POINTS_TOO_MANY - 1) + [{"points": points([(1, 1)])}],
}
"""Rows that Parquet and JSON can hold and nobody can draw."""

EXTREME_STROKES = {
    "smallest numbers": [{"points": points([(5e-324, 0), (0, 5e-324), (1e-310, 1e-309)])}],
    "largest numbers": [{"points": points([(MOST / 2, 0), (-MOST / 2, MOST / 4)])}],
    "far away": [{"points": points([(1e300, 1e300), (1e300 + 1e285, 1e300)])}],
    "one point": [{"points": points([(7, 7)])}],
    "one point a hundred thousand times": [{"points": points([(3, 3)]) * 100_000}],
    "from corner to corner": [{"points": points([(0, 0), (1e9, 1e9), (0, 1e9), (1e9, 0)]) * 2_000}],
    "a hundred thousand dots": [{"points": points([(x % 317, x // 317)])} for x in range(100_000)],
}
"""Rows that look hostile and can be drawn all the same."""

HOSTILE_LINES = {
    "no JSON": "{strokes",
    "half a line": '{"strokes": [[[0, 0], [1',
    "a number": "7",
    "a list": "[[[[0, 0], [1, 1]]]]",
    "text": '"ink"',
    "not UTF-8": b'{"strokes": "\xff\xfe"}',
    "half a surrogate pair": '{"strokes": [[[0, 0]]], "text": "\\ud800"}',
    "half a surrogate pair in bytes": b'{"strokes": [[[0, 0]]], "text": "\xed\xa0\x80"}',
    "half a surrogate pair in a name": b'{"strokes": [[[0, 0]]], "\xed\xa0\x80": 1}',
    # Python reads this one where few functions have called one another, and nowhere else.
    "deep lists beside the strokes": '{"strokes": [[[0, 0]]], "id": ' + "[" * 978 + "]" * 978 + "}",
    "many names": '{"strokes": [[[0, 0]]], ' + ", ".join(f'"n{n}": 0' for n in range(200_000)) + "}",
    "zeros": b"\0" * 1000,
    "very deep lists": '{"strokes": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "very deep objects": '{"strokes": ' + '{"points":' * 50_000 + "0" + "}" * 50_000 + "}",
    "no strokes": "{}",
    "strokes of text": '{"strokes": "ink"}',
    "strokes of a number": '{"strokes": 1e999}',
    "an object": '{"strokes": {"points": [[0, 0]]}}',
    "a huge integer": '{"strokes": [[[' + "9" * 4000 + ", 0], [1, 1]]]}",
    "an integer too long to read": '{"strokes": [[[' + "9" * 10_000 + ", 0], [1, 1]]]}",
    "a huge key": '{"strokes": [{"' + "k" * 1_000_000 + '": []}]}',
    "a huge text": '{"strokes": [["' + "t" * 1_000_000 + '"]]}',
    "points of three": '{"strokes": [[[0, 0, 0], [1, 1, 1]]]}',
    "points of text": '{"strokes": [[["0", "1"]]]}',
    "points of booleans": '{"strokes": [[[true, false]]]}',
    "too deep": '{"strokes": [[[[[[0, 0]]]]]]}',
    "a bare stroke": '{"strokes": [[0, 0], [1, 1]]}',
    "many empty lists": '{"strokes": [' + "[[]," * 200_000 + "[[[0, 0]]]" + "]" * 200_000 + "]}",
    "a row of nothing": '{"strokes": [' + "[]," * 200_000 + "[]]}",
}


def interleaved(hostile):
    """Return (row, whether it is good) with a good row before and after each hostile one."""
    rows = []
    for index, row in enumerate(hostile):
        rows += [(GOOD[index], True), (row, False)]
    return [*rows, (GOOD[len(hostile)], True)]


def score(source, output, *options):
    """Run the command in a process of its own, which a hostile row must not take down."""
    command = [sys.executable, "-m", "penpal_fast", "score", source, "-o", output, "--backend", "native", "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300)
    return done, pq.read_table(output, columns=["quality", "quality_error"]) if output.exists() else None


def check(table, rows, alone):
    quality, errors = (table[name].to_pylist() for name in ("quality", "quality_error"))
    good = [index for index, (_, is_good) in enumerate(rows) if is_good]
    assert [quality[index] for index in good] == alone["quality"].to_pylist()[: len(good)]
    assert all(errors[index] is None for index in good)
    for value, error in zip(quality, errors, strict=True):
        assert (value is None) == (error is not None)
        assert error is None or 0 < len(error) < 1000
    return quality


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The good rows scored without hostile neighbours."""
    folder = tmp_path_factory.mktemp("alone")
    pq.write_table(pa.table({"strokes": pa.array([nested(row) for row in GOOD])}), folder / "good.parquet")
    done, table = score(folder / "good.parquet", folder / "out.parquet")
    assert done.returncode == 0, done.stderr
    return table


def test_parquet(tmp_path, alone):
    hostile = [*HOSTILE_STROKES.values(), *EXTREME_STROKES.values()]
    rows = [(row if not good else nested(row), good) for row, good in interleaved(hostile)]
    kind = pa.list_(pa.struct([("points", pa.list_(pa.struct([("x", pa.float64()), ("y", pa.float64())])))]))
    pq.write_table(pa.table({"strokes": pa.array([row for row, _ in rows], kind)}), tmp_path / "rows.parquet")
    done, table = score(tmp_path / "rows.parquet", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    quality = check(table, rows, alone)
    bad = len(HOSTILE_STROKES)
    assert all(value is None for value in quality[1 : 2 * bad : 2])
    assert all(0 <= value <= 1 for value in quality[2 * bad + 1 :: 2])
    assert json.loads(done.stdout)["bad"] == bad


def test_json_lines(tmp_path, alone):
    hostile = [*HOSTILE_LINES.values(), *(json.dumps({"strokes": row}) for row in HOSTILE_STROKES.values())]
    hostile += [json.dumps({"strokes": row}) for row in EXTREME_STROKES.values()]
    rows = interleaved(hostile)
    with (tmp_path / "rows.jsonl").open("wb") as file:
        for row, is_good in rows:
            text = json.dumps({"strokes": row}) if is_good else row
            file.write((text if isinstance(text, bytes) else text.encode()) + b"\n")
    done, table = score(tmp_path / "rows.jsonl", tmp_path / "out.parquet", "--strict")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    quality = check(table, rows, alone)
    drawn = len(EXTREME_STROKES)
    assert all(value is None for value in quality[1 : -2 * drawn : 2])
    assert all(0 <= value <= 1 for value in quality[-2 * drawn :: 2])


@pytest.mark.parametrize("damage", ["cut", "noise in a page", "noise in the footer", "only its ends"])
def test_a_damaged_file_is_an_error_and_leaves_nothing_behind(tmp_path, damage):
    path, output = tmp_path / "rows.parquet", tmp_path / "out.parquet"
    pq.write_table(
        pa.table({"strokes": pa.array([nested(row) for row in GOOD])}),
        path,
        write_page_checksum=True,
        compression="NONE",
    )
    content = bytearray(path.read_bytes())
    noise = np.random.default_rng(5).integers(0, 256, 64, dtype=np.uint8).tobytes()
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "noise in a page":
        content[len(content) // 3 : len(content) // 3 + 64] = noise
    elif damage == "noise in the footer":
        content[-300:-236] = noise
    else:
        content = content[:4] + content[-8:]
    path.write_bytes(content)
    done, table = score(path, output)
    assert (done.returncode, table) == (1, None)
    assert "rows.parquet" in done.stderr
    assert "Traceback" not in done.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["rows.parquet"]
