"""A job of real size: rows/s, peak memory, and how long reading, scoring and writing were at work.

    python benches/bulk.py [LINES.parquet ...] [--rows 1000000]

Makes a file of so many rows out of the lines, over and over, scores it with `score_dataset`, and compares with the rows/s
of the engine alone, over the same lines in memory, before and after. `--folder` keeps the file for another run;
`--stop-after` ends the run after so many seconds, and the same command goes on, which adds up what each run did.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from penpal_fast import Scorer, score_dataset
from render import default_lines

ENGINE_ROWS = 8192
GROUP_ROWS = 8192


class Stopped(BaseException):
    pass


def make_rows(lines: list[Path], rows: int, path: Path) -> None:
    """Write the lines in turn until there are enough."""
    tables = [pq.read_table(file, columns=["strokes", "text"]) for file in lines]
    table = pa.concat_tables([each.cast(tables[0].schema) for each in tables]).combine_chunks()
    order = pa.array([(index * 7919) % len(table) for index in range(len(table))])  # All kinds in every row group.
    table = table.take(order) if len(table) % 7919 else table
    aside = path.with_suffix(".part")
    with pq.ParquetWriter(aside, table.schema, compression="zstd") as writer:
        written = 0
        while written < rows:
            piece = table.slice(written % len(table), min(GROUP_ROWS, rows - written))
            writer.write_table(piece)
            written += len(piece)
    aside.replace(path)


def engine_rate(scorer: Scorer, path: Path) -> float:
    """Rows/s of the engine alone, over rows in memory."""
    strokes = next(pq.ParquetFile(path).iter_batches(ENGINE_ROWS, columns=["strokes"])).column("strokes")
    start = time.perf_counter()
    scorer.score(strokes, errors="null")
    return len(strokes) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="*", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the rows and the output are; a temporary one by default")
    parser.add_argument("--stop-after", type=float, default=float("inf"), help="seconds")
    options = parser.parse_args()
    lines = options.lines or [default_lines()]
    with tempfile.TemporaryDirectory() as temporary:
        run(lines, options.rows, options.folder or Path(temporary), options.stop_after)


def run(lines: list[Path], rows: int, folder: Path, stop_after: float) -> None:
    source, target, log = (folder / name for name in ("rows.parquet", "scored.parquet", "runs.json"))
    if not source.exists():
        make_rows(lines, rows, source)
    runs = json.loads(log.read_text()) if log.exists() else []
    scorer = Scorer()
    before = engine_rate(scorer, source)
    start, seen = time.perf_counter(), []

    def progress(done: int, _total: int) -> None:
        seen.append(done)
        if time.perf_counter() - start > stop_after:
            raise Stopped

    seconds = None
    try:
        seconds = score_dataset(source, target, scorer=scorer, resume=True, progress=progress).seconds
    except Stopped:
        pass
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    engine = (before + engine_rate(scorer, source)) / 2
    runs.append({"rows": seen[-1] - seen[0], "seconds": taken, "engine": engine, "peak": peak, "stages": seconds})
    log.write_text(json.dumps(runs))
    report(runs, rows)


def report(runs: list[dict], rows: int) -> None:
    console = Console(width=110)
    table = Table("rows", "seconds", "rows/s", "engine alone, rows/s", "share", "peak memory, MB", "at work, % of the time")
    for each in runs:
        rate = each["rows"] / each["seconds"]
        stages = each["stages"] or {}
        shares = [f"{name} {100 * stages.get(name, 0) / each['seconds']:.0f}" for name in ("reading", "scoring", "writing")]
        table.add_row(
            f"{each['rows']:,}", f"{each['seconds']:.1f}", f"{rate:,.0f}", f"{each['engine']:,.0f}",
            f"{rate / each['engine']:.2f}", f"{each['peak'] / 1e6:.0f}", ", ".join(shares) if stages else "stopped",
        )  # fmt: skip
    console.print(f"{rows:,} rows; the stages overlap")
    console.print(table)


if __name__ == "__main__":
    main()
