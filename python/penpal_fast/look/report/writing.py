"""From scored files to a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from penpal_fast.checks.check import Check
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.errors import PenpalError
from penpal_fast.extras import needs_extra
from penpal_fast.files import appears_whole, checked_target, errors_of_writing, reserved
from penpal_fast.look.captions import shortened
from penpal_fast.look.outputs import check_output
from penpal_fast.look.report.comparison import comparing
from penpal_fast.look.report.contents import ReadFile, check_reports, pair_reports
from penpal_fast.look.report.overview import Overview
from penpal_fast.look.report.pair import Pair, paired
from penpal_fast.look.report.shown import Columns, columns_of
from penpal_fast.look.scored_file import ScoredFile
from penpal_fast.progress import Progress, no_progress
from penpal_fast.reading.reader import default_reader

GROUP_COLUMNS = ("source", "author", "writer", "style")
"""Columns to group rows by, unless one is named; the first that a file has is used."""

MAX_FILES = 12

FULL_GALLERIES = 3
"""Up to this number of files, each gets a full gallery; with more files, the galleries shrink to the same total."""

LONGEST_NAME = 80


def write_report(
    inputs: Sequence[Path],
    output: Path,
    *,
    checks: Sequence[Check],
    column: str = "strokes",
    group_column: str | None = None,
    text: str | None = None,
    drop_first_point: bool = False,
    layout: str | None = None,
    progress: Progress = no_progress,
) -> None:
    """Write one HTML page that shows scored files side by side. Memory does not grow with the number of rows.

    Args:
        inputs: Files with the columns of one or more checks, as `score_dataset` writes them.
        output: HTML file to write; an existing file is replaced. The page needs no other file and no internet
            connection.
        checks: Checks that explain the lowest scores, for files that have their scores. A `TextCheck` among them
            gives the reader that compares rows with their texts.
        column: Name of the strokes column.
        group_column: Column to group rows by; by default the first of `GROUP_COLUMNS` that a file has.
        text: Name of the column of texts that rows are compared with. Files that lack scores of the checks, or the text
            match, are scored as they are read. By default nothing is scored, and the texts are those that the text
            match of a file was made with.
        drop_first_point: Draw rows, and score those that are scored as they are read, as `without_first_points` returns
            them.
        layout: Name of the layout of the strokes, if it is known.
        progress: Called with the number of rows read and the number of all rows.

    Raises:
        PenpalError: A file cannot be read or written, has no scores or no such column, or the packages that draw the
            page are not installed or cannot work.
    """
    if sys.flags.optimize > 1:
        raise PenpalError("Vega-Altair cannot draw a report under python -OO (PYTHONOPTIMIZE=2); use -O at most")
    with needs_extra("look"):
        from penpal_fast.look.report.chart_library import being_built
        from penpal_fast.look.report.page import page

    if not 1 <= len(inputs) <= MAX_FILES:
        raise PenpalError(f"a report takes 1 to {MAX_FILES} files, got {len(inputs)}")
    check_output(output, inputs)
    if len({os.path.realpath(path) for path in inputs}) < len(inputs):
        raise PenpalError("the same file is given twice; name each file once")
    text_check = next((check for check in checks if isinstance(check, TextCheck)), None)
    scoring = [] if text is None else _with_text_check(checks, text_check, text, column)
    files = [ScoredFile(path, column, scoring, drop_first_point=drop_first_point, layout=layout) for path in inputs]
    total = sum(file.rows for file in files)
    done = 0

    def advanced(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, total)

    share = min(FULL_GALLERIES / len(files), 1)
    target = checked_target(output)
    with reserved(target) as aside, being_built():
        read = [
            _read(file, name, columns_of(file, column, text), _group_column(file, group_column), share, advanced)
            for file, name in zip(files, _names(inputs), strict=True)
        ]
        compare = comparing(default_reader if text_check is None else lambda: text_check.reader)
        written = page(read, check_reports(read, checks, column, compare), pair_reports(read, compare))
        with errors_of_writing(output), appears_whole(target, aside):
            aside.write_text(written, encoding="utf-8")


def _read(
    file: ScoredFile,
    name: str,
    columns: Columns,
    group_column: str | None,
    share: float,
    advanced: Callable[[int], None],
) -> ReadFile:
    """Read a file once, and collect the figures of each of its columns of scores, and of two of them together."""
    overviews = [Overview(column, group_column, share) for column in file.scores]
    both = paired(file.scores)
    pair = Pair(*both, share, has_texts=columns.text is not None) if both else None
    for batch in file.batches():
        shown = columns.shown(batch)
        for overview in overviews:
            overview.add(batch, shown)
        if pair:
            pair.add(batch, shown)
        advanced(len(batch.rows))
    return ReadFile(name, file.rows, overviews, pair)


def _with_text_check(checks: Sequence[Check], given: TextCheck | None, text: str, column: str) -> list[Check]:
    """Return the checks, with one that compares rows with the column `text`."""
    if given is None:
        return [*checks, TextCheck(text, column=column)]
    if given.reads == (column, text):
        return list(checks)
    others = [check for check in checks if check is not given]
    return [*others, TextCheck(text, column=column, reader=given.reader)]


def _group_column(file: ScoredFile, named: str | None) -> str | None:
    if named is not None and not file.has_texts(named):
        usable = file.names_of_texts()
        raise PenpalError(
            f"{file.path}: there is no column {named!r} of text or integers to group rows by; "
            + (f"columns that could be: {usable[:20]}" if usable else "no column is of text or integers")
        )
    return named or next((name for name in GROUP_COLUMNS if file.has_texts(name)), None)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the last part of each path, numbered if two are the same."""
    names = [shortened(path.name, LONGEST_NAME) for path in paths]
    if len(set(names)) < len(names):
        return [f"{number}: {name}" for number, name in enumerate(names, 1)]
    return names
