"""Filtering: which rows go where, and why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column, stored_views, views
from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, QualityCheck, Scorer, TextCheck, filter_dataset, score_dataset
from penpal_fast.checks.thresholds import threshold_of
from penpal_fast.network.pretrained import BUNDLED
from penpal_fast.sources.apart import check_apart

ROWS = [*(scrawl(seed, 2 + seed % 4, 15) for seed in range(40)), None, []]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    table = pa.table({"strokes": column(ROWS), "number": range(len(ROWS))})
    pq.write_table(table.replace_schema_metadata({"origin": "tests"}), path, row_group_size=9)
    return path


@pytest.fixture
def scored(lines, tmp_path):
    score_dataset(lines, tmp_path / "scored")
    return tmp_path / "scored"


def with_errors(table, *names):
    """Add the columns that a check writes beside its scores, by which these are known to be its."""
    for name in names:
        table = table.append_column(f"{name}_error", pa.nulls(len(table), pa.string()))
    return table


def middle(scored):
    """A threshold that half of the rows reach: one row's very score."""
    return float(np.nanmedian(np.sort(pq.read_table(scored)["quality"].to_numpy())[:39]))


def test_a_threshold_keeps_the_same_rows_of_any_file(scored, tmp_path):
    """JSON has the shortest decimal text of a float32 score; read as float64, it is another number."""
    score_dataset(scored, tmp_path / "scored.jsonl")
    for threshold in pq.read_table(scored)["quality"].drop_null().to_pylist()[:9]:
        kept = [
            filter_dataset(one, tmp_path / "out.parquet", threshold=threshold).kept
            for one in (scored, tmp_path / "scored.jsonl")
        ]
        assert kept[0] == kept[1]


@pytest.mark.parametrize("name", ["rejected.jsonl", "rejected.parquet"])
def test_rejected_rows_without_any_score_can_be_read_again(tmp_path, name):
    source, rejected = tmp_path / "in.parquet", tmp_path / name
    pq.write_table(pa.table({"strokes": column([*ROWS[:3], None, []])}), source)
    filter_dataset(source, tmp_path / "kept.parquet", threshold=0, keep_rejected=rejected)
    again = filter_dataset(rejected, tmp_path / "again.parquet", threshold=0)
    assert (again.rows, again.kept, again.bad) == (2, 0, 2)


def test_one_column_cannot_be_two_scores(lines, tmp_path):
    with pytest.raises(PenpalError, match="the checks add the same columns twice: text_match"):
        filter_dataset(lines, tmp_path / "out.parquet", quality_column="text_match", text="number")


@pytest.mark.parametrize("given", ["lines", "scored"])
def test_rows_are_kept_or_rejected(lines, scored, tmp_path, given):
    threshold = middle(scored)
    out, rejected = tmp_path / "kept.parquet", tmp_path / "rejected.parquet"
    selection = filter_dataset(
        lines if given == "lines" else scored, out, threshold=threshold, keep_rejected=rejected, memory_mb=1
    )
    table = pq.read_table(scored)
    mask = [quality is not None and quality >= threshold for quality in table["quality"].to_pylist()]
    kept = pq.read_table(out)
    assert kept.equals(table.filter(pa.array(mask)))
    assert kept.schema.metadata[b"origin"] == b"tests"
    assert pq.read_table(rejected).equals(table.filter(pa.array([not each for each in mask])))
    assert 0 < selection.kept == sum(mask) < 40
    assert selection.rejected == {"below the threshold": 40 - sum(mask), "null": 1, "no points": 1}
    assert (selection.rows, selection.bad) == (42, 2)


def test_scores_that_are_there_are_used_unless_rescored(lines, tmp_path):
    table = pq.read_table(lines).append_column("quality", pa.array([1.0, None] * 21))
    pq.write_table(with_errors(table, "quality"), lines)
    selection = filter_dataset(lines, tmp_path / "kept.parquet")
    assert (selection.kept, selection.rejected) == (21, {"below the threshold": 0, "no score": 21})
    assert filter_dataset(lines, tmp_path / "kept.parquet", rescore=True).rejected["no score"] == 0


