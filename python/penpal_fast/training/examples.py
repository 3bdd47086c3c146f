"""Makes the example file of the repository: synthetic lines, half of them clean and half corrupted.

python -m penpal_fast.training.examples graves_generator.safetensors -o examples/lines.parquet
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from penpal_fast.files import replaced_atomically
from penpal_fast.training.generator import Corruption, Generator, Request, words_of_strokes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

TEXTS = """
the kettle is on
we met at noon
a short note
rain again today
please call me back
seven small boats
bread, milk and eggs
thank you for the book
the train was late
turn left at the mill
her garden is in bloom
nobody was at home
keep the change
the paint is still wet
it snowed all night
meet me by the gate
two tickets, please
the cat sleeps all day
mind the step
my sister sends her love
a letter from the coast
he forgot his umbrella
lunch is in the oven
the key is under the mat
see you on Monday
windows face the sea
they sang until dawn
the bridge is closed
count to ten slowly
I will write again soon
""".strip().splitlines()

SEVERITIES = {
    "very_mild": ((1.02, 1.15), (0.02, 0.1), (0.01, 0.04)),
    "mild": ((1.15, 1.6), (0.1, 0.6), (0.04, 0.12)),
    "gibberish": ((1.6, 3.0), (1.0, 5.0), (0.15, 0.4)),
}
"""For each severity the ranges of kappa scale, beta floor and noise; a corrupted line draws from them uniformly."""

SEVERITY_SHARES = {"very_mild": 0.1, "mild": 0.7, "gibberish": 0.2}

UNIT = 1 / 32
"""Coordinates are rounded to this, a twentieth of a pixel at most, so that the file compresses well."""

POINT = pa.struct([("x", pa.float32()), ("y", pa.float32())])
SCHEMA = pa.schema(
    {
        "strokes": pa.list_(pa.list_(pa.struct([("points", pa.list_(POINT))]))),
        "text": pa.string(),
        "author": pa.int32(),
        "corruption": pa.string(),
    }
)


def requests(generator: Generator, rows: int, seed: int) -> Iterator[tuple[Request, str | None]]:
    """Yield what is to be written, with the severity of its corruption; None for a clean line."""
    random = np.random.default_rng(seed)
    for row in range(rows):
        text, style = TEXTS[row // 2 % len(TEXTS)], int(random.integers(len(generator.styles)))
        if row % 2 == 0:
            yield Request(text, style), None
            continue
        severity = str(random.choice(list(SEVERITY_SHARES), p=list(SEVERITY_SHARES.values())))
        corruption = Corruption(*(float(random.uniform(low, high)) for low, high in SEVERITIES[severity]))
        yield Request(text, style, bias=float(random.uniform(0.5, 1.0)), corruption=corruption), severity


def nested(words: list[list[NDArray[np.float64]]]) -> list[list[dict[str, Any]]]:
    """Turn words of strokes into the nesting of the penpal schema."""
    return [
        [{"points": [{"x": x, "y": y} for x, y in (np.round(2 * stroke / UNIT) * UNIT).tolist()]} for stroke in word]
        for word in words
    ]


def run(
    weights: Annotated[Path, typer.Argument(help="The generator's safetensors file.", exists=True)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
    rows: Annotated[int, typer.Option(help="Number of lines.", min=1)] = 240,
    seed: Annotated[int, typer.Option(help="Seed of texts, styles and sampling.")] = 7,
) -> None:
    """Write the example file."""
    generator = Generator(weights)
    planned = list(requests(generator, rows, seed))
    writings = generator.write([request for request, _ in planned], seed=seed)
    table = pa.Table.from_pylist(
        [
            {
                "strokes": nested(words_of_strokes(writing, request.text)),
                "text": request.text,
                "author": request.style,
                "corruption": severity,
            }
            for writing, (request, severity) in zip(writings, planned, strict=True)
        ],
        schema=SCHEMA,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    with replaced_atomically(output) as path:
        pq.write_table(table, path, compression="zstd", compression_level=19, use_dictionary=["text", "corruption"])


if __name__ == "__main__":
    typer.run(run)
