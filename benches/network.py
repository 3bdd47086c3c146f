"""The network alone, on pictures: the native engine against others with the same weights.

    python benches/network.py [LINES.parquet]

Every engine has the same number of threads and takes turns; each of the others runs at the batch sizes given.
"""

from __future__ import annotations

import numpy as np

from measuring import options_parser, print_times, read_lines, take_turns
from peers import PEERS, bundled
from penpal_fast import _core, render_into


def native(threads):
    config, network = bundled()
    engine = _core.Engine(network.stem, network.blocks, network.head_weight, network.head_bias, config.line_width)

    def run(pictures):
        logits = np.empty(len(pictures), np.float32)
        engine.picture_logits_into(pictures, logits, threads)
        return logits

    return run


def in_batches(network, pictures, size):
    def work():
        return np.concatenate([network(pictures[start : start + size]) for start in range(0, len(pictures), size)])

    return work


def main() -> None:
    parser = options_parser(__doc__, rows=512, rounds=5)
    parser.add_argument("--mlx-rows", type=int, default=32, help="MLX is slow on a CPU, so it gets fewer of the rows")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    options = parser.parse_args()

    column = read_lines(options.lines, options.rows)
    pictures = np.empty((len(column), 256, 256, 1), np.float32)
    render_into(column, pictures, line_width=bundled()[0].line_width)

    ours = f"native, {options.threads} threads"
    works = {ours: in_batches(native(options.threads), pictures, len(pictures))}
    rows = {ours: len(pictures)}
    for name, make in PEERS.items():
        try:
            network = make(options.threads)
        except (ImportError, OSError) as error:
            print(f"left out {name}: {error}")
            continue
        some = pictures[: options.mlx_rows] if name == "MLX" else pictures
        for size in [16] if name == "MLX" else options.batches:
            works[f"{name}, batch {size}"] = in_batches(network, some, size)
            rows[f"{name}, batch {size}"] = len(some)

    logits = works[ours]()
    for name, work in works.items():
        apart = float(np.abs(work() - logits[: rows[name]]).max())
        assert apart < 1e-3, f"{name}: logits differ by {apart}"
    title = f"{options.lines.name}: {len(column)} pictures, {options.threads} threads each"
    print_times(title, take_turns(works, options.rounds), rows, ours)


if __name__ == "__main__":
    main()
