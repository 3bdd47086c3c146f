"""Strokes to scores: penpal_fast against pipelines of other parts, on the same lines.

    python benches/score.py [LINES.parquet]

The pipelines of a renderer and a network run in one process for each thread, so that Python's lock does not slow them
down, at the batch sizes given; so does the reference model's, PIL + MLX. They take turns; the ratios are medians over
the rounds.
"""

from __future__ import annotations

import functools
import multiprocessing

import numpy as np

from measuring import (
    as_arrays,
    batch_sizes,
    differences,
    options_parser,
    positive,
    print_left_out,
    print_times,
    read_lines,
    take_turns,
)
from peers import PEERS, Files, last_pictures
from penpal_fast import Scorer
from rivals import PACKAGES, RIVALS, SIDE

PIPELINES = [
    ("aggdraw", "ONNX Runtime"),
    ("aggdraw", "ONNX Runtime, int8"),
    ("aggdraw", "LiteRT"),
    ("aggdraw", "LiteRT, int8"),
    ("aggdraw", "OpenVINO"),
    ("aggdraw", "OpenVINO, int8"),
    ("Blend2D", "LiteRT, int8"),
]
REFERENCE = ("PIL, 4x supersampled", "MLX")
"""The renderer and the engine of the reference model, at a batch size of 16."""
REFERENCE_BATCH = 16

_worker = {}


def start_worker(path, rows, files):
    """Prepare a worker process: the lines, and the files of the networks by the names of the peers."""
    _worker.update(arrays=as_arrays(read_lines(path, rows)), files=files)


@functools.cache
def renderer_of(name):
    return RIVALS[name]()


@functools.cache
def network_of(name):
    return PEERS[name].make(_worker["files"].get(name), 1)


def work_on(job):
    renderer, network, part = job
    rows = [_worker["arrays"][index] for index in part]
    return drawn_and_scored(rows, renderer_of(renderer), network_of(network))


def drawn_and_scored(rows, render, network):
    pictures = np.empty((len(rows), SIDE, SIDE, 1), np.float32)
    for row, picture in zip(rows, pictures, strict=True):
        render(row, picture)
    return 1 / (1 + np.exp(-network(pictures)))


def shared(pool, pipeline, rows, size):
    """Share batches of the first rows out to the processes."""
    jobs = [(*pipeline, range(start, min(start + size, rows))) for start in range(0, rows, size)]
    return lambda: np.concatenate(pool.map(work_on, jobs, chunksize=1))


def files_of_peers(files):
    """Name -> file, of the peers that work here."""
    found = {}
    for name in dict.fromkeys(network for _, network in PIPELINES):
        peer = PEERS[name]
        try:
            peer.networks(files, 1)
        except (ImportError, OSError) as error:
            print_left_out(name, error, peer.package)
        else:
            found[name] = getattr(files, peer.file)
    return found


def renderers():
    """Names of the renderers that work here."""
    found = set()
    for name in dict.fromkeys(renderer for renderer, _ in PIPELINES):
        try:
            RIVALS[name]()
        except (ImportError, OSError) as error:
            print_left_out(name, error, PACKAGES[name])
        else:
            found.add(name)
    return found


def main() -> None:
    parser = options_parser(__doc__, rows=2000, rounds=5)
    parser.add_argument(
        "--mlx-rows", type=positive, default=64, help="MLX is slow on a CPU, so it gets fewer of the rows"
    )
    parser.add_argument("--calibration-rows", type=positive, default=128, help="last rows of the file, for int8 ranges")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--batches", type=positive, nargs="+", default=[8, 32], help="of the pipelines")
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

    files = files_of_peers(Files(last_pictures(options.lines, options.calibration_rows)))
    drawn = renderers()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(options.threads, start_worker, (options.lines, options.rows, files)) as pool:
        for size in batch_sizes([REFERENCE_BATCH], len(few), options.threads):
            works[f"PIL + MLX, batch {size}"] = shared(pool, REFERENCE, len(few), size)
        for renderer, network in PIPELINES:
            if renderer in drawn and network in files:
                for size in batch_sizes(options.batches, len(column), options.threads):
                    name = f"{renderer} + {network}, batch {size}"
                    works[name] = shared(pool, (renderer, network), len(column), size)

        scores = {name: work() for name, work in works.items()}
        rows = {name: len(found) for name, found in scores.items()}
        times = take_turns(works, options.rounds)
    apart = differences("scores", scores, scores[ours])
    print_times(f"{options.lines.name}: {len(column)} rows, {options.rounds} rounds", times, rows, ours, apart)
    print("the scores of penpal_fast's own engines differ by rounding; the others draw their own way")


if __name__ == "__main__":
    main()
