"""Strokes to scores: penpal_fast against pipelines of other parts, on the same lines.

    python benches/score.py [LINES.parquet]

aggdraw and ONNX Runtime run in one process for each thread, so that Python's lock does not slow them down, in batches
of their best size. The pipelines take turns; the ratios are medians over the rounds.
"""

from __future__ import annotations

import multiprocessing

import numpy as np

from measuring import as_arrays, options_parser, print_times, read_lines, take_turns
from peers import mlx, onnx_runtime
from penpal_fast import Scorer
from rivals import RIVALS, SIDE

_worker = {}


def start_worker(path, rows):
    """Prepare a worker process: the lines, a renderer and a network of one thread."""
    arrays = as_arrays(read_lines(path, rows))
    _worker.update(arrays=arrays, render=RIVALS["aggdraw"](), network=onnx_runtime(1))


def work_on(part):
    rows = [_worker["arrays"][index] for index in part]
    return drawn_and_scored(rows, _worker["render"], _worker["network"])


def drawn_and_scored(rows, render, network):
    pictures = np.empty((len(rows), SIDE, SIDE, 1), np.float32)
    for row, picture in zip(rows, pictures, strict=True):
        render(row, picture)
    return 1 / (1 + np.exp(-network(pictures)))


def in_batches(run, rows, size):
    return lambda: np.concatenate([run(rows[start : start + size]) for start in range(0, len(rows), size)])


def main() -> None:
    parser = options_parser(__doc__, rows=2000, rounds=5)
    parser.add_argument("--mlx-rows", type=int, default=64, help="MLX is slow on a CPU, so it gets fewer of the rows")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32], help="of ONNX Runtime")
    options = parser.parse_args()

    column = read_lines(options.lines, options.rows)
    few = column[: options.mlx_rows]
    ours = f"penpal_fast, {options.threads} threads"
    scorers = {
        ours: (Scorer(backend="native", threads=options.threads), column),
        "penpal_fast, 1 thread": (Scorer(backend="native", threads=1), column),
        "penpal_fast, MLX engine": (Scorer(backend="mlx", threads=options.threads), few),
    }
    works = {name: lambda scorer=scorer, rows=rows: scorer.score(rows) for name, (scorer, rows) in scorers.items()}
    rows = {name: len(rows) for name, (_, rows) in scorers.items()}

    network, render = mlx(1), RIVALS["PIL, 4x supersampled"]()
    works["PIL + MLX"] = in_batches(lambda part: drawn_and_scored(part, render, network), as_arrays(few), 16)
    rows["PIL + MLX"] = len(few)

    pool = None
    try:
        start_worker(options.lines, 1)
    except ImportError as error:
        print(f"left out aggdraw + ONNX Runtime: {error}")
    else:
        spawn = multiprocessing.get_context("spawn")
        pool = spawn.Pool(options.threads, start_worker, (options.lines, options.rows))
        for size in options.batches:
            parts = [range(start, min(start + size, len(column))) for start in range(0, len(column), size)]
            name = f"aggdraw + ONNX Runtime, batch {size}"
            works[name] = lambda parts=parts: np.concatenate(pool.map(work_on, parts))
            rows[name] = len(column)

    expected = works[ours]()
    apart = {name: float(np.abs(work() - expected[: rows[name]]).max()) for name, work in works.items()}
    times = take_turns(works, options.rounds)
    print_times(f"{options.lines.name}: {len(column)} rows, {options.rounds} rounds", times, rows, ours)
    same = max(apart[name] for name in scorers)
    print(f"scores of the penpal_fast rows differ by {same:.1e} at most; the others draw their own way")
    if pool:
        pool.close()


if __name__ == "__main__":
    main()
