"""Scoring files into one Parquet file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.bulk.sources import PARQUET_SUFFIXES, open_source
from penpal_fast.bulk.summary import Summary
from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.scoring import SCORE_COLUMNS, Scorer, Scores, scored_schema, with_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from penpal_fast.bulk.batch import Batch, Source

BATCH_ROWS = 512
"""Rows that are read and scored at a time."""

ROW_GROUP_ROWS = 8192
"""Rows of a row group of the output: some 40 MB of strokes before compression."""


def score_files(
    inputs: Sequence[Path],
    output: Path,
    *,
    scorer: Scorer,
    column: str = "strokes",
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Summary:
    """Score files into one Parquet file, which appears when it is complete.

    All columns, the order of the rows and the schema's metadata are kept; the columns `quality` and `quality_error` are
    added or replaced. A bad row has a null quality. Memory does not grow with the number of rows.

    Args:
        inputs: Parquet files or JSON lines with the same columns.
        output: Parquet file to write; replaced if it is there.
        scorer: Scores the rows.
        column: Name of the strokes column.
        progress: Called with the rows done and the rows in all.

    Raises:
        PenpalError: A file cannot be read or written, or the files have different columns.
    """
    if not inputs:
        raise PenpalError("no input files")
    if not output.name.lower().endswith(PARQUET_SUFFIXES):
        raise PenpalError(f"{output}: the output is a Parquet file; its name must end with one of {PARQUET_SUFFIXES}")
    if any(path.resolve() == output.resolve() for path in inputs):
        raise PenpalError(f"{output}: the output would replace an input; choose another name")
    sources = [open_source(path, column) for path in inputs]
    for source in sources[1:]:
        if not source.schema.equals(sources[0].schema):
            raise PenpalError(
                f"{source.path} and {sources[0].path} have different columns:\n{source.schema.remove_metadata()}\n"
                f"against\n{sources[0].schema.remove_metadata()}"
            )
    total = sum(source.rows for source in sources)
    summary = Summary()
    try:
        with (
            replaced_atomically(output) as path,
            pq.ParquetWriter(path, _output_schema(sources[0].schema), compression="zstd") as writer,
        ):
            _score_sources(sources, writer, summary, scorer, column, lambda: progress(summary.rows, total))
    except (OSError, pa.ArrowException) as error:
        raise PenpalError(f"{output}: cannot write it: {error}") from error
    return summary


def _score_sources(
    sources: Sequence[Source],
    writer: pq.ParquetWriter,
    summary: Summary,
    scorer: Scorer,
    column: str,
    progress: Callable[[], None],
) -> None:
    waiting: list[pa.RecordBatch] = []

    def write() -> None:
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting).cast(writer.schema), row_group_size=ROW_GROUP_ROWS)
            waiting.clear()

    for source in sources:
        for batch in source.batches(BATCH_ROWS):
            scores = _scores(batch, scorer, column, source)
            summary.add(scores.quality, scores.problems.values())
            waiting.append(with_scores(batch.data, scores))
            if sum(map(len, waiting)) >= ROW_GROUP_ROWS:
                write()
            progress()
    write()


def _scores(batch: Batch, scorer: Scorer, column: str, source: Source) -> Scores:
    try:
        scores = scorer.score_column(batch.data.column(column))
    except PenpalError as error:
        raise PenpalError(f"{source.path}: column {column!r}: {error}") from error
    return Scores(scores.quality, {**scores.problems, **batch.problems})


def _output_schema(schema: pa.Schema) -> pa.Schema:
    """Return the input's schema with the score columns, in the Hugging Face features too where there are any."""
    schema = scored_schema(schema)
    metadata = dict(schema.metadata or {})
    try:
        described = json.loads(metadata[b"huggingface"])
        for name, kind in SCORE_COLUMNS.items():
            described["info"]["features"][name] = {
                "dtype": "float32" if kind == pa.float32() else "string",
                "_type": "Value",
            }
    except (KeyError, TypeError, ValueError, AttributeError):
        return schema
    return schema.with_metadata({**metadata, b"huggingface": json.dumps(described).encode()})
