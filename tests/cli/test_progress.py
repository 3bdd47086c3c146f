"""What a command says while it works, where there is no terminal."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast.cli import progress
from penpal_fast.cli.progress import Lines, progress_bar, stage_bars


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass as the test says."""
    seconds = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def test_a_line_a_minute_with_the_rate_since_the_line_before(clock, capsys):
    with progress_bar("scoring") as report:
        report(50_000, 200_000)  # Done by an earlier run.
        for done in (60_000, 80_000, 110_000, 200_000):
            clock[0] += 40
            report(done, 200_000)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "scoring: 80,000 of 200,000 rows (40%), 375 rows/s",
        "scoring: 200,000 of 200,000 rows (100%), 1,500 rows/s",
    ]


def test_nothing_of_short_or_quiet_work(clock, capsys):
    with progress_bar("scoring") as report:
        report(1, 9)
        clock[0] += 59
        report(9, 9)
    with progress_bar("scoring", shown=False) as report:
        report(1, 9)
        clock[0] += 600
        report(9, 9)
    assert capsys.readouterr() == ("", "")


def test_an_unknown_total_and_no_progress(clock, capsys):
    lines = Lines("reading", "rows")
    for done in (0, 0, 70, 70):
        lines.report(done, 0)
        clock[0] += 70
    assert capsys.readouterr().err == "reading: 70 rows, 0.5 rows/s\n"


def test_each_stage_has_its_lines(clock, capsys):
    with stage_bars() as report:
        for what in ("making clean", "training"):
            report(what, 0, 640)
            clock[0] += 64
            report(what, 320, 640)
    assert capsys.readouterr().err == "making clean: 50%\ntraining: 50%\n"


def test_rows_that_are_read_several_times_are_no_number_of_rows(clock, capsys):
    with progress_bar("filtering", passes=True) as report:
        report(0, 300)
        clock[0] += 60
        report(200, 300)
    assert capsys.readouterr().err == "filtering: 67%\n"


@pytest.mark.parametrize("error", [BrokenPipeError, OSError(28, "No space left on device"), ValueError])
def test_a_log_that_cannot_be_written_to_stops_no_job(clock, monkeypatch, error):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(progress, "say", fail)
    with progress_bar("scoring") as report:
        for done in range(3):
            report(done, 3)
            clock[0] += 60


def test_stderr_may_be_closed(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    with progress_bar("scoring") as report, stage_bars() as report_stage:
        report(1, 2)
        report_stage("training", 1, 2)


def test_a_job_prints_it_beside_what_it_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    for name in ("one", "two"):
        pq.write_table(pa.table({"strokes": column([scrawl(1, 2, 9)] * 40)}), tmp_path / f"{name}.parquet")
    result = run("score", tmp_path / "one.parquet", tmp_path / "two.parquet", "-o", "-", "--format", "jsonl")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 80
    assert "scoring: 80 of 80 rows (100%)" in result.stderr
