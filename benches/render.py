"""Rendering: penpal_fast against other renderers on the same lines, in one run and one thread.

    python benches/render.py [LINES.parquet]

The renderers take turns on the same rows for several rounds; the ratios are medians over the rounds. All render into
one buffer of a batch again and again, as a network that takes batches would have it. With `--batch 1000`, the buffer
is in no cache, and memory is the limit: two threads of memset show what it gives.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from measuring import ROOT, as_arrays, options_parser, print_left_out, print_times, read_lines, take_turns
from penpal_fast import render_into
from rivals import LINE_WIDTH, PACKAGES, RIVALS, SIDE

OURS, OURS_2 = "penpal_fast, Arrow", "penpal_fast, Arrow, 2 threads"
MEMSET, MEMSET_2 = "memset of the canvases", "memset, 2 threads"


def clear(canvases):
    """Write zeros, without Python's lock."""
    ctypes.memset(canvases.ctypes.data, 0, canvases.nbytes)


def contestants(column, arrays, out):
    """Name -> function that renders all rows, a batch after the other, into `out`."""
    batch = len(out)

    def one_by_one(render):
        def work():
            for index, row in enumerate(arrays):
                render(row, out[index % batch])

        return work

    def ours(rows, threads):
        def work():
            for start in range(0, len(rows), batch):
                part = rows[start : start + batch]
                render_into(part, out[: len(part)], line_width=LINE_WIDTH, threads=threads)

        return work

    batches = range(0, len(column), batch)
    pool = ThreadPoolExecutor(2)

    def memset():
        for _ in batches:
            clear(out)

    def memset_2():
        for _ in batches:
            list(pool.map(clear, np.array_split(out, 2)))

    found = {
        OURS: ours(column, 1),
        "penpal_fast, NumPy strokes": ours(arrays, 1),
        OURS_2: ours(column, 2),
        MEMSET: memset,
        MEMSET_2: memset_2,
    }
    for name, make in RIVALS.items():
        try:
            found[name] = one_by_one(make())
        except (ImportError, OSError) as error:
            print_left_out(name, error, PACKAGES[name])
    return found


def pictures_apart(works, out, rows):
    """Columns of how far each renderer's pictures are from ours: the largest of a pixel, and all over all ink."""
    last = slice(0, (rows - 1) % len(out) + 1)
    works[OURS]()
    expected = out[last].copy()
    largest, ink = {}, {}
    for name, work in works.items():
        if name in (MEMSET, MEMSET_2):
            continue
        out.fill(0)
        work()
        apart = np.abs(out[last] - expected)
        largest[name], ink[name] = f"{apart.max():.2f}", f"{apart.sum() / expected.sum():.1%}"
    return {"pixels differ by at most": largest, "in all, of the ink": ink}


def rust_renderers(column, batch, rounds):
    """Name -> seconds of each round of the Rust renderers, which run in a program of their own."""
    cargo = shutil.which("cargo")
    if cargo is None:
        print("left out tiny-skia and vello_cpu: there is no cargo")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.arrow"
        batches = pa.record_batch({"strokes": column})
        with pa.ipc.new_file(lines, batches.schema) as file:
            file.write_batch(batches)
        command = [cargo, "run", "--quiet", "--release", "--package", "penpal-benches", "--", lines, str(batch)]
        done = subprocess.run([*command, str(rounds)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    times = {}
    for line in done.stdout.splitlines():
        name, seconds = line.split("\t")
        times.setdefault(name, []).append(float(seconds))
    return times


def main() -> None:
    parser = options_parser(__doc__, rows=1000, rounds=7)
    parser.add_argument(
        "--batch", type=int, default=32, help="rows of the buffer; as many as all rows leave the caches"
    )
    options = parser.parse_args()

    column = read_lines(options.lines, options.rows)
    arrays = as_arrays(column)
    out = np.zeros((min(options.batch, len(column)), SIDE, SIDE, 1), dtype=np.float32)
    rust = rust_renderers(column, len(out), options.rounds)
    works = contestants(column, arrays, out)
    apart = pictures_apart(works, out, len(column))
    times = take_turns(works, options.rounds)

    points = sum(len(stroke) for row in arrays for stroke in row) / len(arrays)
    title = f"{options.lines.name}: {len(column)} rows, {points:.0f} points a row, into a buffer of {len(out)}"
    rows = dict.fromkeys([*times, *rust], len(column))
    print_times(title, times, rows, OURS, apart)
    if rust:
        print_times("The same rows in a Rust program, without Python", rust, rows, "penpal-core")
    print(f"{OURS} takes {ratio(times, OURS, MEMSET):.1f} times as long as memset")
    ours, memset = ratio(times, OURS, OURS_2), ratio(times, MEMSET, MEMSET_2)
    print(f"2 threads against 1: {ours:.2f} times as fast; memset {memset:.2f} times")


def ratio(times, one, other):
    """The median over the rounds of how many times as long one takes as the other."""
    return statistics.median(np.array(times[one]) / np.array(times[other]))


if __name__ == "__main__":
    main()
