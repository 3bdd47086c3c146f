"""Scoring, side by side: the native engine and MLX on the same lines, from Arrow strokes to scores, in one run.

    python benches/score.py [LINES.parquet]

The engines take turns; the ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from penpal_fast import Scorer
from render import default_lines, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="?", type=Path, default=default_lines())
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--mlx-rows", type=int, default=64, help="MLX is slow on a CPU, so it gets fewer of the rows")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    column = pq.read_table(options.lines, columns=["strokes"])["strokes"][: options.rows].combine_chunks()
    few = column[: options.mlx_rows]
    engines = {
        "native, 2 threads": (Scorer(backend="native", threads=2), column),
        "native, 1 thread": (Scorer(backend="native", threads=1), column),
        "MLX": (Scorer(backend="mlx"), few),
    }
    scores = {name: scorer.score(rows)[: len(few)] for name, (scorer, rows) in engines.items()}
    worst = max(float(np.abs(found - scores["MLX"]).max()) for found in scores.values())
    rounds = [
        {name: seconds(lambda: scorer.score(rows)) / len(rows) for name, (scorer, rows) in engines.items()}  # noqa: B023
        for _ in range(options.rounds)
    ]

    table = Table("engine", "us/row", "rows/s", "time / native, 2 threads")
    for name in engines:
        each = statistics.median(times[name] for times in rounds)
        ratio = statistics.median(times[name] / times["native, 2 threads"] for times in rounds)
        table.add_row(name, f"{each * 1e6:.0f}", f"{1 / each:,.0f}", f"{ratio:.2f}")
    console = Console(width=110)
    console.print(
        f"{options.lines.name}: {len(column)} rows, {options.rounds} rounds; scores differ by {worst:.1e} at most"
    )
    console.print(table)


if __name__ == "__main__":
    main()
