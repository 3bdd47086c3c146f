"""Strokes to readings: how many rows a second are compared with their texts, and where the time goes.

    python benches/read.py [LINES.parquet]

The weights are those of the package. Where it has none they are random, and what a row seems to say is its text: a text
that has nothing to do with the ink takes longer. Threads take turns; the ratios are medians over the rounds.
"""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from measuring import options_parser, print_times, read_lines, take_turns
from penpal_fast._core import Reader, Rows, path, peak_multiplications
from penpal_fast.errors import PenpalError
from penpal_fast.reading.alphabet import encode
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.native import native_reader
from penpal_fast.reading.weights import BUNDLED, expected_shapes, load


def random_reader() -> tuple[ReaderConfig, Reader]:
    """A reader with random weights."""
    config, random = ReaderConfig(), np.random.default_rng(1)
    shapes = expected_shapes(config)
    drawn = {
        name: (random.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        for name, shape in shapes.items()
    }
    return config, native_reader(config, drawn)


def read_texts(path, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes of the lines' texts, and where each begins and the last ends."""
    texts = pq.read_table(path, columns=["text"])["text"][:rows].to_pylist()
    codes = [encode(text or "").codes for text in texts]
    return np.array([code for text in codes for code in text], np.uint16), np.cumsum([0, *map(len, codes)])


def samples_of(rows: Rows) -> np.ndarray:
    """Samples of the path of each row, 0 where there is none."""
    counts = np.zeros(len(rows), np.int64)
    for row in range(len(rows)):
        try:
            counts[row] = len(path(rows, row)[0])
        except PenpalError:
            continue
    return counts


def print_stages(reader: Reader, rows: Rows, texts: tuple[np.ndarray, np.ndarray], rounds: int) -> None:
    """Print where the time goes on one thread, the least of each stage over the rounds."""
    profiles = [dict(reader.profile(rows, texts)) for _ in range(rounds)]
    table = Table("stage", "µs/row", title="where the time goes, one thread")
    for stage in profiles[0]:
        table.add_row(stage, f"{min(profile[stage] for profile in profiles) / len(rows) * 1e6:.1f}")
    Console(width=110).print(table)


def main() -> None:
    parser = options_parser(__doc__, rows=2000, rounds=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    rows = Rows(read_lines(options.lines, options.rows))
    count = len(rows)
    if BUNDLED.is_dir():
        config, tensors = load()
        reader = native_reader(config, tensors)
        texts = read_texts(options.lines, options.rows)
    else:
        print("the package has no reader: random weights")
        config, reader = random_reader()
        texts = reader.read(rows, 0, count, None, options.threads)[3:5]

    def read(threads: int) -> object:
        return reader.read(rows, 0, count, texts, threads)

    names = {f"{threads} threads" if threads > 1 else "1 thread": threads for threads in (options.threads, 1)}
    works = {name: lambda threads=threads: read(threads) for name, threads in names.items()}
    times = take_turns(works, options.rounds)
    title = f"{options.lines.name}: {count} rows, {options.rounds} rounds"
    print_times(title, times, dict.fromkeys(works, count), next(iter(works)))
    print_stages(reader, rows, texts, options.rounds)

    samples = samples_of(rows)
    multiplications = sum(config.multiplications(int(number)) for number in samples) / count
    rate = multiplications * count / min(times["1 thread"])
    share = rate / peak_multiplications()
    print(
        f"median {np.median(samples):.0f} samples, {multiplications / 1e6:.1f} million multiplications a row; "
        f"one thread: {rate / 1e9:.1f} billion a second, {share:.0%} of what 256-bit vectors can do"
    )


if __name__ == "__main__":
    main()
