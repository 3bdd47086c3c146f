"""A large job: rows/s, peak memory, and how long reading, scoring and writing worked.

    python benches/bulk.py [LINES.parquet ...] [--rows 1000000]

Repeats the lines until a file has enough rows, and scores it with `score_dataset` into a folder of parts and into a
single file, each in a process of its own. Compares both with the engine alone, on rows in memory, before and after.
Other work on the machine slows them down unevenly, so the processor time a row is compared too.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.table import Table

from measuring import default_lines, elsewhere, positive
from penpal_fast import Scorer, score_dataset
from penpal_fast.jobs.part_files import encoding

ENGINE_ROWS = 8192
GROUP_ROWS = 8192


def make_rows(lines: list[Path], rows: int, path: Path) -> None:
    """Write the lines, shuffled and repeated until there are enough."""
    tables = [pq.read_table(file, columns=["strokes", "text"]) for file in lines]
    table = pa.concat_tables([each.cast(tables[0].schema) for each in tables]).combine_chunks()
    table = table.take(np.random.default_rng(1).permutation(len(table)))
    with pq.ParquetWriter(path, table.schema, **encoding(table.schema)) as writer:
        written = 0
        while written < rows:
            piece = table.slice(written % len(table), min(GROUP_ROWS, rows - written))
            writer.write_table(piece)
            written += len(piece)


def engine_alone(scorer: Scorer, path: Path) -> tuple[float, float]:
    """Seconds and seconds of processor time that a row takes the engine, over rows in memory."""
    strokes = next(pq.ParquetFile(path).iter_batches(ENGINE_ROWS, columns=["strokes"])).column("strokes")
    return timed(lambda: scorer.score(strokes, errors="null"), len(strokes))


def timed(work: Callable[[], object], rows: int) -> tuple[float, float]:
    start, processor = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - start) / rows, (time.process_time() - processor) / rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="*", type=Path)
    parser.add_argument("--rows", type=positive, default=1_000_000)
    parser.add_argument("--source", type=Path, help="keep the rows in this file, and take them from it if it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = options.source or Path(folder) / "rows.parquet"
        if not source.exists():
            elsewhere(make_rows, options.lines or [default_lines()], options.rows, source)
        for output in ("scored", "scored.parquet"):
            elsewhere(report, source, Path(folder) / output)


def report(source: Path, target: Path) -> None:
    rows = pq.read_metadata(source).num_rows
    scorer = Scorer()
    summaries = []
    before = engine_alone(scorer, source)
    job = timed(lambda: summaries.append(score_dataset(source, target, scorer=scorer)), rows)
    after = engine_alone(scorer, source)
    engine = [(first + second) / 2 for first, second in zip(before, after, strict=True)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    seconds = summaries[0].seconds

    table = Table("", "rows/s", "processor, us/row", box=box.MARKDOWN)
    table.add_row("job", f"{1 / job[0]:,.0f}", f"{job[1] * 1e6:.0f}")
    table.add_row("engine alone", f"{1 / engine[0]:,.0f}", f"{engine[1] * 1e6:.0f}")
    table.add_row("job / engine", f"{engine[0] / job[0]:.2f}", f"{job[1] / engine[1]:.2f}")
    console = Console(width=110)
    what = "a file" if target.suffix else "a folder of parts"
    console.print(f"{rows:,} rows into {what} in {job[0] * rows:.0f} s, peak memory {peak / 1e6:.0f} MB")
    console.print(table)
    stages = ", ".join(
        f"{name} {100 * seconds[name] / seconds['all']:.0f} %" for name in ("reading", "scoring", "writing")
    )
    console.print(f"at work, of the whole time (they overlap): {stages}")


if __name__ == "__main__":
    main()
