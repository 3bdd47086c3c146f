"""Reports: figures, groups, samples, and no text of a file that becomes markup."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import penpal_fast
from helpers.commands import run
from helpers.scored_lines import HOSTILE, scored_table
from penpal_fast import PenpalError, QualityCheck
from penpal_fast.checks.columns import CHECKS_KEY, NO_REASON, checked_schema
from penpal_fast.checks.summary import Summary
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.look.report.chart_library import chart_library
from penpal_fast.look.report.charts import group_chart, histogram, kept_curves
from penpal_fast.look.report.distribution import STEPS, Distribution
from penpal_fast.look.report.overview import LAST_LENGTH, MAX_GROUPS, NO_GROUP, OTHER_GROUPS, Overview
from penpal_fast.look.report.samples import Sample
from penpal_fast.look.report.sections import sections_of
from penpal_fast.look.report.shown import columns_of
from penpal_fast.look.report.writing import MAX_FILES, write_report
from penpal_fast.look.scored_file import ScoredFile
from penpal_fast.sources.memory import BATCH_ROWS

NAN = float("nan")
SCORES = arrays.arrays(np.float32, st.integers(0, 60), elements=st.floats(0, 1, width=32) | st.just(NAN))


@given(SCORES, SCORES)
def test_every_step_keeps_the_rows_at_or_above_it(one, other):
    distribution = Distribution()
    distribution.add(one, [])
    distribution.add(other, [])
    both = np.concatenate([one, other])
    expected = [int((both >= np.float32(step / STEPS)).sum()) for step in range(STEPS + 1)]
    assert distribution.kept().tolist() == expected
    assert distribution.counts().sum() == distribution.summary.scored


def test_steps_and_thresholds_keep_the_same_rows():
    thresholds = np.array(list(THRESHOLDS.values()), np.float32)
    quality = np.concatenate([thresholds, np.nextafter(thresholds, np.float32(0))])
    distribution = Distribution()
    distribution.add(quality, [])
    for name, share in distribution.summary.kept().items():
        assert distribution.kept()[round(THRESHOLDS[name] * STEPS)] == share * len(quality)


@given(st.lists(SCORES, max_size=5), st.integers(1, 9))
def test_a_sample_has_the_smallest_keys(batches, size):
    sample = Sample(size)
    row = 0
    for keys in batches:
        rows = pa.RecordBatch.from_pydict({"row": np.arange(row, row + len(keys))})
        sample.offer(keys.astype(np.float64), rows)
        row += len(keys)
    every = np.concatenate([np.empty(0), *batches])
    expected = [int(row) for row in np.argsort(every, kind="stable") if not np.isnan(every[row])][:size]
    assert (sample.rows()["row"].to_pylist() if sample.rows() else []) == expected


def overview_of(path, group_column=None):
    file = ScoredFile(path)
    overview = Overview(file.scores[0], group_column, 1)
    columns = columns_of(file, "strokes", None)
    for batch in file.batches():
        overview.add(batch, columns.shown(batch))
    return overview


def test_an_overview_over_several_batches(tmp_path):
    rows = 2 * BATCH_ROWS + 100
    quality = np.random.default_rng(3).uniform(size=rows)
    quality[[5, BATCH_ROWS + 1]] = NAN
    texts = ["x" * (row % 130) for row in range(rows)]
    authors = [None if row % 10 == 0 else f"author {row % 3}" for row in range(rows)]
    pq.write_table(scored_table(quality, text=texts, author=authors), tmp_path / "scored.parquet")
    overview = overview_of(tmp_path / "scored.parquet", "author")

    expected = Summary()
    expected.add(quality.astype(np.float32), ["null: the row is null"] * 2)
    assert overview.whole.summary.quantiles() == expected.quantiles()
    assert overview.whole.summary.kept() == expected.kept()
    assert overview.whole.summary.reasons == {"null": 2}
    assert overview.bad_rows == {"null": [5, BATCH_ROWS + 1]}

    assert {name: summary.rows for name, summary in overview.groups.items()} == {
        name: authors.count(None if name == NO_GROUP else name)
        for name in (NO_GROUP, "author 0", "author 1", "author 2")
    }
    assert sum(summary.rows for summary in overview.lengths.values()) == rows
    assert overview.lengths[LAST_LENGTH].rows == sum(len(text) >= LAST_LENGTH for text in texts)
    in_bin = np.array([10 <= len(text) < 15 for text in texts])
    one = Summary()
    one.add(quality[in_bin].astype(np.float32), [])
    assert overview.lengths[10].quantiles() == one.quantiles()

    ranked = [row for row in np.argsort(quality, kind="stable").tolist() if not np.isnan(quality[row])]
    lowest = overview.samples["lowest"].rows()
    assert lowest["row"].to_pylist() == ranked[: len(lowest)]
    assert lowest["text"].to_pylist() == [texts[row] for row in ranked[: len(lowest)]]
    assert overview.samples["highest"].rows()["row"].to_pylist() == ranked[::-1][:12]
    for name, threshold in THRESHOLDS.items():
        near = np.abs(np.array(overview.samples[f"around-{name}"].rows()["score"]) - threshold)
        assert near.max() <= np.sort(np.abs(quality - threshold))[12]
    random = overview.samples["random"].rows()["row"].to_pylist()
    assert len(set(random)) == 24
    assert max(random) > BATCH_ROWS
    assert overview_of(tmp_path / "scored.parquet").samples["random"].rows()["row"].to_pylist() == random


def test_groups_beyond_the_limit_are_merged(tmp_path):
    rows = 3 * MAX_GROUPS
    table = scored_table(np.full(rows, 0.5), author=list(range(rows)))
    pq.write_table(table, tmp_path / "scored.parquet")
    groups = overview_of(tmp_path / "scored.parquet", "author").groups
    assert len(groups) == MAX_GROUPS + 1
    assert groups[OTHER_GROUPS].rows == 2 * MAX_GROUPS


def page_of(tmp_path, *tables, **settings):
    paths = []
    for index, table in enumerate(tables):
        paths.append(tmp_path / f"scored {index}.parquet")
        pq.write_table(table, paths[-1])
    write_report(paths, tmp_path / "report.html", checks=[QualityCheck()], **settings)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))


def test_a_page_about_two_files(tmp_path):
    one = scored_table([0.1, 0.35, 0.6, NAN, 0.9], text=["a", "b", "c", "d", "e"])
    other = scored_table([0.05, 0.5])
    page = page_of(tmp_path, one, other)
    files = data_of(page)["checks"][0]["files"]
    assert [file["rows"] for file in files] == [5, 2]
    assert [file["kept"][500] for file in files] == [2, 1]
    assert "scored 0.parquet" in page
    assert "scored 1.parquet" in page
    assert re.search(r"<td class=\"words\">null</td><td>1</td><td>20.0%</td><td>3</td>", page)
    numbers = [f"{value:.3f}" for value in np.float32([0.1, 0.35, 0.6, 0.9])]
    assert all(f'data-score="{float(np.float32(number))}"' in page for number in numbers)


def test_figures_are_taken_from_the_summary(tmp_path):
    quality = np.random.default_rng(4).uniform(size=200).astype(np.float32)
    page = page_of(tmp_path, scored_table(quality))
    summary = Summary()
    summary.add(quality, [])
    cells = [f"<td>{value:.3f}</td>" for value in [*summary.quantiles().values(), summary.mean]]
    cells += [f"<td>{share:.1%}</td>" for share in summary.kept().values()]
    assert "".join(cells) in re.sub(r"\s+<td>", "<td>", page)


def test_the_page_has_no_external_resources(tmp_path):
    page = page_of(tmp_path, scored_table([0.2, 0.8]))
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=\"(?!data:)", markup)
    assert "default-src 'none'" in markup


def test_hostile_text_stays_text(tmp_path):
    table = scored_table([0.2, 0.8], text=[HOSTILE, HOSTILE], author=[HOSTILE, None])
    table = table.set_column(2, "quality_error", pa.array([None, None], pa.string()))
    bad = scored_table([NAN], text=[HOSTILE], author=[HOSTILE]).set_column(2, "quality_error", [[HOSTILE]])
    page = page_of(tmp_path, pa.concat_tables([table, bad]))
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_files_without_any_score(tmp_path):
    page = page_of(tmp_path, scored_table([NAN, None]), scored_table([]))
    assert [file["kept"][0] for file in data_of(page)["checks"][0]["files"]] == [0, 0]
    assert page.count("There is no such row.") == 2 * len(sections_of(THRESHOLDS))
    assert page.count("No row has a score.") == 2
    assert data_of(page)["checks"][0]["charts"] == {}


def test_a_file_without_any_score_beside_another(tmp_path):
    without = scored_table([NAN, None], text=["a", "b"], author=["c", "d"])
    page = page_of(tmp_path, without, scored_table([0.5, 0.6], text=["a", "b"], author=["c", "d"]))
    charts = data_of(page)["checks"][0]["charts"]
    assert charts.keys() == {"curves", "histogram-1", "lengths-1", "groups-1"}
    assert {f'data-chart="{name}"' for name in charts} == set(re.findall(r'data-chart="[^"]*"', page))
    assert page.count("No row has a score.") == 3
    assert {point["file"] for point in charts["curves"]["layer"][0]["data"]["values"]} == {"scored 1.parquet"}


def test_as_many_curves_as_files_can_be_told_apart():
    steps = np.arange(STEPS + 1)[::-1]
    names = [f"{file}.parquet" for file in range(MAX_FILES)]
    encoding = kept_curves(dict.fromkeys(names, steps), THRESHOLDS)["layer"][0]["encoding"]
    assert encoding["color"]["scale"]["domain"] == encoding["strokeDash"]["scale"]["domain"] == names
    looks = [(place % 5, tuple(dash)) for place, dash in enumerate(encoding["strokeDash"]["scale"]["range"])]
    assert len(set(looks)) == MAX_FILES


def test_whatever_scrolls_can_be_reached_and_has_a_name(tmp_path):
    table = scored_table([0.2, None], author=["a", "b"])
    page = page_of(tmp_path, table, table)
    assert page.count('class="card scroll"') == 4
    for start in re.findall(r'<div class="(?:card scroll|files)"[^>]*>', page):
        assert 'tabindex="0" role="group" aria-labelledby="' in start
    assert '<div class="files">' in page_of(tmp_path, table)  # A single file is never wider than the page.


def test_many_or_long_thresholds_of_an_untrusted_file_are_left_out(tmp_path):
    table = scored_table([0.2, 0.8])
    for thresholds in ({f"t{step}": step / 1000 for step in range(1000)}, {"z" * 500: 0.5}):
        noted = json.dumps([{"name": "quality", "description": "", "thresholds": thresholds}])
        page = page_of(tmp_path, table.replace_schema_metadata({CHECKS_KEY: noted}))
        assert page.count("data-threshold=") == len(THRESHOLDS)


def test_a_bad_row_without_a_reason(tmp_path):
    table = scored_table([0.4, NAN]).drop_columns("quality_error")
    noted = checked_schema(table.schema, [QualityCheck()]).metadata
    table = table.replace_schema_metadata(noted)
    assert NO_REASON in page_of(tmp_path, table)


def test_a_long_reason_is_counted_as_it_is_listed(tmp_path):
    table = scored_table([NAN, NAN, 0.5]).set_column(2, "quality_error", pa.array(["r" * 300] * 2 + [None]))
    page = page_of(tmp_path, table)
    assert f'<td class="words">{"r" * 100}</td><td>2</td><td>66.7%</td><td>0, 1</td>' in page


def test_files_with_other_thresholds_have_their_own_figures(tmp_path):
    class Toy(QualityCheck):
        name = "toy"

        def __init__(self, **thresholds):
            super().__init__()
            self.thresholds = thresholds

    def scored_by(check):
        table = scored_table([0.2, 0.4, 0.6]).rename_columns(["strokes", "toy", "toy_error"])
        table = table.append_column("toy_note", pa.nulls(3, pa.string()))
        return table.cast(checked_schema(table.schema, [check]))

    tables = [scored_by(check) for check in (Toy(low=0.1), Toy(low=0.45), Toy(other=0.3), Toy(low=0.1))]
    page = page_of(tmp_path, *tables)
    assert [len(check["files"]) for check in data_of(page)["checks"]] == [2, 1, 1]
    tables_of_figures = re.findall(r'<th scope="col">(\S+ (?:low|other))</th></tr>.*?(\d+\.\d%)', page, re.DOTALL)
    assert tables_of_figures == [("0.1 low", "100.0%"), ("0.45 low", "33.3%"), ("0.3 other", "66.7%")]


def test_a_row_with_a_score_that_cannot_be_drawn_is_listed(tmp_path):
    table = scored_table([0.1, 0.2, 0.3])
    strokes = pa.array([None, *table["strokes"].to_pylist()[1:]], table["strokes"].type)
    page = page_of(tmp_path, table.set_column(0, "strokes", [strokes]))
    card = re.search(r'<figure class="line"[^>]*>(?:(?!</figure>).)*row 0</span>', page, re.DOTALL).group()
    assert '<p class="reason quiet">null: ' in card
    assert "<svg" not in card
    assert "data-raster" not in card


def test_rows_of_another_model_are_not_explained(tmp_path):
    table = scored_table([0.5] * 4)
    strokes = table["strokes"]
    own = penpal_fast.score(strokes)
    known = page_of(tmp_path, table.set_column(1, "quality", [own]))
    unknown = page_of(tmp_path, table.set_column(1, "quality", [np.where(own < 0.5, own + 0.4, own - 0.4)]))
    assert "--pull" in re.sub(r"<style>.*?</style>", "", known, flags=re.DOTALL)
    assert "--pull" not in re.sub(r"<style>.*?</style>", "", unknown, flags=re.DOTALL)
    assert "scored by another model" in unknown
    assert "scored by another model" not in known


@pytest.mark.parametrize("value", [1.5, -0.1, float("inf")])
def test_scores_out_of_range_name_the_row(tmp_path, value):
    with pytest.raises(PenpalError, match="row 1: quality is"):
        page_of(tmp_path, scored_table([0.5, value]))


def test_grouping(tmp_path):
    table = scored_table([0.2, 0.8], author=[1, 2], kind=["x", "y"])
    assert "By author" in page_of(tmp_path, table)
    assert "By kind" in page_of(tmp_path, table, group_column="kind")
    with pytest.raises(PenpalError, match=r"no column 'colour' of text .*'author', 'kind'"):
        page_of(tmp_path, table, group_column="colour")


def test_files_with_the_same_name_are_numbered(tmp_path):
    for folder, score in (("a", 0.2), ("b", 0.8)):
        (tmp_path / folder).mkdir()
        pq.write_table(scored_table([score]), tmp_path / folder / "scored.parquet")
    paths = [tmp_path / "a" / "scored.parquet", tmp_path / "b" / "scored.parquet"]
    write_report(paths, tmp_path / "report.html", checks=[QualityCheck()])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "1: scored.parquet" in page
    assert "2: scored.parquet" in page
    assert [file["kept"][500] for file in data_of(page)["checks"][0]["files"]] == [0, 1]


def test_the_gallery_does_not_grow_with_the_files(tmp_path):
    table = scored_table(np.linspace(0, 1, 60))
    few, many = page_of(tmp_path, *[table] * 3), page_of(tmp_path, *[table] * 9)
    assert many.count('<figure class="line"') <= few.count('<figure class="line"')


def test_the_command(tmp_path):
    pq.write_table(scored_table([0.2, 0.8]), tmp_path / "scored.parquet")
    done = run("report", tmp_path / "scored.parquet", "-o", tmp_path / "report.html")
    assert done.exit_code == 0, done.output
    assert "MB; open it in a browser" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{scored}", "{scored}", "-o", "report.html"], "the same file is given twice"),
        (["{plain}", "-o", "report.html"], "there is no column of scores; run `penpal-fast score`"),
        (["{scored}", "-o", "no/report.html"], "there is no folder"),
        (["{scored}", "-o", "report.html", "--text", "said"], "no column 'said'; name the one with the texts"),
    ],
)
def test_errors_of_the_command(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    table = scored_table([0.2, 0.8])
    pq.write_table(table, "scored.parquet")
    pq.write_table(table.select(["strokes"]), "plain.parquet")
    done = run("report", *[argument.format(scored="scored.parquet", plain="plain.parquet") for argument in arguments])
    assert done.exit_code == 1
    assert message in done.output.replace("\n", " ")
    assert not (tmp_path / "report.html").exists()


def test_a_missing_package_is_named_with_the_command_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    for module in ("penpal_fast.look.report.page", "penpal_fast.look.report.charts"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    pq.write_table(scored_table([0.2]), tmp_path / "scored.parquet")
    done = run("report", tmp_path / "scored.parquet", "-o", tmp_path / "report.html")
    assert done.exit_code == 1
    assert "'altair', which is not installed: pip install 'penpal-fast[look]'" in done.output.replace("\n", " ")


def test_only_rows_near_a_threshold_are_around_it():
    sections = {section.name: section for section in sections_of(THRESHOLDS)}
    quality = np.array([0.3, 0.41, 0.19, 0.395, NAN])
    keys = sections["around-lenient"].key(quality, np.zeros(5))
    assert np.isfinite(keys).tolist() == [True, False, False, True, False]


NAMES = ["zq\\", "constructor", 'zq"+alert(1)+"', 'zq\\"+alert(1)+\\"', "zq\n", "__proto__", "zq.a[0]", "zq'", "zq${x}"]


def programs(part):
    """The programs in a Vega specification."""
    if isinstance(part, list):
        return [program for one in part for program in programs(one)]
    if not isinstance(part, dict):
        return []
    own = [part[key] for key in ("signal", "expr", "test", "update") if isinstance(part.get(key), str)]
    return own + [program for one in part.values() for program in programs(one)]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_no_part_of_a_program(name):
    """Files name columns, groups, files and thresholds; Vega-Lite makes programs of titles."""
    vl_convert = pytest.importorskip("vl_convert", reason="the extra `look` is not installed")
    summary = Summary()
    summary.add(np.array([0.2, 0.5], np.float32), [])
    steps = np.arange(STEPS + 1)[::-1]
    charts = {
        "column": group_chart({"a": summary, "b": summary}, name),
        "group": group_chart({name: summary, "b": summary}, "author"),
        "threshold": histogram(steps, {name: 0.5}),
        "file": kept_curves({name: steps, "b": steps}, {"balanced": 0.5}),
    }
    for what, chart in charts.items():
        vega = json.loads(json.dumps(vl_convert.vegalite_to_vega(chart)))
        found = [program for program in programs(vega) if name in program or "zq" in program]
        if what == "file":  # Vega-Lite compares values, and writes them as JSON.
            found = [
                one for one in found if one != f'datum["file"]==={json.dumps(name)} ? 0 : datum["file"]==="b" ? 1 : 2'
            ]
        assert found == [], what
    assert charts["column"]["layer"][0]["encoding"]["y"]["axis"]["title"] == name


LIMITED = """
import resource, sys
resource.setrlimit(resource.{limit}, ({value}, {value}))
sys.argv[0] = "penpal-fast"
from penpal_fast.__main__ import main
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limits")
@pytest.mark.parametrize(("limit", "value"), [("RLIMIT_AS", 8 << 30), ("RLIMIT_NOFILE", 8)])
def test_a_report_without_room_or_files_says_so(tmp_path, limit, value):
    pq.write_table(scored_table([0.2, 0.8]), tmp_path / "scored.parquet")
    program = LIMITED.format(limit=limit, value=value)
    command = [sys.executable, "-c", program, "report", "scored.parquet", "-o", "report.html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "the library of charts" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["scored.parquet"]


def test_a_report_without_docstrings_says_so(tmp_path):
    pq.write_table(scored_table([0.2, 0.8]), tmp_path / "scored.parquet")
    command = [sys.executable, "-OO", "-m", "penpal_fast", "report", "scored.parquet", "-o", "report.html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: Vega-Altair cannot draw a report under python -OO (PYTHONOPTIMIZE=2); use -O at most\n"
    )


def test_the_library_of_charts_is_not_taken_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "vl_convert.py").write_text("def javascript_bundle(): return 'planted'")
    (tmp_path / "json.py").write_text("print('planted')")
    monkeypatch.chdir(tmp_path)
    chart_library.cache_clear()
    assert "planted" not in chart_library()[:1000]


def test_strokes_with_fields_of_points_are_drawn(tmp_path):
    """A stroke may have a field of its own called x."""
    stroke = {"points": [{"x": float(x), "y": float(x % 3)} for x in range(12)], "x": 1.0}
    table = scored_table([0.2, 0.8]).set_column(0, "strokes", pa.array([[[stroke]]] * 2))
    pq.write_table(table, tmp_path / "lines.parquet")
    for command, name in (("report", "report.html"), ("sheet", "sheet.png")):
        done = run(command, tmp_path / "lines.parquet", "-o", tmp_path / name)
        assert done.exit_code == 0, done.output
    assert "cannot be drawn" not in (tmp_path / "report.html").read_text()
    for command in (["explain"], ["render", "-o", tmp_path / "row.png"]):
        done = run(command[0], tmp_path / "lines.parquet", "--row", "1", *command[1:])
        assert done.exit_code == 0, done.output
