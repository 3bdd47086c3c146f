"""Makes examples/lines.parquet: lines from a generator, alternately clean and corrupted.

python examples/make_lines.py graves_generator.safetensors
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.synthesis.plan import Plan
from penpal_fast.synthesis.texts import read_texts
from penpal_fast.synthesis.workers import synthesize

HERE = Path(__file__).parent
ROWS = 120
COLUMNS = ["strokes", "text", "author", "corruption"]
PLANS = {
    "clean": Plan(ROWS, seed=7, whole_share=1.0),
    "corrupted": Plan(ROWS, corrupted=True, seed=8, bias=(0.5, 1.0), whole_share=1.0),
}


def main(generator: Path) -> None:
    """Write the example file."""
    texts = read_texts(HERE / "texts.txt")
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for name, plan in PLANS.items():
            path = Path(folder) / f"{name}.parquet"
            synthesize(plan, texts, generator, path)
            made.append(pq.read_table(path, columns=COLUMNS))
    in_turn = np.arange(2 * ROWS).reshape(2, ROWS).T.ravel()
    table = pa.concat_tables(made).take(in_turn)
    pq.write_table(table, HERE / "lines.parquet", compression="zstd", compression_level=19)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
