"""The figures of a model card."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import penpal_fast
from helpers.commands import said
from penpal_fast.cli import app
from penpal_fast.evaluation import sets
from penpal_fast.evaluation.figures import area_under_curve, kept, rank_correlation, threshold_that_keeps


def test_area_under_curve_counts_ties_half():
    assert area_under_curve(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875


def test_a_threshold_keeps_the_share_asked_for():
    scores = np.random.default_rng(1).random(1000)
    for share in (0.03, 0.138, 0.95):
        assert kept(scores, threshold_that_keeps(scores, share)) == pytest.approx(share, abs=0.001)


def test_rank_correlation_is_spearmans():
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 100.0, 1000.0])) == pytest.approx(1)
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-1)
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    assert rank_correlation(np.array([0.0, 5.0, 5.0, 9.0]), np.arange(4.0)) == pytest.approx(np.sqrt(0.9))


@pytest.fixture
def files(example_file, tmp_path, monkeypatch):
    """Arguments of the command for the example lines; there is little junk, so that it is soon measured."""
    monkeypatch.setattr(sets, "JUNK_ROWS", 20)
    table = pq.read_table(example_file)
    clean = pc.is_null(table["corruption"])
    found = {"real": clean, "clean": clean, "corrupted": pc.invert(clean)}
    arguments = []
    for name, chosen in found.items():
        pq.write_table(table.filter(chosen), tmp_path / f"{name}.parquet")
        arguments += [f"--{name}", str(tmp_path / f"{name}.parquet")]
    return arguments


def test_the_command_measures_and_writes(files, tmp_path, example_file):
    result = CliRunner().invoke(app, ["evaluate", *files, "-o", str(tmp_path / "card")])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "card/evaluation.json").read_text())
    for name in ("evaluation.md", "reader.md"):
        text = (tmp_path / "card" / name).read_text()
        assert text.strip() in result.output.strip() or text.splitlines()[2] in result.output
    for name in ("real", "real_short", "clean", "corrupted", "junk"):
        assert (tmp_path / f"card/{name}.png").read_bytes().startswith(b"\x89PNG")

    table = pq.read_table(example_file)
    scores = penpal_fast.score(table)
    clean = np.array([kind is None for kind in table["corruption"].to_pylist()])
    assert figures["scores"]["clean"]["rows"] == clean.sum()
    assert figures["scores"]["clean"]["kept_0.5"] == pytest.approx((scores[clean] >= 0.5).mean(), abs=1e-4)
    assert figures["scores"]["corrupted"]["median"] == pytest.approx(np.median(scores[~clean]), abs=0.01)
    assert figures["auc"]["clean / corrupted"] == pytest.approx(
        area_under_curve(scores[clean], scores[~clean]), abs=1e-4
    )
    assert figures["auc"]["real / clean"] == 0.5
    kinds = {kind for kind in table["corruption"].to_pylist() if kind}
    assert set(figures["auc_clean_by_corruption"]) == kinds >= {"very_mild", "mild", "gibberish"}
    below = figures["junk_below_lenient"]
    assert set(below["unseen"]) == {"bars", "plotted"}
    assert all(0 <= share <= 1 for kinds in below.values() for share in kinds.values())


def test_held_out_lines_come_from_validation_forms(files, tmp_path):
    real = tmp_path / "real.parquet"
    table = pq.read_table(real)
    sources = pa.array([f"{chr(97 + row % 26)}00-{row}" for row in range(table.num_rows)])
    pq.write_table(table.append_column("file", sources), real)
    whole = CliRunner().invoke(app, ["evaluate", *files, "-o", str(tmp_path / "whole")])
    held = CliRunner().invoke(app, ["evaluate", *files, "--held-out", "-o", str(tmp_path / "held")])
    assert whole.exit_code == held.exit_code == 0
    rows = [
        json.loads((tmp_path / name / "evaluation.json").read_text())["scores"]["real"]["rows"]
        for name in ("whole", "held")
    ]
    assert 0 < rows[1] < rows[0] == table.num_rows


def test_files_are_measured_under_their_names(files, tmp_path, example_file):
    arguments = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        copy = tmp_path / folder / "lines.parquet"
        copy.write_bytes(example_file.read_bytes())
        arguments += ["--also", str(copy)]
    result = CliRunner().invoke(app, ["evaluate", *files, *arguments])
    assert result.exit_code == 2
    assert "have one name; rename one" in said(result)


def test_a_file_without_strokes_is_refused(files, tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "real.parquet")
    result = CliRunner().invoke(app, ["evaluate", *files])
    assert result.exit_code == 1
    assert (
        "real.parquet: cannot read it as Parquet with a column 'strokes' in the penpal schema"
        in result.output.replace("\n", "")
    )


def test_two_columns_of_a_name_are_refused(files, tmp_path):
    table = pq.read_table(tmp_path / "real.parquet")
    pq.write_table(table.append_column("text", table["text"]), tmp_path / "real.parquet")
    result = CliRunner().invoke(app, ["evaluate", *files])
    assert result.exit_code == 1
    assert "real.parquet: it has several columns 'text'; leave one" in " ".join(result.output.split())


def test_the_figures_equal_the_reports(files, tmp_path):
    assert CliRunner().invoke(app, ["evaluate", *files, "-o", str(tmp_path / "card")]).exit_code == 0
    figures = json.loads((tmp_path / "card/evaluation.json").read_text())["scores"]
    for name in ("clean", "corrupted"):
        scored = str(tmp_path / f"scored_{name}.parquet")
        assert CliRunner().invoke(app, ["score", str(tmp_path / f"{name}.parquet"), "-o", scored]).exit_code == 0
        assert CliRunner().invoke(app, ["report", scored, "-o", str(tmp_path / "report.html")]).exit_code == 0
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        head, body = re.search(
            r'id="figures-[^"]*".*?<thead>(.*?)</thead>.*?<tbody>(.*?)</tbody>', page, re.DOTALL
        ).groups()
        columns = re.findall(r'<th scope="col">(.*?)</th>', head)[1:]
        found = dict(zip(columns, re.findall(r"<td>(.*?)</td>", body), strict=True))
        one = figures[name]
        assert found["scored"] == str(one["rows"])
        for column in ("mean", "p10", "median", "p90"):
            assert float(found[column]) == pytest.approx(one[column], abs=0.00051)
        for column in ("0.3 lenient", "0.5 balanced", "0.7 strict"):
            share = one[f"kept_{column.split()[0]}"]
            assert float(found[column].rstrip("%")) / 100 == pytest.approx(share, abs=0.00051)