def test_a_column_of_scores_is_enough(tmp_path):
    pq.write_table(pa.table({"quality": [0.2, 0.3, float("nan"), 0.9]}), tmp_path / "scores.parquet")
    selection = filter_dataset(tmp_path / "scores.parquet", tmp_path / "kept.parquet", threshold="lenient")
    assert pq.read_table(tmp_path / "kept.parquet")["quality"].to_pylist() == [0.3, 0.9]
    assert selection.rejected == {"below the threshold": 1, "no score": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"output": "kept.csv"}, r"cannot write \.csv files; write a file that ends with \.parquet"),
        ({"output": "kept"}, r"the name does not say what to write; write a file that ends with \.parquet"),
        ({"keep_rejected": "-"}, "cannot write standard output here; write a file that ends with .*zst$"),
        ({"output": "-", "resume": True}, "standard output is a stream and cannot be resumed"),
        ({"stdout_format": "jsonl"}, "is for standard output"),
        ({"top": 0}, "top must be a number of rows"),
        ({"top": 1.5}, "top must be a number of rows"),
        ({"top": True}, "top must be a number of rows"),
        ({"keep_rejected": "kept.parquet"}, "cannot go into the same file; choose another name"),
        ({"output": "lines.parquet"}, "would replace an input"),
        ({"threshold": "harsh"}, "must be a number from 0 to 1 or one of lenient"),
        ({"threshold": 1.5}, "must be a number from 0 to 1 or one of lenient"),
        ({"threshold": 10**400}, "must be a number from 0 to 1 or one of lenient"),
        ({"threshold": float("nan")}, "must be a number from 0 to 1 or one of lenient"),
        ({"column": "ink"}, "no column 'ink'"),
        ({"thresholds": {}}, "thresholds is empty"),
        ({"memory_mb": 0}, "memory_mb must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_done_is_said(lines, tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PenpalError, match=message):
        filter_dataset(**{"inputs": lines, "output": "kept.parquet", **change})
    assert list(tmp_path.iterdir()) == [lines]


def test_a_quality_that_is_no_score_is_refused(tmp_path):
    pq.write_table(pa.table({"quality": ["good"]}), tmp_path / "lines.parquet")
    with pytest.raises(PenpalError, match=r"lines\.parquet: the column 'quality' is of type string, not of scores"):
        filter_dataset(tmp_path / "lines.parquet", tmp_path / "kept.parquet")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_scores_are_compared_in_their_own_type_or_as_float32(tmp_path, kind):
    precision = np.float16 if kind is np.float16 else np.float32
    below = np.nextafter(precision(0.7), precision(0))
    scores = pa.array(np.array([0.7, np.nextafter(0.7, 0), below]).astype(kind))
    pq.write_table(pa.table({"quality": scores}), tmp_path / "scores.parquet")
    selection = filter_dataset(tmp_path / "scores.parquet", tmp_path / "kept.parquet", threshold="strict")
    assert selection.kept == 2


def test_two_columns_of_scores_are_refused(tmp_path):
    table = pa.table([pa.array([0.5]), pa.array([0.6])], names=["quality", "quality"])
    pq.write_table(table, tmp_path / "lines.parquet")
    with pytest.raises(PenpalError, match="there is more than one column 'quality'"):
        filter_dataset(tmp_path / "lines.parquet", tmp_path / "kept.parquet")


def test_errors_of_a_dictionary_are_reasons(tmp_path):
    errors = pa.array(["null: a", None, None, "null: a", "b: c"]).dictionary_encode()
    table = pa.table({"quality": [None, 0.9, None, None, None], "quality_error": errors})
    pq.write_table(table, tmp_path / "lines.parquet")
    selection = filter_dataset(tmp_path / "lines.parquet", tmp_path / "kept.parquet")
    assert +selection.rejected == {"null": 2, "no score": 1, "b": 1}


def test_errors_that_are_no_text_are_no_reasons(tmp_path):
    pq.write_table(pa.table({"quality": [0.9, None], "quality_error": [1, 2]}), tmp_path / "lines.parquet")
    assert filter_dataset(tmp_path / "lines.parquet", tmp_path / "kept.parquet").rejected["no score"] == 1


def test_bad_json_lines_keep_their_reasons(tmp_path):
    (tmp_path / "lines.jsonl").write_text('{"quality": 0.9}\n{broken\n{"quality": null}\n')
    selection = filter_dataset(tmp_path / "lines.jsonl", tmp_path / "kept.parquet")
    assert selection.rejected == {"below the threshold": 0, "not JSON": 1, "no score": 1}


HALF = """
import sys, time
from penpal_fast import filter_dataset
from penpal_fast.jobs import parts
from penpal_fast.sources import memory
memory.BATCH_ROWS, parts.GROUP_ROWS = 3, 5
lines, kept, rejected, wait = sys.argv[1:]
def progress(done, total):
    if wait == "wait" and done > total // 2:
        print("half", flush=True)
        time.sleep(600)
filter_dataset(lines, kept, threshold=0.02, keep_rejected=rejected, progress=progress)
"""


def test_a_killed_filter_leaves_no_half_file(lines, tmp_path):
    kept, rejected = tmp_path / "kept.parquet", tmp_path / "rejected.parquet"
    kept.write_text("old")
    command = [sys.executable, "-c", HALF, lines, kept, rejected]
    with subprocess.Popen([*command, "wait"], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"half\n"
        with pytest.raises(
            PenpalError, match=rf"kept.parquet: cannot write it: another process \({process.pid}\) is writing it"
        ):
            filter_dataset(lines, kept)
        process.kill()
    assert kept.read_text() == "old"
    assert not rejected.exists()
    assert subprocess.run([*command, "continue"], timeout=120).returncode == 0
    assert pq.read_metadata(kept).num_rows + pq.read_metadata(rejected).num_rows == len(ROWS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.parquet", "lines.parquet", "rejected.parquet"]


@pytest.mark.parametrize("pattern", ["*.parquet", "k*", "**/*.pa*", "kept.parquet.*/*"])
def test_an_output_that_the_inputs_glob_matches_is_refused(lines, tmp_path, monkeypatch, pattern):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PenpalError, match="the output would match the input"):
        check_apart([], [lines, pattern], Path("kept.parquet"))
    assert list(tmp_path.iterdir()) == [lines]


def test_the_names_of_thresholds():
    assert [threshold_of(name) for name in ("lenient", "balanced", "strict", "0.25", 1)] == [0.3, 0.5, 0.7, 0.25, 1.0]


def test_the_command(lines, tmp_path):
    out, rejected = tmp_path / "kept.parquet", tmp_path / "rejected.parquet"
    done = run("filter", lines, "-o", out, "--threshold", "0", "--keep-rejected", rejected)
    assert done.exit_code == 0, done.output
    assert "42 rows, 40 kept, 2 rejected" in done.output
    assert "1 rejected: no points" in done.output
    assert (pq.read_metadata(out).num_rows, pq.read_metadata(rejected).num_rows) == (40, 2)


@pytest.mark.parametrize("command", [["score"], ["filter", "--threshold", "strict"]])
def test_scripts_get_json_silence_and_exit_codes(lines, tmp_path, command):
    out = tmp_path / "out.parquet"
    done = run(*command, lines, "-o", out, "--json", "--strict")
    assert done.exit_code == 3
    content = json.loads(done.stdout)
    assert (content["rows"], content["bad"], content["output"]) == (42, 2, str(out))
    done = run(*command, lines, "-o", out, "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_a_wrong_threshold_is_wrong_usage(lines, tmp_path):
    done = run("filter", lines, "-o", tmp_path / "out.parquet", "--threshold", "harsh")
    assert done.exit_code == 2
    assert "lenient (0.3)" in done.output


@pytest.mark.parametrize("value", [1.5, -0.1, float("inf")])
def test_numbers_that_are_no_scores_are_refused(tmp_path, value):
    pq.write_table(pa.table({"quality": [0.5, value]}), tmp_path / "scored.parquet")
    with pytest.raises(PenpalError, match=r"scored\.parquet, row 1: quality is .*; scores are from 0 to 1"):
        filter_dataset(tmp_path / "scored.parquet", tmp_path / "kept.parquet")
    assert not (tmp_path / "kept.parquet").exists()


def test_another_model_scores_again(lines, tmp_path):
    pq.write_table(
        pq.read_table(lines).append_column("quality", pa.array([0.0] * len(ROWS))), tmp_path / "scored.parquet"
    )
    assert (
        run("filter", tmp_path / "scored.parquet", "-o", tmp_path / "kept.parquet", "--model", BUNDLED).exit_code == 0
    )
    scored = Scorer().score(pq.read_table(lines)["strokes"], errors="null")
    assert pq.read_metadata(tmp_path / "kept.parquet").num_rows == (scored >= 0.3).sum()


def scored_texts(path, quality, match):
    """A file of rows that have both scores."""
    table = {"quality": pa.array(quality, pa.float32()), "text_match": pa.array(match, pa.float32())}
    pq.write_table(pa.table(table | {"number": range(len(quality))}), path / "scored.parquet")
    return path / "scored.parquet"


def test_rows_must_reach_both_thresholds(tmp_path):
    scored = scored_texts(tmp_path, [0.9, 0.9, 0.1, None, 0.9], [0.9, 0.2, 0.9, 0.9, None])
    out = tmp_path / "kept.parquet"
    selection = filter_dataset(scored, out, text_threshold=0.5)
    assert pq.read_table(out)["number"].to_pylist() == [0]
    expected = {"quality below the threshold": 1, "text_match below the threshold": 1, "no score": 2}
    assert (+selection.rejected, selection.bad) == (expected, 2)
    filter_dataset(scored, out, threshold=0, text_threshold="lenient")
    assert pq.read_table(out)["number"].to_pylist() == [0, 2]
    filter_dataset(scored, out)
    assert pq.read_table(out)["number"].to_pylist() == [0, 1, 4]
    filter_dataset(scored, out, thresholds={"text_match": 0.5})
    assert pq.read_table(out)["number"].to_pylist() == [0, 2, 3]


TEXTS = [f"line {number % 3}" if number % 7 else None for number in range(len(ROWS))]


@pytest.mark.parametrize("name", ["text", "prompt"])
def test_rows_are_compared_with_their_texts_where_that_is_missing(lines, tmp_path, scorer, reader, name):
    pq.write_table(pq.read_table(lines).append_column(name, pa.array(TEXTS)), lines)
    settings = {"scorer": scorer, "reader": reader, "text": name}
    score_dataset(lines, tmp_path / "scored.parquet", **settings)
    scored = pq.read_table(tmp_path / "scored.parquet")
    limit = float(np.nanmedian(scored["text_match"].to_numpy()))
    if name == "text":
        settings.pop("text")
    filter_dataset(lines, tmp_path / "kept.parquet", threshold=0, text_threshold=limit, **settings)
    expected = [match is not None and match >= limit for match in scored["text_match"].to_pylist()]
    assert 0 < sum(expected) < 40
    assert pq.read_table(tmp_path / "kept.parquet").equals(scored.filter(pa.array(expected)))


@pytest.fixture
def matched(lines, tmp_path, scorer, reader):
    """A file whose match was made with the column `prompt`, beside a column `text`, and the settings."""
    table = pq.read_table(lines).append_column("prompt", pa.array(TEXTS))
    pq.write_table(table.append_column("text", pa.array(TEXTS[::-1])), lines)
    score_dataset(lines, tmp_path / "scored.parquet", scorer=scorer, reader=reader, text="prompt")
    return tmp_path / "scored.parquet", {"scorer": scorer, "reader": reader, "threshold": 0, "text_threshold": 0}


def test_a_match_with_another_column_is_not_used(matched, tmp_path):
    scored, settings = matched
    out = tmp_path / "kept.parquet"
    expected = "scored.parquet: its text_match compares the column 'prompt', not 'text'; compare again with --rescore"
    with pytest.raises(PenpalError, match=expected):
        filter_dataset(scored, out, **settings, text="text")
    with pytest.raises(PenpalError, match=expected):
        filter_dataset(scored, out, thresholds={"text_match": 0}, checks=[TextCheck()])
    done = run("filter", scored, "-o", out, "--text", "text")
    assert (done.exit_code, "not 'text'; compare again with --rescore" in done.output) == (1, True), done.output
    with pytest.raises(
        PenpalError, match=r"scored\.parquet: no column 'label'; name the one with the texts with --text"
    ):
        filter_dataset(scored, out, **settings, text="label")
    assert not out.exists()
    match = pq.read_table(scored)["text_match"].to_pylist()
    for text in ("prompt", None):
        filter_dataset(scored, out, **settings, text=text)
        assert pq.read_table(out)["text_match"].to_pylist() == [value for value in match if value is not None]


def test_a_match_is_made_again_with_the_same_column_or_the_named_one(matched, tmp_path, reader):
    scored, settings = matched
    out = tmp_path / "kept.parquet"
    for text, name in ((None, "prompt"), ("text", "text")):
        filter_dataset(scored, out, **settings, text=text, rescore=["text_match"])
        kept = pq.read_table(out)
        expected = reader.match(kept["strokes"], kept[name])
        np.testing.assert_allclose(kept["text_match"].to_pylist(), expected, atol=1e-6)


def test_rows_with_strings_of_polars_are_filtered(tmp_path, scorer, reader):
    """Parquet keeps the type, and PyArrow cannot select such rows."""
    table = pa.table({"strokes": column(ROWS), "text": pa.array(TEXTS), "number": range(len(ROWS))})
    plain, viewed = tmp_path / "plain.parquet", tmp_path / "viewed.parquet"
    pq.write_table(table, plain)
    with_views = table.set_column(1, "text", pa.array(TEXTS, stored_views()))
    with_views = with_views.append_column("bytes", pa.array(TEXTS).cast(pa.binary_view()))
    nested = pa.array([[text] for text in TEXTS], pa.list_(views()))
    pairs = pa.array([[text] * 2 for text in TEXTS], pa.list_(views(), 2))
    maps = pa.array([[(text or "none", 1)] for text in TEXTS], pa.map_(views(), pa.int64()))
    added = {"nested": nested, "pairs": pairs, "maps": maps}
    for name, values in added.items():
        with_views = with_views.append_column(name, values)
    pq.write_table(with_views, viewed)
    out = tmp_path / "kept.parquet"
    for settings in ({"best_of": "text"}, {"text_threshold": 0.1}, {"text_threshold": 0, "best_of": "text"}):
        chosen = {"scorer": scorer, "threshold": 0, **settings}
        if "text_threshold" in settings:
            chosen["reader"] = reader
        filter_dataset(plain, out, **chosen)
        expected = pq.read_table(out)
        filter_dataset(viewed, out, **chosen, keep_rejected=tmp_path / "rest.parquet")
        kept = pq.read_table(out)
        assert 0 < kept.num_rows < len(ROWS)
        assert kept.drop(["bytes", *added]).equals(expected)
        assert kept["nested"].to_pylist() == [[text] for text in expected["text"].to_pylist()]
        assert kept["pairs"].to_pylist() == [[text] * 2 for text in expected["text"].to_pylist()]
        assert kept["maps"].to_pylist() == [[(text or "none", 1)] for text in expected["text"].to_pylist()]
        assert pq.read_metadata(tmp_path / "rest.parquet").num_rows == len(ROWS) - kept.num_rows


def test_only_named_checks_run_again(lines, tmp_path, scorer, reader):
    given = pa.array([1.0] * len(ROWS), pa.float32())
    table = pq.read_table(lines).append_column("text", pa.array(TEXTS))
    table = table.append_column("quality", given).append_column("text_match", given)
    pq.write_table(with_errors(table, "quality", "text_match"), lines)
    settings = {"scorer": scorer, "reader": reader, "threshold": 0, "text_threshold": 0}
    out = tmp_path / "kept.parquet"
    assert filter_dataset(lines, out, **settings).kept == len(ROWS)
    assert filter_dataset(lines, out, rescore=["text_match"], **settings).kept == 34
    assert set(pq.read_table(out)["quality"].to_pylist()) == {1.0}
    assert filter_dataset(lines, out, rescore=True, **settings).kept == 34
    assert 1.0 not in pq.read_table(out)["quality"].to_pylist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"text_threshold": 0.5},
            r"lines\.parquet: no column 'text'; name the one with the texts with --text or text=",
        ),
        ({"text_threshold": "harsh", "text": "text"}, "the check 'text_match': the threshold must be a number from 0"),
        ({"text_threshold": 2, "text": "text"}, "the check 'text_match': the threshold must be a number from 0 to 1"),
        ({"text_threshold": 0.5, "thresholds": {"quality": 0.5}}, "give either text_threshold or thresholds"),
        ({"text_threshold": 0.5, "threshold": 0.5, "checks": [TextCheck()]}, "are both for the check 'text_match'"),
        ({"text_threshold": 0.5, "checks": [QualityCheck()]}, "no score column 'text_match', and no check of this"),
        ({"threshold": 0.5, "thresholds": {"quality": 0.5}}, "give either threshold or thresholds; thresholds"),
        ({"text": "text", "thresholds": {"quality": 0.5}}, "thresholds has none for 'text_match'; add it"),
        ({"rescore": "quality"}, "rescore must be True, False or a list of names of checks, got 'quality'"),
        ({"rescore": None}, "rescore must be True, False or a list of names of checks, got None"),
        ({"rescore": ["text_match"]}, "rescore has 'text_match'; the checks that can run .* threshold are 'quality'"),
        ({"text": "text", "checks": [QualityCheck()]}, "give either checks or text"),
        ({"reader": "somewhere"}, "a reader was given, and nothing to read"),
    ],
)
def test_thresholds_of_texts_that_do_not_fit_are_refused(lines, tmp_path, settings, message):
    if "text" in settings:
        pq.write_table(pq.read_table(lines).append_column("text", pa.array(TEXTS)), lines)
    with pytest.raises(PenpalError, match=message):
        filter_dataset(lines, tmp_path / "kept.parquet", **settings)
    assert list(tmp_path.iterdir()) == [lines]


