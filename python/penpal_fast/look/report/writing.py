"""Scored files in, a page out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from penpal_fast.checks.quality import Scorer
from penpal_fast.errors import PenpalError
from penpal_fast.extras import needs_extra
from penpal_fast.files import replaced_atomically
from penpal_fast.look.report.gallery import Line, gallery_lines, shortened
from penpal_fast.look.report.overview import TEXT_COLUMN, Overview
from penpal_fast.look.report.sections import SECTIONS
from penpal_fast.sources.scored_file import ScoredFile

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
    scorer: Scorer,
    column: str = "strokes",
    group_column: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Write a page about scored files, side by side. Memory does not grow with the number of rows.

    Args:
        inputs: Files with the column `quality`, as `score_dataset` writes them.
        output: HTML file to write; replaced if it is there. It needs no other file and no network.
        scorer: Finds which words lower the score of the lowest rows; the model that scored the files.
        column: Name of the strokes column.
        group_column: Column to group rows by; by default the first of `GROUP_COLUMNS` that a file has.
        progress: Called with the rows done and the rows in all.

    Raises:
        PenpalError: A file cannot be read or written, has no scores or no such column, or the packages that draw the
            page are not installed.
    """
    with needs_extra("look"):
        from penpal_fast.look.report.page import FileReport, page

    if not 1 <= len(inputs) <= MOST_FILES:
        raise PenpalError(f"a report is about 1 to {MOST_FILES} files, got {len(inputs)}")
    if any(path.resolve() == output.resolve() for path in inputs):
        raise PenpalError(f"{output}: the report would replace an input; choose another name")
    if len({path.resolve() for path in inputs}) < len(inputs):
        raise PenpalError("a file is named twice")
    files = [ScoredFile(path, column) for path in inputs]
    total = sum(file.rows for file in files)
    done = 0

    def gathered(file: ScoredFile) -> Overview:
        nonlocal done
        overview = Overview(_group_column(file, group_column), min(FULL_GALLERIES / len(files), 1))
        has_text = file.has_texts(TEXT_COLUMN)
        for batch in file.batches():
            overview.add(batch, column, has_text)
            done += len(batch.quality)
            progress(done, total)
        return overview

    with replaced_atomically(output) as aside:
        overviews = [gathered(file) for file in files]
        reports = [
            FileReport(name, overview, _lines(file.path, overview, scorer))
            for file, name, overview in zip(files, _names(inputs), overviews, strict=True)
        ]
        aside.write_text(page(reports), encoding="utf-8")


def _lines(path: Path, overview: Overview, scorer: Scorer) -> dict[str, list[Line]]:
    try:
        return {
            section.name: gallery_lines(overview.samples[section.name].rows(), scorer, explained=section.explained)
            for section in SECTIONS
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
