"""Shared by the benchmarks: lines, turns and the table of times."""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
REAL_LINES = ROOT.parent / "shared" / "data" / "iam_ondb_lines.parquet"
EXAMPLE_LINES = ROOT / "examples" / "lines.parquet"

Work = Callable[[], object]
Columns = dict[str, dict[str, str]]


def default_lines() -> Path:
    """Real lines where they exist, otherwise the example lines."""
    return REAL_LINES if REAL_LINES.exists() else EXAMPLE_LINES


def positive(text: str) -> int:
    """Read a whole number from 1 on, as an option's value."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def options_parser(description: str, *, rows: int, rounds: int) -> argparse.ArgumentParser:
    """Make a parser of the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    lines = default_lines()
    parser.add_argument("lines", nargs="?", type=Path, default=lines, help="Parquet file with a column strokes")
    parser.add_argument("--rows", type=positive, default=rows)
    parser.add_argument("--rounds", type=positive, default=rounds)
    return parser


def read_lines(path: Path, rows: int) -> pa.Array:
    return pq.read_table(path, columns=["strokes"])["strokes"][:rows].combine_chunks()


def as_arrays(rows: pa.Array) -> list[list[np.ndarray]]:
    """Turn an Arrow column into lists of [N, 2] float64 arrays, as Python renderers take them."""
    return [
        [np.array([(point["x"], point["y"]) for point in stroke["points"]]) for word in row for stroke in word]
        for row in rows.to_pylist()
    ]


def batch_sizes(sizes: list[int], rows: int, workers: int) -> list[int]:
    """Limit the sizes of batches, so that each worker gets a batch of so few rows; each size once."""
    most = -(-rows // workers)
    return list(dict.fromkeys(min(size, most) for size in sizes))


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(works: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Run each work once to warm up, then once a round in turn; return the seconds of each round."""
    for work in works.values():
        work()
    times = [{name: seconds(work) for name, work in works.items()} for _ in range(rounds)]
    return {name: [each[name] for each in times] for name in works}


def print_times(
    title: str, times: dict[str, list[float]], rows: dict[str, int], unit: str, more: Columns | None = None
) -> None:
    """Print times per row and their ratio to `unit`: medians over the rounds, of ratios within a round.

    `more` has other columns by their titles, each with texts by the names of the rows.
    """
    more = more or {}
    table = Table("", "µs/row", "rows/s", f"time / {unit}", *more, title=title, box=box.MARKDOWN)
    per_row = {name: np.array(each) / rows[name] for name, each in times.items()}
    for name, each in per_row.items():
        middle = statistics.median(each)
        ratio = statistics.median(each / per_row[unit])
        table.add_row(
            name,
            f"{middle * 1e6:.1f}",
            f"{1 / middle:,.0f}",
            f"{ratio:.2f}",
            *(texts.get(name, "") for texts in more.values()),
        )
    Console(width=160).print(table)


def differences(what: str, found: dict[str, np.ndarray], expected: np.ndarray) -> Columns:
    """Columns of how far what was found is from the first as many of what was expected: the largest, and the mean."""
    apart = {name: np.abs(values - expected[: len(values)]) for name, values in found.items()}
    return {
        f"{what} differ by at most": {name: f"{each.max():.1g}" for name, each in apart.items()},
        "in the mean": {name: f"{each.mean():.1g}" for name, each in apart.items()},
    }


def print_left_out(name: str, error: Exception, package: str) -> None:
    print(f"left out {name}: {error} (pip install {package})")


def elsewhere(work: Callable[..., None], *arguments: object) -> None:
    """Do something in another process, so that its memory does not count for what comes after it."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == 0