def test_the_command_with_texts(lines, tmp_path, reader_folder):
    pq.write_table(pq.read_table(lines).append_column("prompt", pa.array(TEXTS)), lines)
    out = tmp_path / "kept.parquet"
    both = ["filter", lines, "-o", out, "--threshold", "0", "--text-threshold", "lenient", "--text", "prompt"]
    done = run(*both, "--reader", reader_folder, "--json")
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert (content["threshold"], content["text_threshold"], content["bad"]) == (0, 0.3, 8)
    kept = pq.read_table(out)
    assert kept.num_rows == content["kept"] > 0
    assert min(kept["text_match"].to_pylist()) >= np.float32(0.3)
    assert run("filter", out, "-o", tmp_path / "again.parquet", "--text-threshold", "1").exit_code == 0
    done = run("filter", out, "-o", tmp_path / "again.parquet", "--threshold", "0", "--text", "prompt", "--json")
    assert json.loads(done.stdout)["text_threshold"] == 0.5
    done = run("filter", out, "-o", tmp_path / "again.parquet", "--threshold", "0", "--json")
    assert json.loads(done.stdout)["text_threshold"] is None
    done = run("filter", lines, "-o", out, "--text-threshold", "harsh")
    assert (done.exit_code, "lenient (0.3)" in done.output) == (2, True)


