"""What a report says about each check: the figures of every file, and the rows to show."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from penpal_fast.checks.check import Check, SeesPictures
from penpal_fast.checks.columns import ScoreColumn
from penpal_fast.checks.summary import Summary
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.look.effects import Explaining, explaining
from penpal_fast.look.report.comparison import Compare
from penpal_fast.look.report.gallery import GalleryRow, PairRow, gallery_rows, pair_rows
from penpal_fast.look.report.overview import Overview
from penpal_fast.look.report.pair import Pair


@dataclasses.dataclass(frozen=True)
class ReadFile:
    """A file that was read.

    Attributes:
        name: Its name in the report; no other file has the same.
        rows: Number of rows.
        overviews: Its figures, one overview for each column of scores.
        pair: Two of its scores together, if it has two.
    """

    name: str
    rows: int
    overviews: list[Overview]
    pair: Pair | None = None


@dataclasses.dataclass(frozen=True)
class FileReport:
    """What the report says about the scores of one check in one file.

    Attributes:
        name: The file's name in the report.
        overview: The figures.
        rows: The rows to show, by the name of their section.
    """

    name: str
    overview: Overview
    rows: dict[str, list[GalleryRow]]

    @property
    def is_scored(self) -> bool:
        """Whether any row has a score."""
        return self.overview.whole.summary.scored > 0

    @property
    def ranked_groups(self) -> list[tuple[str, Summary]]:
        """The groups, the highest median first."""
        groups = self.overview.groups.items()
        return sorted(groups, key=lambda item: item[1].quantiles().get("median", -1), reverse=True)

    @property
    def scored_elsewhere(self) -> bool:
        """Whether another model scored rows that should have been explained."""
        explained = [section.name for section in self.overview.sections if section.explained]
        return any(row.drawing and row.pulls is None for name in explained for row in self.rows[name])

    @property
    def matched_elsewhere(self) -> bool:
        """Whether rows that are compared with their texts have the match of another reader."""
        rows = [row for section in self.rows.values() for row in section]
        return any(row.comparison and row.comparison.is_of_another_reader(row.score) for row in rows)


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What the report says about the scores of one check, with the same thresholds in each file.

    Attributes:
        column: The scores.
        explained: Whether the report shows what lowers the lowest scores.
        pictured: Whether the check sees pictures, which the report shows.
        files: The files that have these scores, at least one.
    """

    column: ScoreColumn
    explained: bool
    pictured: bool
    files: list[FileReport]

    def compares(self, section: str) -> bool:
        """Whether rows of a section of the gallery are compared with their texts."""
        return any(row.comparison for file in self.files for row in file.rows[section])


@dataclasses.dataclass(frozen=True)
class FilePair:
    """What the report says about two scores of one file.

    Attributes:
        name: The file's name in the report.
        pair: The counts.
        spread: Rows from all over the map.
        wrong: Rows that look right and say something else.
    """

    name: str
    pair: Pair
    spread: list[PairRow]
    wrong: list[PairRow]

    @property
    def matched_elsewhere(self) -> bool:
        """Whether rows that are compared with their texts have the match of another reader."""
        rows = [*self.spread, *self.wrong]
        return any(row.comparison and row.comparison.is_of_another_reader(row.y) for row in rows)


@dataclasses.dataclass(frozen=True)
class PairReport:
    """What the report says about two scores together.

    Attributes:
        x: The score that grows to the right on the maps.
        y: The score that grows upward.
        files: The files that have both, at least one.
    """

    x: ScoreColumn
    y: ScoreColumn
    files: list[FilePair]

    @property
    def compared(self) -> bool:
        """Whether rows are compared with their texts."""
        return any(file.pair.compared for file in self.files)


def pair_reports(files: Sequence[ReadFile], compare: Compare) -> list[PairReport]:
    """Collect what the files say about two scores together, in the order in which the pairs appear.

    Args:
        files: The files of the report.
        compare: Compares rows with their texts.
    """
    reports: dict[tuple[str, str], PairReport] = {}
    for file in files:
        if (pair := file.pair) is not None:
            report = reports.setdefault((pair.x.name, pair.y.name), PairReport(pair.x, pair.y, []))
            chosen = compare if pair.compared else None
            spread = [row for sample in pair.spread for row in pair_rows(sample.rows(), chosen)]
            report.files.append(FilePair(file.name, pair, spread, pair_rows(pair.wrong.rows(), chosen)))
    return list(reports.values())


def check_reports(
    files: Sequence[ReadFile], checks: Sequence[Check], strokes: str, compare: Compare
) -> list[CheckReport]:
    """Collect what the files say about each check, in the order in which the checks appear.

    Args:
        files: The files of the report.
        checks: Checks that can explain scores.
        strokes: Name of the strokes column.
        compare: Compares rows with their texts, for the text match.
    """
    scorers = {check.name: explaining(check, strokes) for check in checks}
    line_widths = {check.name: check.line_width for check in checks if isinstance(check, SeesPictures)}
    reports: dict[tuple[str, frozenset[tuple[str, float]]], CheckReport] = {}
    for file in files:
        for overview in file.overviews:
            column = overview.column
            scorer, line_width = scorers.get(column.name), line_widths.get(column.name)
            chosen = compare if column.name == TextCheck.name else None
            report = reports.setdefault(
                (column.name, frozenset(column.thresholds.items())),
                CheckReport(column, scorer is not None, line_width is not None, []),
            )
            report.files.append(FileReport(file.name, overview, _rows(overview, scorer, line_width, chosen)))
    return list(reports.values())


def _rows(
    overview: Overview, scorer: Explaining | None, line_width: float | None, compare: Compare | None
) -> dict[str, list[GalleryRow]]:
    return {
        section.name: gallery_rows(
            overview.samples[section.name].rows(),
            scorer if section.explained else None,
            line_width,
            compare if section.explained else None,
        )
        for section in overview.sections
    }
