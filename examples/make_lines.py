"""Makes examples/lines.parquet: lines from a generator, clean, corrupted, and clean with a wrong text.

python examples/make_lines.py graves_generator.safetensors
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.evaluation.wrong_texts import EDITS
from penpal_fast.synthesis.line_file import synthesize
from penpal_fast.synthesis.plan import Plan
from penpal_fast.synthesis.texts import read_texts

HERE = Path(__file__).parent
ROWS = 120
WRONG_ROWS = 24
WRONG_TEXT = "wrong text"
"""In the column `corruption`: the ink is clean, but the text has one mistake."""

COLUMNS = ["strokes", "text", "author", "corruption"]
PLANS = {
    "clean": Plan(ROWS, seed=7, whole_share=1.0),
    "corrupted": Plan(ROWS, corrupted=True, seed=8, bias=(0.5, 1.0), whole_share=1.0),
    WRONG_TEXT: Plan(WRONG_ROWS, seed=9, whole_share=1.0),
}


def with_wrong_texts(lines: pa.Table) -> pa.Table:
    """Make one mistake in each text: the kinds of mistakes in turn."""
    random = np.random.default_rng(10)
    texts = lines["text"].to_pylist()
    words = [word for text in texts for word in text.split()]
    edits = list(EDITS.values())
    wrong = [edits[row % len(edits)](text, words, random) for row, text in enumerate(texts)]
    columns = {"text": pa.array(wrong), "corruption": pa.array([WRONG_TEXT] * len(lines))}
    return pa.table({**{name: lines[name] for name in COLUMNS}, **columns})


def main(generator: Path) -> None:
    """Write the example file."""
    texts = read_texts(HERE / "texts.txt")
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for name, plan in PLANS.items():
            path = Path(folder) / f"{name}.parquet"
            synthesize(plan, texts, generator, path)
            made.append(pq.read_table(path, columns=COLUMNS))
    made[-1] = with_wrong_texts(made[-1])
    # Each kind is spread over the whole file.
    places = np.concatenate([(np.arange(len(one)) + 0.5) / len(one) for one in made])
    table = pa.concat_tables(made).take(np.argsort(places, kind="stable"))
    pq.write_table(table, HERE / "lines.parquet", compression="zstd", compression_level=19)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