def test_another_reader_compares_again(lines, tmp_path, reader_folder):
    given = pa.array([1.0] * len(ROWS), pa.float32())
    table = pq.read_table(lines).append_column("text", pa.array(TEXTS))
    table = table.append_column("quality", given).append_column("text_match", given)
    pq.write_table(with_errors(table, "quality", "text_match"), lines)
    out = tmp_path / "kept.parquet"
    done = run("filter", lines, "-o", out, "--text-threshold", "0", "--reader", reader_folder)
    assert done.exit_code == 0, done.output
    assert pq.read_metadata(out).num_rows == 34
    assert set(pq.read_table(out)["quality"].to_pylist()) == {1.0}
    assert 1.0 not in pq.read_table(out)["text_match"].to_pylist()


@pytest.mark.parametrize(("top", "count"), [(7, 7), (0.2, 8), (1.0, 40), (10**9, 40), (1e-9, 1)])
@pytest.mark.parametrize("given", ["lines", "scored"])
def test_the_top_rows_are_kept(lines, scored, tmp_path, top, count, given):
    source = lines if given == "lines" else scored
    rejected = tmp_path / "rejected.parquet"
    selection = filter_dataset(source, tmp_path / "kept.parquet", top=top, keep_rejected=rejected, memory_mb=1)
    quality = np.nan_to_num(pq.read_table(scored)["quality"].to_numpy(), nan=-1)
    best = np.sort(np.argsort(-quality, kind="stable")[:count])
    assert pq.read_table(tmp_path / "kept.parquet")["number"].to_pylist() == best.tolist()
    assert +selection.rejected == +Counter({"not among the top": 40 - count, "null": 1, "no points": 1})
    assert pq.read_metadata(rejected).num_rows == len(ROWS) - count


