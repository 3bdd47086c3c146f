"""How the cost of a row grows with its points, with the height of its ink and with the threads.

    python benches/scaling.py [LINES.parquet]

The first two tables use made lines of given points and height, the third the file.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from measuring import options_parser, print_times, read_lines, take_turns
from penpal_fast import Scorer, render_into

POINT = pa.struct([("x", pa.float32()), ("y", pa.float32())])
ROW = pa.list_(pa.struct([("points", pa.list_(POINT))]))


def scrawls(rows: int, points: int, height: float) -> pa.Array:
    """Lines of one stroke, 232 px wide on the canvas and `height` px high, in loops from left to right."""
    generator = np.random.default_rng(points)
    made = []
    for _ in range(rows):
        turns = np.cumsum(generator.uniform(0.5, 1.5, points)) / points * 40 * np.pi
        x = np.linspace(0, 232, points) + np.sin(turns) * min(height, 8) / 2
        y = np.cos(turns) * height / 2
        made.append([{"points": [{"x": a, "y": b} for a, b in zip(x.tolist(), y.tolist(), strict=True)]}])
    return pa.array(made, ROW)


def print_costs(title: str, lines: dict[str, pa.Array], rounds: int) -> None:
    scorer = Scorer(backend="native", threads=1)
    works, rows = {}, {}
    for name, column in lines.items():
        out = np.zeros((len(column), 256, 256, 1), np.float32)
        works[f"{name}, rendered"] = lambda column=column, out=out: render_into(column, out, threads=1)
        works[f"{name}, scored"] = lambda column=column: scorer.score(column)
        rows |= {f"{name}, rendered": len(column), f"{name}, scored": len(column)}
    print_times(title, take_turns(works, rounds), rows, next(iter(works)))


def main() -> None:
    parser = options_parser(__doc__, rows=2000, rounds=5)
    parser.add_argument("--made-rows", type=int, default=32)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    made = options.made_rows

    by_points = {f"{points} points": scrawls(made, points, 30) for points in [100, 300, 1000, 3000]}
    print_costs("by points, ink 30 px high, one thread", by_points, options.rounds)
    by_height = {f"{height} px high": scrawls(made, 600, height) for height in [10, 30, 100, 232]}
    print_costs("by height, 600 points, one thread", by_height, options.rounds)

    column = read_lines(options.lines, options.rows)
    scorers = {f"{threads} threads": Scorer(backend="native", threads=threads) for threads in options.threads}
    works = {name: lambda scorer=scorer: scorer.score(column) for name, scorer in scorers.items()}
    rows = dict.fromkeys(works, len(column))
    title = f"by threads, {len(column)} rows of {options.lines.name}, scored"
    print_times(title, take_turns(works, options.rounds), rows, next(iter(works)))


if __name__ == "__main__":
    main()
