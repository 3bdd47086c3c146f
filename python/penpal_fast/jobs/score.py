"""What is asked of a job that scores files into one file, standard output or a folder of parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import check_added, check_read, checked_schema, prepare
from penpal_fast.checks.defaults import ReaderChoice, default_checks
from penpal_fast.checks.quality import Scorer
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.files import checked_folder, checked_target
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.jobs.json_rows import check_names
from penpal_fast.jobs.outputs import ANY_KIND, Kind, StdoutFormat, check_stdout, output_kind
from penpal_fast.jobs.row_files import has_lines
from penpal_fast.jobs.score_job import ScoreJob
from penpal_fast.jobs.scoring import opened_for
from penpal_fast.jobs.summary import JobSummary
from penpal_fast.progress import Progress, Reports
from penpal_fast.sources.apart import check_apart
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, check_memory
from penpal_fast.sources.streams import open_sources


def score_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    scorer: Scorer | None = None,
    column: str = "strokes",
    text: str | None = None,
    reading: bool = False,
    reader: ReaderChoice = None,
    drop_first_point: bool = False,
    layout: str | None = None,
    checks: Sequence[Check] | None = None,
    quality_column: str | None = None,
    resume: bool = False,
    stdout_format: StdoutFormat | None = None,
    memory_mb: int = MEMORY_MB,
    progress: Progress | None = None,
) -> JobSummary:
    """Score files into a Parquet file, JSON lines, standard output or a folder of parts.

    Reading, scoring and writing run at the same time.

    All columns, the order of the rows and the schema's metadata are kept. The columns of the checks, by default
    `quality`, `quality_error` and `quality_note`, are added, or replaced if the inputs have them. With `text`,
    `text_match` and `text_match_error` are added too; without, a column `text` is not looked at. A bad row has a null
    score.

    Memory grows with the number of files, not of rows.

    Except to standard output, the job is done in parts, which are kept if it is interrupted: in the output folder, or
    in a folder beside the output file until all are finished. A run of the same job with `resume` then does only what
    is missing; its output is byte-identical to that of a job without interruption.

    Args:
        inputs: Files of any format in docs/data.md, folders and globs of them, addresses
            (`hf://datasets/OWNER/NAME/...`, `https://`, `s3://`) and "-" for standard input, all with the same columns.
        output: For one file, a name that ends with .parquet or .pq, or for JSON lines with .jsonl or .ndjson, with or
            without .gz or .zst; the file is overwritten once the new one is complete. "-" is standard output. A name
            without such an ending is a folder of parts with a manifest.
        scorer: Scores the rows; None for `Scorer()`.
        column: Name of the strokes column.
        text: Name of the column of texts that the rows should say; None to compare none.
        reading: Also add what the rows seem to say and how surely, as `reading` and `readability`; without `text` also
            `readability_error`.
        reader: A `Reader`, or what it takes; None for the reader in this package.
        drop_first_point: Score rows as `without_first_points` returns them; the strokes column stays as it is.
        layout: Name of the layout of the strokes, such as "offsets", if it should not be told from the type and the
            first rows; see docs/data.md.
        checks: Checks in place of those that `scorer`, `text`, `reading` and `reader` ask for.
        quality_column: Name of the column of scores, in place of `quality`; `NAME_error` and `NAME_note` are beside it.
        resume: Resume an interrupted job; if there is none, start a new one. Standard output cannot be resumed.
        stdout_format: What to write to standard output: "arrow", a stream of Arrow IPC, which is the default, or
            "jsonl".
        memory_mb: Approximate limit on the memory of the rows that are read ahead, in megabytes, by their average size.
            The program, decoding and the row group that is encoded need memory besides.
        progress: Called with the number of finished rows and of all rows. What it raises ends the job.

    Returns:
        Counts, bad rows by reason, quantiles.

    Raises:
        PenpalError: A file cannot be read or written or changes meanwhile, the files have different columns, no row of
            a file can be scored, the output's name is of another kind of file, or the job to resume was started with
            another input, model, version or setting.
    """
    kind = output_kind(output, ANY_KIND)
    form = check_stdout(stdout_format, kind, resume=resume)
    check_memory(memory_mb)
    checks = default_checks(
        checks,
        scorer=scorer,
        column=column,
        text=text,
        reading=reading,
        reader=reader,
        drop_first_point=drop_first_point,
        quality_column=quality_column,
    )
    check_added(checks)
    check_read(checks)
    sources = open_sources(inputs, column, Options(layout=layout))
    opened = opened_for(checks, sources, column, layout)
    with errors_about(sources[0].file.name):
        prepare(checks, opened[0].schema)
        if has_lines(kind, form):
            check_names(checked_schema(sources[0].schema, checks))
    target = Path(output)
    if kind is not Kind.STREAM:
        check_apart(sources, inputs, target)
    with Reports(progress) as report:
        job = ScoreJob(opened, checks, column, memory_mb, report)
        return _done(job, kind, target, form, resume=resume)


def _done(job: ScoreJob, kind: Kind, target: Path, form: StdoutFormat, *, resume: bool) -> JobSummary:
    """Do a job in the way that its output asks for."""
    try:
        if kind is Kind.STREAM:
            return job.into_stream(form)
        if kind is Kind.PARQUET:
            return job.into_file(checked_target(target), resume=resume)
        if kind is Kind.JSON_LINES:
            return job.into_json_lines(checked_target(target), resume=resume)
        return job.into_folder(checked_folder(target), resume=resume)
    except BrokenPipeError:
        raise  # Whoever read standard output has enough.
    except (OSError, pa.ArrowException) as error:
        raise_if_from_handler(error)
        raise PenpalError(f"{target}: cannot write it: {error}") from error
