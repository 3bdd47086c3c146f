"""Where scoring spends its time, layer by layer, and what share of the processor's peak each layer reaches.

    python benches/layers.py [LINES.parquet]

One thread. The peak is measured too: multiply-adds in registers and nothing else. A layer's multiplications are what it
really does: only what the ink reaches, and half of the definition's where its kernel is Winograd's.
"""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from measuring import options_parser, read_lines
from penpal_fast import _core
from weights import bundled


def main() -> None:
    options = options_parser(__doc__, rows=100, rounds=20).parse_args()
    column = read_lines(options.lines, options.rows)
    config, network = bundled()
    engine = _core.Engine(network.stem, network.blocks, network.head_weight, network.head_bias, config.line_width)
    rows = _core.Rows(column)
    peaks, rounds = [], []
    for _ in range(options.rounds):
        rounds.append(engine.profile(rows))
        peaks.append(_core.peak_multiplications())
    peak = max(peaks)

    table = Table("stage", "µs/row", "share of time", "multiplications/row", "share of peak", box=box.MARKDOWN)
    stages = [min(same, key=lambda stage: stage[1]) for same in zip(*rounds, strict=True)]
    total = sum(seconds for _, seconds, _ in stages)
    for name, seconds, multiplications in stages:
        reached = f"{multiplications / seconds / peak:.0%}" if multiplications else ""
        each = f"{multiplications / len(column):,.0f}" if multiplications else ""
        table.add_row(name, f"{seconds / len(column) * 1e6:.1f}", f"{seconds / total:.0%}", each, reached)
    multiplications = sum(stage[2] for stage in stages)
    table.add_row(
        "all",
        f"{total / len(column) * 1e6:.1f}",
        "100%",
        f"{multiplications / len(column):,.0f}",
        f"{multiplications / total / peak:.0%}",
    )
    console = Console(width=110)
    console.print(f"{options.lines.name}: {len(column)} rows, best of {options.rounds} rounds each")
    console.print(f"peak of one thread: {2 * peak / 1e9:.0f} GFLOP/s")
    console.print(table)


if __name__ == "__main__":
    main()
