"""The network alone, on pictures: the native engine against others with the same weights.

    python benches/network.py [LINES.parquet]

Every engine has the same number of threads and takes turns; each of the others runs at the batch sizes given.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from measuring import (
    batch_sizes,
    differences,
    options_parser,
    positive,
    print_left_out,
    print_times,
    read_lines,
    take_turns,
)
from peers import PEERS, Files, last_pictures, pictures_of
from penpal_fast import _core
from weights import bundled

INT8_MEAN = 0.1
"""The scores of an int8 network differ by less, or it is a different network."""


def native(threads):
    config, network = bundled()
    engine = _core.Engine(network.stem, network.blocks, network.head_weight, network.head_bias, config.line_width)

    def run(pictures):
        logits = np.empty(len(pictures), np.float32)
        engine.picture_logits_into(pictures, logits, threads)
        return logits

    return run


def in_batches(networks, pictures, size):
    """Share the batches out to the networks, each of which has a thread."""
    batches = [pictures[start : start + size] for start in range(0, len(pictures), size)]
    count = len(networks)

    def share(index):
        return [networks[index](batch) for batch in batches[index::count]]

    def work():
        if count == 1:
            return np.concatenate(share(0))
        with ThreadPoolExecutor(count) as pool:
            shares = list(pool.map(share, range(count)))
        return np.concatenate([shares[index % count][index // count] for index in range(len(batches))])

    return work


def scores_of(logits):
    return 1 / (1 + np.exp(-logits))


def main() -> None:
    parser = options_parser(__doc__, rows=512, rounds=5)
    parser.add_argument(
        "--mlx-rows", type=positive, default=32, help="MLX is slow on a CPU, so it gets fewer of the rows"
    )
    parser.add_argument("--calibration-rows", type=positive, default=128, help="last rows of the file, for int8 ranges")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--together", action="store_true", help="all threads in one network, not one network for each")
    parser.add_argument("--batches", type=positive, nargs="+", default=[1, 8, 32])
    options = parser.parse_args()

    pictures = pictures_of(read_lines(options.lines, options.rows))
    files = Files(last_pictures(options.lines, options.calibration_rows))
    ours = f"native, {options.threads} threads"
    works = {ours: in_batches([native(options.threads)], pictures, len(pictures))}
    logits = {ours: works[ours]()}
    for name, peer in PEERS.items():
        try:
            networks = peer.networks(files, options.threads, together=options.together)
        except (ImportError, OSError) as error:
            print_left_out(name, error, peer.package)
            continue
        some = pictures[: options.mlx_rows] if name == "MLX" else pictures
        sizes = [16] if name == "MLX" else options.batches
        for size in batch_sizes(sizes, len(some), len(networks)):
            each = f"{name}, batch {size}"
            works[each] = in_batches(networks, some, size)
            logits[each] = works[each]()
            check(each, logits[each], logits[ours], peer.int8)

    rows = {name: len(found) for name, found in logits.items()}
    scores = {name: scores_of(found) for name, found in logits.items()}
    title = f"{options.lines.name}: {len(pictures)} pictures, {options.threads} threads each"
    apart = differences("scores", scores, scores[ours])
    print_times(title, take_turns(works, options.rounds), rows, ours, apart)


def check(name, logits, expected, int8) -> None:
    expected = expected[: len(logits)]
    if int8:
        apart = np.abs(scores_of(logits) - scores_of(expected)).mean()
        assert apart < INT8_MEAN, f"{name}: scores differ by {apart} in the mean"
    else:
        apart = np.abs(logits - expected).max()
        assert apart < 1e-3, f"{name}: logits differ by {apart}"


if __name__ == "__main__":
    main()
