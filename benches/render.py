"""Rendering, side by side: penpal_fast against other renderers on the same lines, in one run and one thread.

    python benches/render.py [LINES.parquet]

Every renderer takes turns on the same rows, several rounds long; the ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from penpal_fast import render_into
from rivals import LINE_WIDTH, RIVALS, SIDE

ROOT = Path(__file__).parent.parent
REAL_LINES = ROOT.parent / "shared" / "data" / "iam_ondb_lines.parquet"
EXAMPLE_LINES = ROOT / "examples" / "lines.parquet"


def default_lines() -> Path:
    """Real lines where they are at hand, else the example lines."""
    return REAL_LINES if REAL_LINES.exists() else EXAMPLE_LINES


def as_arrays(rows) -> list[list[np.ndarray]]:
    """Turn an Arrow column into lists of [N, 2] float64 arrays, the strokes that a Python renderer starts from."""
    return [
        [np.array([(point["x"], point["y"]) for point in stroke["points"]]) for word in row for stroke in word]
        for row in rows.to_pylist()
    ]


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def contestants(column, arrays, out):
    """Name -> function that renders all rows into `out`."""

    def one_by_one(render):
        def work():
            for row, canvas in zip(arrays, out, strict=True):
                render(row, canvas)

        return work

    def ours(rows, threads):
        return lambda: render_into(rows, out, line_width=LINE_WIDTH, threads=threads)

    found = {
        "penpal_fast, Arrow": ours(column, 1),
        "penpal_fast, NumPy strokes": ours(arrays, 1),
        "penpal_fast, Arrow, 2 threads": ours(column, 2),
        "memset of the canvases": lambda: out.fill(0),
    }
    for name, make in RIVALS.items():
        try:
            found[name] = one_by_one(make())
        except (ImportError, OSError) as error:
            print(f"left out {name}: {error}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="?", type=Path, default=default_lines())
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    column = pq.read_table(options.lines, columns=["strokes"])["strokes"][: options.rows].combine_chunks()
    arrays = as_arrays(column)
    out = np.zeros((len(column), SIDE, SIDE, 1), dtype=np.float32)
    works = contestants(column, arrays, out)
    for work in works.values():
        work()
    rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(options.rounds)]

    points = sum(len(stroke) for row in arrays for stroke in row) / len(arrays)
    table = Table(
        "renderer",
        "us/row",
        "rows/s",
        "time / penpal_fast",
        title=f"{options.lines.name}: {len(column)} rows, {points:.0f} points a row, {options.rounds} rounds",
    )
    for name in works:
        each = statistics.median(times[name] for times in rounds) / len(column)
        ratio = statistics.median(times[name] / times["penpal_fast, Arrow"] for times in rounds)
        table.add_row(name, f"{each * 1e6:.1f}", f"{1 / each:,.0f}", f"{ratio:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
