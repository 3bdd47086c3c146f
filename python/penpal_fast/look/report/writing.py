"""Scored files in, a page out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penpal_fast.checks.check import Check, line_width_of
from penpal_fast.errors import PenpalError
from penpal_fast.extras import needs_extra
from penpal_fast.files import replaced_atomically
from penpal_fast.look.report.gallery import Line, gallery_lines, shortened
from penpal_fast.look.report.overview import TEXT_COLUMN, Overview
from penpal_fast.look.saliency import Score, scores_of
from penpal_fast.sources.scored_file import ScoredFile

if TYPE_CHECKING:
    from penpal_fast.look.report.page import CheckReport  # Imports the packages that draw the page.

GROUP_COLUMNS = ("source", "author", "writer", "style")
"""Columns that rows are grouped by, the first one that is there, unless another is named."""

MOST_FILES = 12

FULL_GALLERIES = 3
"""Of more files than this each gets fewer lines, so that the page does not grow with them."""

LONGEST_NAME = 80


def write_report(
    inputs: Sequence[Path],
    output: Path,
    *,
    checks: Sequence[Check],
    column: str = "strokes",
    group_column: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Write a page about scored files, side by side. Memory does not grow with the number of rows.

    Args:
        inputs: Files with the columns of one or more checks, as `score_dataset` writes them.
        output: HTML file to write; replaced if it is there. It needs no other file and no network.
        checks: Checks that explain which words lower the scores of the lowest rows, if the files have their scores.
        column: Name of the strokes column.
        group_column: Column to group rows by; by default the first of `GROUP_COLUMNS` that a file has.
        progress: Called with the rows done and the rows in all.

    Raises:
        PenpalError: A file cannot be read or written, has no scores or no such column, or the packages that draw the
            page are not installed.
    """
    with needs_extra("look"):
        from penpal_fast.look.report.page import page

    if not 1 <= len(inputs) <= MOST_FILES:
        raise PenpalError(f"a report is about 1 to {MOST_FILES} files, got {len(inputs)}")
    if any(path.resolve() == output.resolve() for path in inputs):
        raise PenpalError(f"{output}: the report would replace an input; choose another name")
    if len({path.resolve() for path in inputs}) < len(inputs):
        raise PenpalError("a file is named twice")
    files = [ScoredFile(path, column) for path in inputs]
    total = sum(file.rows for file in files)
    done = 0

    def advanced(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, total)

    with replaced_atomically(output) as aside:
        share = min(FULL_GALLERIES / len(files), 1)
        overviews = [_overviews(file, column, _group_column(file, group_column), share, advanced) for file in files]
        names = _names(inputs)
        reports = _check_reports(list(zip(files, names, overviews, strict=True)), checks, column)
        aside.write_text(page(list(zip(names, (file.rows for file in files), strict=True)), reports), encoding="utf-8")


def _overviews(
    file: ScoredFile, strokes: str, group_column: str | None, share: float, advanced: Callable[[int], None]
) -> list[Overview]:
    """Read a file once, and gather the figures of each of its columns of scores."""
    overviews = [Overview(column, group_column, share) for column in file.scores]
    has_text = file.has_texts(TEXT_COLUMN)
    for batch in file.batches():
        for overview in overviews:
            overview.add(batch, strokes, has_text)
        advanced(len(batch.rows))
    return overviews


def _check_reports(
    gathered: list[tuple[ScoredFile, str, list[Overview]]], checks: Sequence[Check], strokes: str
) -> list[CheckReport]:
    """Put the figures of a check in all files together, in the order in which the checks are met."""
    from penpal_fast.look.report.page import CheckReport, FileReport

    explaining = {check.name: scores_of(check, strokes) for check in checks}
    line_width = line_width_of(checks)
    reports: dict[str, CheckReport] = {}
    for file, name, overviews in gathered:
        for overview in overviews:
            score = explaining.get(overview.column.name)
            report = reports.setdefault(overview.column.name, CheckReport(overview.column, score is not None, []))
            report.files.append(FileReport(name, overview, _lines(file.path, overview, score, line_width)))
    return list(reports.values())


def _lines(path: Path, overview: Overview, score: Score | None, line_width: float) -> dict[str, list[Line]]:
    try:
        return {
            section.name: gallery_lines(
                overview.samples[section.name].rows(), score if section.explained else None, line_width
            )
            for section in overview.sections
        }
    except PenpalError as error:
        raise PenpalError(f"{path}: {error}") from error


def _group_column(file: ScoredFile, named: str | None) -> str | None:
    if named is not None and not file.has_texts(named):
        raise PenpalError(f"{file.path}: there is no column {named!r} of text or whole numbers to group rows by")
    return named or next((name for name in GROUP_COLUMNS if file.has_texts(name)), None)


def _names(paths: Sequence[Path]) -> list[str]:
    """Name files by their last part, with a number before it where two are alike."""
    names = [shortened(path.name, LONGEST_NAME) for path in paths]
    if len(set(names)) < len(names):
        return [f"{number}: {name}" for number, name in enumerate(names, 1)]
    return names
