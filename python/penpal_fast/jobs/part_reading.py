"""Reading the rows of parts, in order."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.jobs.parts import Part
from penpal_fast.jobs.pipeline import Stopwatch
from penpal_fast.sources.batch import Batch, Source
from penpal_fast.sources.memory import batch_rows


def part_rows(
    parts: Sequence[Part],
    sources: Sequence[Source],
    memory_mb: int,
    stopwatch: Stopwatch,
    columns: list[str] | None = None,
) -> Generator[tuple[Part, Batch], None, None]:
    """Yield the rows of parts in batches, each within one part; the time counts as "reading".

    With `columns`, only these are needed; a source may read more.
    """
    for run in _runs(parts):
        source = sources[run[0].source]
        # Copied columns are decoded too, to detect damage.
        batches = source.batches(batch_rows(memory_mb, source), start=run[0].start, columns=columns)
        yield from _cut(stopwatch.timed(batches, "reading"), run, source)


def _runs(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Group parts that can be read in one go: neighbouring parts of one source."""
    run: list[Part] = []
    for part in parts:
        if run and (run[-1].source, run[-1].stop) != (part.source, part.start):
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _cut(batches: Iterator[Batch], run: list[Part], source: Source) -> Iterator[tuple[Part, Batch]]:
    """Cut the batches of a run at the ends of its parts."""
    if run[0].rows == 0:
        yield run[0], Batch(pa.RecordBatch.from_pylist([], source.schema))
        return
    number, row = 0, run[0].start
    for batch in batches:
        start = 0
        while start < len(batch.data):
            part = run[number]
            stop = min(start + part.stop - row, len(batch.data))
            yield part, batch.cut(start, stop)
            row += stop - start
            start = stop
            number += row == part.stop
            if number == len(run):
                return
    raise PenpalError(
        f"{source.file.name}: the file ended before row {run[number].stop}; it may have been changed while it was read"
    )
