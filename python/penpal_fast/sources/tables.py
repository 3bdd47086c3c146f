"""Files read whole, as tables."""

from __future__ import annotations

import logging

import pyarrow as pa

from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_sources

logger = logging.getLogger(__name__)


def read_rows(inputs: Inputs, *, column: str = "strokes", each_path: bool = False) -> pa.Table:
    """Read rows of any known format into memory, without scoring them.

    Args:
        inputs: Files, folders, globs and hub addresses, as `score_dataset` takes them; all with the same columns.
        column: Name of the strokes column in files of JSON and CSV.
        each_path: Whether each path of an SVG file is a row; else the whole drawing is one.

    Returns:
        The rows in order, with all columns. Formats of ink (InkML, SVG, offsets in NumPy files and the like) have
        `strokes` (words of strokes, float64, y growing downward), `text` and `id`, both null where there is none.

    Raises:
        PenpalError: A file cannot be read, or has other columns than the first. A row of JSON that cannot be drawn is
            no error: a warning is logged, and its strokes are null where their type cannot hold them.
    """
    batches = []
    for source in (sources := open_sources(inputs, column, Options(each_path))):
        row = 0
        with source.file.unchanged():
            for batch in source.batches(batch_rows(MEMORY_MB, source)):
                for place, problem in batch.problems.items():
                    logger.warning("%s, row %d: %s", source.file.name, row + place, problem)
                row += len(batch.data)
                batches.append(batch.data)
    return pa.Table.from_batches(batches, sources[0].schema)
