"""Jobs that are killed (SIGKILL) at random moments and resumed: whether the output is byte-identical.

    python benches/kill.py [LINES.parquet] [--rows 200000] [--kills 20]

Each job is killed once, at a random moment within the time of a whole run, and then resumed.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bulk import make_rows
from measuring import default_lines, positive


def start(source: Path, target: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "penpal_fast", "score", str(source), "-o", str(target), "--resume", "--quiet"]
    return subprocess.Popen(command)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="?", type=Path, default=default_lines())
    parser.add_argument("--rows", type=positive, default=200_000)
    parser.add_argument("--kills", type=positive, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        same, killed = run(Path(folder), options)
    Console().print(
        f"{options.rows:,} rows: {killed} of {options.kills} jobs killed in time, {same} with the same bytes"
    )
    assert killed > 0, "no kill came in time; use more rows"
    assert same == options.kills


def run(folder: Path, options: argparse.Namespace) -> tuple[int, int]:
    source, whole, target = (folder / name for name in ("rows.parquet", "whole.parquet", "scored.parquet"))
    make_rows([options.lines], options.rows, source)
    begun = time.monotonic()
    assert start(source, whole).wait() == 0
    seconds = time.monotonic() - begun
    expected = whole.read_bytes()
    moments = random.Random(options.seed)  # noqa: S311
    same = killed = 0
    for _ in range(options.kills):
        process = start(source, target)
        time.sleep(moments.uniform(0, seconds))
        process.kill()
        killed += process.wait() != 0
        assert start(source, target).wait() == 0
        same += target.read_bytes() == expected and not target.with_name("scored.parquet.parts").exists()
        target.unlink()
    return same, killed


if __name__ == "__main__":
    main()