def test_equal_rows_of_the_top_are_taken_in_order(tmp_path):
    scores = np.tile(np.float32([0.5, 0.25, 0.75, np.nan, 0.5]), 20)
    pq.write_table(pa.table({"quality": scores, "number": range(100)}), tmp_path / "scores.parquet", row_group_size=7)
    filter_dataset(tmp_path / "scores.parquet", tmp_path / "kept.parquet", top=23)
    expected = [*range(2, 100, 5), 0, 4, 5]
    assert sorted(pq.read_table(tmp_path / "kept.parquet")["number"].to_pylist()) == sorted(expected)


def test_the_top_must_reach_the_thresholds(tmp_path):
    scored = scored_texts(tmp_path, [0.9, 0.8, 0.7, 0.2], [0.1, 0.6, 0.9, 1.0])
    out = tmp_path / "kept.parquet"
    for settings, expected in (
        ({"top": 3}, [0, 1, 2]),
        ({"top": 3, "threshold": 0.75}, [0, 1]),
        ({"top": 1, "text_threshold": 0.5}, [2]),  # 0.63 against 0.48
        ({"top": 2, "text_threshold": 0.5}, [1, 2]),
    ):
        filter_dataset(scored, out, **settings)
        assert pq.read_table(out)["number"].to_pylist() == expected


