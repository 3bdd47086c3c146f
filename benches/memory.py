"""Peak resident memory of `penpal-fast score`, with a file and with the same file repeated many times.

    python benches/memory.py [LINES.parquet]

The highest peak of the rounds is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from measuring import elsewhere, options_parser, positive


def peak_bytes(lines: Path, output: Path) -> int:
    """Score a file in its own process and return its peak memory."""
    command = [sys.executable, "-m", "penpal_fast", "score", str(lines), "-o", str(output)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed: {said.read().decode()}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    parser = options_parser(__doc__, rows=5000, rounds=1)
    parser.add_argument("--times", type=positive, default=10, help="how often the larger file repeats the rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for times in [1, options.times]:
            lines = Path(folder) / "lines.parquet"
            elsewhere(make_rows, options.lines, options.rows, times, lines)
            outputs = [Path(folder) / f"scored_{times}_{number}.parquet" for number in range(options.rounds)]
            peak = max(peak_bytes(lines, output) for output in outputs)
            print(f"{pq.read_metadata(lines).num_rows:,} rows: peak {peak / 1e6:.0f} MB")


def make_rows(source: Path, rows: int, times: int, lines: Path) -> None:
    """Write the first rows of a file, repeated."""
    table = pq.read_table(source, columns=["strokes"])[:rows]
    with pq.ParquetWriter(lines, table.schema) as writer:
        for _ in range(times):
            writer.write_table(table)


if __name__ == "__main__":
    main()
