"""Picks the sample lines of the live page from the example file.

python docs/pick_sample_lines.py examples/lines.parquet python/penpal_fast/look/serve/static/samples.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import penpal_fast

PICKED = {
    "A clean line": (None, 0.9),
    "A doubtful one": ("mild", 0.9),
    "A wrong text": ("wrong text", 0.4),
    "A garbled one": ("gibberish", 0.3),
}
"""Name on the page: corruption, and rank among the lines of that corruption, from 0 (lowest score) to 1."""


def main(lines: Path, samples: Path) -> None:
    table = pq.read_table(lines)
    scores = penpal_fast.score(table)
    corruption = table["corruption"].to_pylist()
    picked = []
    for name, (kind, place) in PICKED.items():
        candidates = np.array([row for row, found in enumerate(corruption) if found == kind])
        row = int(candidates[np.argsort(scores[candidates])[int(place * (len(candidates) - 1))]])
        words = table["strokes"][row].as_py()
        rounded = [
            [[[round(point["x"], 1), round(point["y"], 1)] for point in stroke["points"]] for stroke in word]
            for word in words
        ]
        picked.append({"name": name, "text": table["text"][row].as_py(), "words": rounded})
    samples.write_text(json.dumps(picked, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