def test_the_top_of_the_best_of_groups(tmp_path):
    table = pa.table({"quality": [0.9, 0.8, 0.7, 0.6, 0.5], "prompt": ["a", "a", "b", "b", "c"], "number": range(5)})
    pq.write_table(table, tmp_path / "scored.parquet")
    selection = filter_dataset(tmp_path / "scored.parquet", tmp_path / "kept.parquet", top=2, best_of="prompt")
    assert pq.read_table(tmp_path / "kept.parquet")["number"].to_pylist() == [0, 2]
    assert +selection.rejected == {"not the best of its group": 2, "not among the top": 1}


@pytest.mark.parametrize("top", ["0", "1.5", "-3", "half", "nan"])
def test_a_wrong_top_is_wrong_usage(lines, tmp_path, top):
    assert run("filter", lines, "-o", tmp_path / "out.parquet", "--top", top).exit_code == 2


@pytest.mark.parametrize(
    "values", [pa.array([0.9] * len(ROWS)), pa.array([3] * len(ROWS)), pa.array(["A"] * len(ROWS))]
)
def test_a_quality_of_others_is_not_taken_for_scores(lines, tmp_path, scorer, values, caplog):
    expected = scorer.score(pq.read_table(lines)["strokes"], errors="null")
    pq.write_table(pq.read_table(lines).append_column("quality", values), lines)
    score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    np.testing.assert_array_equal(pq.read_table(tmp_path / "out.parquet")["quality"].to_numpy(), expected)
    assert caplog.text.count("the column 'quality' was not written by a check") == 1
    if pa.types.is_floating(values.type):
        kept = filter_dataset(lines, tmp_path / "out.parquet", scorer=scorer).kept
        assert kept == (expected >= np.float32(0.3)).sum()
        assert caplog.text.count("the column 'quality' was not written by a check") == 2
    else:
        with pytest.raises(PenpalError, match=r"lines\.parquet: the column 'quality' is of type .*, not of scores"):
            filter_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    caplog.clear()
    selection = filter_dataset(lines, tmp_path / "kept.parquet", scorer=scorer, quality_column="looks")
    kept = pq.read_table(tmp_path / "kept.parquet")
    assert kept.schema.names[-4:] == ["quality", "looks", "looks_error", "looks_note"]
    assert 0 < selection.kept == kept.num_rows < 40
    assert kept["quality"].to_pylist() == values.to_pylist()[: kept.num_rows]
    score_dataset(lines, tmp_path / "scored.parquet", scorer=scorer, quality_column="looks")
    again = filter_dataset(tmp_path / "scored.parquet", tmp_path / "again.parquet", quality_column="looks")
    assert again.kept == selection.kept
    assert caplog.text == ""


def test_a_named_column_is_taken_for_scores_whoever_wrote_it(lines, tmp_path):
    table = pq.read_table(lines).append_column("mine", pa.array(np.linspace(0, 1, len(ROWS))))
    pq.write_table(table, lines)
    done = run("filter", lines, "-o", tmp_path / "out.parquet", "--quality-column", "mine", "--threshold", "0.5")
    assert done.exit_code == 0, done.output
    assert pq.read_table(tmp_path / "out.parquet")["number"].to_pylist() == list(range(21, 42))
