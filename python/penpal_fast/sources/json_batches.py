"""Lines of JSON to record batches, parsed by PyArrow or Python, whichever it must be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from penpal_fast.sources.batch import Batch
from penpal_fast.sources.json_arrow import ArrowParser
from penpal_fast.sources.json_rows import Line, Text, parsed_line, scalar_array, strokes_array


def parse_batch(texts: Sequence[Text], schema: pa.Schema, column: str, parser: ArrowParser) -> Batch:
    """Parse lines into rows of a schema in which the strokes are called `column`."""
    batches, left = parser.parse(texts, schema, column)
    if not left:
        return _mixed(batches, left, {})
    others = _parsed_by_python([texts[row] for row in left], schema, column)
    return _mixed([*batches, others.data], left, others.problems) if batches else others


def _parsed_by_python(texts: Sequence[Text], schema: pa.Schema, column: str) -> Batch:
    names = set(schema.names)
    lines = [_within_columns(parsed_line(number, text), names, number) for number, text in texts]
    problems = {row: line for row, line in enumerate(lines) if isinstance(line, str)}
    arrays = []
    for field in schema:
        values = [line.get(field.name) if isinstance(line, dict) else None for line in lines]
        if field.name == column:
            arrays.append(strokes_array(values, field.type, problems))
        else:
            arrays.append(scalar_array(values, field.type))
    return Batch(pa.RecordBatch.from_arrays(arrays, schema=schema), problems)


def _within_columns(line: Line, names: set[str], number: int) -> Line:
    """Refuse a line with a name that is no column, as there were too many when the columns were found."""
    if isinstance(line, str) or line.keys() <= names:
        return line
    return f"too many columns: line {number} has names beyond the first {len(names)}"


def _mixed(batches: Sequence[pa.RecordBatch], places: Sequence[int], problems: dict[int, str]) -> Batch:
    """Put rows into one batch: those of the last where `places` says, the rest around them."""
    table = pa.Table.from_batches(batches)
    if places:
        rest = np.delete(np.arange(len(table)), places)
        table = table.take(pa.array(np.argsort(np.concatenate([rest, places]), kind="stable")))
    (batch,) = table.combine_chunks().to_batches()
    return Batch(batch, {places[row]: text for row, text in problems.items()})
