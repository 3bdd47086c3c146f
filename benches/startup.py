"""Processor time of whole processes: the import, help, wrong usage, and a score of some rows.

python benches/startup.py [LINES.parquet] [--rows 240] [--rounds 10]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.table import Table

from measuring import options_parser

CODES = {0, 2}
"""Exit codes of a process that did what it should; 2 is wrong usage."""


def times_of(arguments: list[str]) -> tuple[float, float]:
    """Processor time and elapsed time of a process, in seconds. The first does not depend on what else runs."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in CODES:
        raise RuntimeError(f"{' '.join(arguments)} failed")
    return usage.ru_utime + usage.ru_stime, elapsed


def main() -> None:
    options = options_parser(__doc__, rows=240, rounds=10).parse_args()
    command = ["-m", "penpal_fast"]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.parquet"
        pq.write_table(pq.read_table(options.lines, columns=["strokes"])[: options.rows], lines)
        processes = {
            "Python alone": ["-c", ""],
            "import penpal_fast": ["-c", "import penpal_fast"],
            "--version": [*command, "--version"],
            "--help": [*command, "--help"],
            "score --help": [*command, "score", "--help"],
            "wrong usage": [*command, "score", str(lines), "-o", folder, "--threads", "0"],
            f"score of {options.rows} rows": [*command, "score", str(lines), "-o", f"{folder}/scored.parquet"],
        }
        rounds = [{name: times_of(each) for name, each in processes.items()} for _ in range(options.rounds + 1)][1:]
    table = Table("", "processor time, s", "elapsed, s", title=f"medians of {options.rounds} rounds", box=box.MARKDOWN)
    for name in processes:
        table.add_row(name, *(f"{statistics.median(one[name][index] for one in rounds):.3f}" for index in (0, 1)))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
