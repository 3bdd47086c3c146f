"""A check that nothing else knows: its scores are in a job's output, its summary, a filter, the report and the page."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from helpers.arrow import column
from helpers.commands import run
from helpers.interruption import Stop, stop_after
from helpers.made_lines import scrawl
from penpal_fast import ArrowScorer, Outcome, PenpalError, QualityCheck, filter_dataset, score_dataset
from penpal_fast.checks.defaults import known_scores
from penpal_fast.jobs import parts
from penpal_fast.look.report.writing import write_report
from penpal_fast.look.sheet import Cell, drawn_sheet

TEXTS = ["", "abcde", "abcdefghij", None]


class Brevity:
    """Scores rows by how short their text is, down to 0 for ten letters, and counts the letters."""

    name = "brevity"
    description = "How short the text is."
    reads = ("text",)
    details = {"letters": pa.int32()}  # noqa: RUF012
    thresholds = {"brief": 0.25, "terse": 0.75}  # noqa: RUF012

    def __init__(self, most: int = 10) -> None:
        self.most = most

    @property
    def identity(self):
        return {"most": self.most}

    def prepare(self, schema):
        if schema.names.count("text") != 1:
            raise PenpalError("there is no column 'text'")

    def look(self, rows):
        lengths = np.array([np.nan if text is None else len(text) for text in rows.column("text").to_pylist()])
        problems = {int(row): "no text: the text is null" for row in np.flatnonzero(np.isnan(lengths))}
        scores = (1 - lengths / self.most).astype(np.float32)
        return Outcome(scores, problems, {"letters": pa.array(lengths, from_pandas=True).cast(pa.int32())})


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": column([scrawl(seed, 2, 9) for seed in range(4)]), "text": TEXTS}), path)
    return path


@pytest.fixture
def scored(lines, tmp_path):
    score_dataset(lines, tmp_path / "scored.parquet", checks=[QualityCheck(), Brevity()])
    return tmp_path / "scored.parquet"


@pytest.mark.parametrize("output", ["scored.parquet", "scored"])
def test_a_job_adds_its_columns_and_counts_its_scores(lines, tmp_path, output):
    summary = score_dataset(lines, tmp_path / output, checks=[Brevity()])
    table = pq.read_table(tmp_path / output)
    assert table.column_names == ["strokes", "text", "brevity", "brevity_error", "letters"]
    assert table["brevity"].to_pylist() == [1, 0.5, 0, None]
    assert table["brevity_error"].to_pylist() == [None, None, None, "no text: the text is null"]
    assert table["letters"].to_pylist() == [0, 5, 10, None]
    assert (summary.rows, summary.scored, summary.reasons) == (4, 3, {"no text": 1})
    assert summary.kept() == {"brief": pytest.approx(2 / 3), "terse": pytest.approx(1 / 3)}


def test_several_checks_have_a_summary_each(lines, tmp_path):
    summary = score_dataset(lines, tmp_path / "scored.parquet", checks=[QualityCheck(), Brevity()]).as_dict()
    assert list(summary["checks"]) == ["quality", "brevity"]
    assert summary["checks"]["brevity"]["bad"] == 1
    assert summary["bad"] == summary["checks"]["quality"]["bad"] == 0


def test_a_job_is_resumed_only_with_the_same_check(lines, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_ROWS", 2)
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", checks=[Brevity()], progress=stop_after(3))
    with pytest.raises(PenpalError, match="here: the check 'brevity': most was 10 and is now 20"):
        score_dataset(lines, tmp_path / "out", checks=[Brevity(20)], resume=True)
    with pytest.raises(PenpalError, match="the check 'quality' is new"):
        score_dataset(lines, tmp_path / "out", checks=[Brevity(), QualityCheck()], resume=True)
    assert score_dataset(lines, tmp_path / "out", checks=[Brevity()], resume=True).rows == 4


def test_a_filter_keeps_what_reaches_every_threshold(lines, scored, tmp_path):
    limits = {"quality": 0.0, "brevity": "brief"}
    selection = filter_dataset(scored, tmp_path / "kept.parquet", thresholds=limits, checks=[QualityCheck(), Brevity()])
    assert (selection.kept, selection.bad) == (2, 1)
    assert +selection.rejected == {"brevity below the threshold": 1, "no text": 1}
    again = filter_dataset(lines, tmp_path / "again.parquet", threshold="terse", checks=[Brevity()])
    assert again.kept == 1
    assert pq.read_table(tmp_path / "again.parquet")["brevity"].to_pylist() == [1]
    with pytest.raises(PenpalError, match="no score column 'brevity', and no check of this name"):
        filter_dataset(lines, tmp_path / "kept.parquet", thresholds={"brevity": 0.5})


def test_a_job_is_not_resumed_with_other_columns_or_order(lines, tmp_path, monkeypatch):
    class Narrow(Brevity):
        details = {"letters": pa.int16()}  # noqa: RUF012

    monkeypatch.setattr(parts, "PART_ROWS", 2)
    table = pq.read_table(lines)
    pq.write_table(table.append_column("ink", table["strokes"]), lines)

    def resumed(*checks):
        return score_dataset(lines, tmp_path / "out", checks=checks, resume=True)

    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", checks=[QualityCheck(), Brevity()], progress=stop_after(3))
    with pytest.raises(PenpalError, match="here: the checks are in another order"):
        resumed(Brevity(), QualityCheck())
    with pytest.raises(PenpalError, match="here: the check 'quality': it reads ink and no longer strokes"):
        resumed(QualityCheck(column="ink"), Brevity())
    with pytest.raises(PenpalError, match="here: the check 'brevity' changed"):
        resumed(QualityCheck(), Narrow())
    assert resumed(QualityCheck(), Brevity()).rows == 4


def test_a_filter_finds_thresholds_in_the_file(scored, tmp_path):
    selection = filter_dataset(scored, tmp_path / "kept.parquet", thresholds={"brevity": "brief"})
    assert (selection.kept, +selection.rejected) == (2, {"below the threshold": 1, "no text": 1})
    with pytest.raises(PenpalError, match="a number from 0 to 1 or one of brief"):
        filter_dataset(scored, tmp_path / "kept.parquet", thresholds={"brevity": "strict"})


def test_a_filter_makes_again_only_the_checks_it_has(scored, tmp_path):
    limits = {"quality": 0.0, "brevity": "brief"}
    assert filter_dataset(scored, tmp_path / "kept.parquet", thresholds=limits, rescore=True).kept == 2


@pytest.mark.parametrize("output", ["scored.parquet", "scored"])
def test_json_lines_that_cannot_be_read_are_bad_for_it_too(tmp_path, output):
    (tmp_path / "lines.jsonl").write_text('{"strokes": "ink", "text": "ab"}\n{"strokes": [[[0, 0]]], "text": ""}\n')
    summary = score_dataset(tmp_path / "lines.jsonl", tmp_path / output, checks=[Brevity()])
    assert (summary.rows, summary.scored, summary.reasons) == (2, 1, {"wrong type": 1})
    assert pq.read_table(tmp_path / output)["brevity"].to_pylist() == [None, 1]


def test_arrow_data_get_its_columns(lines):
    table = ArrowScorer(checks=[Brevity()])(pq.read_table(lines))
    assert table["letters"].to_pylist() == [0, 5, 10, None]


def test_columns_that_a_check_would_replace_are_refused():
    class Greedy(Brevity):
        details = {"text": pa.string()}  # noqa: RUF012

    with pytest.raises(PenpalError, match="cannot read the column 'text', which the checks write"):
        ArrowScorer(checks=[Greedy()])(pa.table({"text": ["a"]}))
    with pytest.raises(PenpalError, match="the checks add the same columns twice: brevity"):
        ArrowScorer(checks=[Brevity(), Brevity()])(pa.table({"text": ["a"]}))
    Greedy.details = {"brevity_error": pa.string()}
    with pytest.raises(PenpalError, match="the checks add the same columns twice: brevity_error; rename"):
        ArrowScorer(checks=[Greedy()])(pa.table({"text": ["a"]}))


def test_details_replace_only_columns_of_the_same_check(lines, scored, tmp_path):
    assert score_dataset(scored, tmp_path / "again.parquet", checks=[Brevity(20)]).rows == 4
    assert pq.read_table(tmp_path / "again.parquet").column_names[-3:] == ["brevity", "brevity_error", "letters"]
    pq.write_table(pq.read_table(lines).append_column("letters", pa.array(TEXTS)), lines)
    with pytest.raises(PenpalError, match=r"lines\.parquet: the check 'brevity' would replace the column 'letters'"):
        score_dataset(lines, tmp_path / "out.parquet", checks=[Brevity()])


def test_old_scores_are_known_beside_other_checks(lines):
    table = pq.read_table(lines).append_column("quality", pa.array([0.5] * 4))
    table = table.append_column("quality_error", pa.nulls(4, pa.string()))
    schema = ArrowScorer(checks=[Brevity()])(table).schema
    assert [column.name for column in known_scores(schema)] == ["quality", "brevity"]


@pytest.mark.parametrize("identity", [{"size": np.float32(1)}, {"size": float("nan")}, "v1", None])
def test_an_identity_that_is_no_json_is_refused(lines, tmp_path, identity):
    class Other(Brevity):
        pass

    Other.identity = identity
    with pytest.raises(PenpalError, match="the check 'brevity': identity must be"):
        score_dataset(lines, tmp_path / "out.parquet", checks=[Other()])


def test_thresholds_of_numpy_are_numbers(lines, tmp_path):
    class Other(Brevity):
        thresholds = {"half": np.float32(0.5)}  # noqa: RUF012

    score_dataset(lines, tmp_path / "out.parquet", checks=[Other()])
    (column,) = known_scores(pq.read_schema(tmp_path / "out.parquet"))
    assert column.thresholds == {"half": 0.5}
    assert filter_dataset(tmp_path / "out.parquet", tmp_path / "kept.parquet", thresholds={"brevity": "half"}).kept == 2


@pytest.mark.parametrize("error", [OSError("disk"), pa.ArrowInvalid("cast")])
def test_an_error_in_a_check_is_not_an_error_of_the_output(lines, tmp_path, error):
    class Broken(Brevity):
        def look(self, _rows):
            raise error

    with pytest.raises(PenpalError, match=rf"lines\.parquet: the check 'brevity': {error}"):
        score_dataset(lines, tmp_path / "out.parquet", checks=[Broken()])


def test_a_filter_needs_a_threshold_that_the_check_has(lines, scored, tmp_path):
    with pytest.raises(PenpalError, match=r"threshold for the check 'brevity': threshold= a number .* or 'brief' "):
        filter_dataset(scored, tmp_path / "kept.parquet", checks=[Brevity()])
    with pytest.raises(PenpalError, match=r"the check 'brevity': the threshold must be .*, got 'balanced'"):
        filter_dataset(scored, tmp_path / "kept.parquet", checks=[Brevity()], threshold="balanced")
    with pytest.raises(PenpalError, match="'text' is of type string, not of scores; name a column of scores"):
        filter_dataset(lines, tmp_path / "kept.parquet", thresholds={"text": 0.5})


def test_a_filter_refuses_a_name_of_different_thresholds(lines, tmp_path):
    class Other(Brevity):
        thresholds = {"brief": 0.5, "terse": 0.75}  # noqa: RUF012

    first, second, kept = (tmp_path / name for name in ("first.parquet", "second.parquet", "kept.parquet"))
    score_dataset(lines, first, checks=[Brevity()])
    score_dataset(lines, second, checks=[Other()])
    with pytest.raises(PenpalError, match=r"'brief' of 'brevity' is 0\.25 in .*first.* and 0\.5 in .*second"):
        filter_dataset([first, second], kept, thresholds={"brevity": "brief"})
    assert filter_dataset([first, second], kept, thresholds={"brevity": "terse"}).kept == 2
    assert filter_dataset([first, second], kept, thresholds={"brevity": 0.5}).kept == 4
    assert filter_dataset([first, second], kept, thresholds={"brevity": "brief"}, checks=[Other()]).kept == 4


def test_the_report_shows_its_counts_without_its_code(scored, tmp_path):
    done = run("report", scored, "-o", tmp_path / "report.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))
    assert [check["files"][0]["rows"] for check in data["checks"]] == [4, 4]
    kept = data["checks"][1]["files"][0]["kept"]
    assert (kept[0], kept[500], kept[501], kept[1000]) == (3, 2, 1, 1)
    assert "How short the text is." in page
    assert 'data-threshold="0.25"' in page
    assert "no text" in page


def test_a_report_on_another_check_does_not_speak_of_quality(lines, scored, tmp_path):
    score_dataset(lines, tmp_path / "brevity.parquet", checks=[Brevity()])
    pages = []
    for path in (tmp_path / "brevity.parquet", scored):
        write_report([path], tmp_path / "report.html", checks=[QualityCheck()])
        pages.append((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert ["<h1>Handwriting quality</h1>" in page for page in pages] == [False, True]
    assert [page.count("the picture that the network saw") for page in pages] == [0, 1]
    assert ['data-raster="' in page for page in pages] == [False, True]


def test_rows_without_strokes_have_scores_to_show(tmp_path):
    rows = [scrawl(1, 2, 9), None, []]
    pq.write_table(pa.table({"strokes": column(rows), "text": ["a", "ab", "abc"]}), tmp_path / "lines.parquet")
    for checks in ([Brevity()], [QualityCheck(), Brevity()]):
        score_dataset(tmp_path / "lines.parquet", tmp_path / "scored.parquet", checks=checks)
        for name, output in (("report", "report.html"), ("sheet", "sheet.png")):
            done = run(name, tmp_path / "scored.parquet", "-o", tmp_path / output)
            assert done.exit_code == 0, done.output
    write_report([tmp_path / "scored.parquet"], tmp_path / "report.html", checks=[QualityCheck()])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<p class="reason quiet">no points: ' in page
    assert '<p class="reason quiet">null: ' in page


def test_the_sheet_has_its_bands(lines, tmp_path):
    score_dataset(lines, tmp_path / "scored.parquet", checks=[Brevity()])
    done = run("sheet", tmp_path / "scored.parquet", "-o", tmp_path / "sheet.png")
    assert done.exit_code == 0, done.output
    cells = [Cell(row, score, scrawl(row, 2, 9), TEXTS[row]) for row, score in ((2, 0), (1, 0.5), (0, 1))]
    expected = drawn_sheet(cells, [1, 1, 1], 3, Brevity.thresholds)
    with Image.open(tmp_path / "sheet.png") as image:
        assert np.array_equal(np.asarray(image), np.asarray(expected))


def test_the_report_explains_only_by_checks_of_strokes(scored, tmp_path):
    write_report([scored], tmp_path / "report.html", checks=[QualityCheck(), Brevity()])
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("Each word, or each stroke") == 1


def test_the_page_refuses_checks_of_other_columns():
    pytest.importorskip("starlette", reason="the extra `look` is not installed")
    from penpal_fast.look.serve.app import Server

    with pytest.raises(PenpalError, match="has only strokes, but the check 'brevity' reads 'text'; leave it out"):
        Server([QualityCheck(), Brevity()])


def test_the_page_shows_its_scores():
    testclient = pytest.importorskip("starlette.testclient", reason="the extra `look` is not installed")
    from penpal_fast.look.serve.app import Server, application

    class Strokes(Brevity):
        name = "few_strokes"
        details = {}  # noqa: RUF012
        reads = ("strokes",)

        def prepare(self, schema):
            assert schema.names == ["strokes"]

        def look(self, rows):
            counts = np.array([sum(map(len, row or [])) for row in rows.column("strokes").to_pylist()])
            return Outcome((1 / (1 + counts)).astype(np.float32), {})

    server = Server([QualityCheck(), Strokes()])
    client = testclient.TestClient(application(server), base_url="http://127.0.0.1:8000")
    answer = client.post("/score", json={"rows": [scrawl(1, 3, 5), None]}).json()
    assert answer["checks"]["few_strokes"]["scores"][0] == 0.25
    assert answer["checks"]["few_strokes"]["errors"][1].startswith("null")
    looked = client.post("/look", json={"strokes": scrawl(1, 3, 5)}).json()["checks"]
    assert [check["name"] for check in looked] == ["quality", "few_strokes"]
    assert looked[1] == {"name": "few_strokes", "score": 0.25, "error": None}
