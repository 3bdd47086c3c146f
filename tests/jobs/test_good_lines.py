"""Thresholds that a filter finds from good lines."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.arrow import column
from helpers.commands import run
from helpers.made_lines import scrawl
from helpers.models import random_model, save_tensors
from penpal_fast import ModelConfig, PenpalError, QualityCheck, Scorer, TextCheck, filter_dataset, score_dataset
from penpal_fast.checks.columns import made_by, noted_scores
from penpal_fast.jobs.good_lines import found_threshold


def write(path, rows, **columns):
    pq.write_table(pa.table({"strokes": column(rows), **columns}), path)
    return path


@pytest.fixture
def lines(tmp_path):
    rows = [scrawl(seed, 2 + seed % 4, 15) for seed in range(40)]
    return write(tmp_path / "lines.parquet", rows, text=[f"line {row}" for row in range(40)])


@pytest.fixture
def good(tmp_path):
    rows = [*(scrawl(100 + seed, 2 + seed % 4, 15) for seed in range(40)), None]
    return write(tmp_path / "good.parquet", rows, text=[f"good {row}" for row in range(41)])


def scores_of(path, scorer):
    return scorer.score(pq.read_table(path), errors="null")


@pytest.mark.parametrize(
    ("rows", "share", "kept"), [(20, 0.95, 19), (40, 0.95, 38), (100, 0.55, 55), (20, 1, 20), (7, 0.01, 1)]
)
def test_a_threshold_keeps_just_the_share(rows, share, kept):
    scores = np.random.default_rng(1).random(rows).astype(np.float32)
    found = found_threshold(np.append(scores, np.float32(np.nan)), share)
    assert (scores >= np.float32(found.threshold)).sum() == kept
    assert (found.kept, found.rows) == (pytest.approx(kept / rows), rows)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=9), st.sampled_from([0.01, 0.5, 0.95, 1]))
def test_the_threshold_that_is_shown_keeps_the_same(scores, share):
    """All digits of a threshold are seldom needed, but four may round it up, and lose the row that it comes from."""
    scores = np.array(scores, np.float32)
    found = found_threshold(scores, share)
    kept = scores >= np.float32(found.threshold)
    assert kept.sum() >= share * len(scores)
    digits = np.array([float(str(score)) for score in scores])  # As JSON has them.
    for threshold in (found.threshold, float(found.shown())):
        assert np.array_equal(kept, scores >= np.float32(threshold))
        assert np.array_equal(kept, scores.astype(np.float64) >= threshold)
        assert np.array_equal(kept, digits >= threshold)
    assert len(found.shown()) < 24


@pytest.mark.parametrize("share", [0.95, 0.5])
def test_the_threshold_keeps_a_share_of_the_good_lines(lines, good, tmp_path, scorer, share):
    kept = tmp_path / "kept.parquet"
    selection = filter_dataset(lines, kept, keep_good=good, share=share, scorer=scorer)
    scores = scores_of(good, scorer)
    threshold = selection.thresholds["quality"]
    assert (scores >= np.float32(threshold)).sum() == share * 40
    assert selection.kept == (scores_of(lines, scorer) >= np.float32(threshold)).sum() < 40
    assert selection.as_dict()["keep_good"] == {"quality": {"threshold": threshold, "kept": share, "rows": 40}}
    again = filter_dataset(lines, tmp_path / "again.parquet", threshold=threshold, scorer=scorer)
    assert again.kept == selection.kept
    assert "keep_good" not in again.as_dict()


def test_good_lines_keep_themselves(good, tmp_path, scorer):
    selection = filter_dataset(good, tmp_path / "kept.parquet", keep_good=[good], scorer=scorer)
    assert (selection.kept, selection.bad) == (38, 1)


@pytest.fixture
def scored_good(good, tmp_path, scorer):
    """Good lines with made-up scores that say that they come from the scorer."""
    path = tmp_path / "scored_good.parquet"
    score_dataset(good, path, scorer=scorer)
    table = pq.read_table(path)
    scores = pa.array([0.5 + row / 100 for row in range(40)] + [None], pa.float32())
    pq.write_table(table.set_column(table.column_names.index("quality"), "quality", scores), path)
    return path


def test_scores_of_the_same_model_are_used(lines, scored_good, tmp_path, scorer):
    selection = filter_dataset(lines, tmp_path / "kept.parquet", keep_good=scored_good, scorer=scorer)
    assert selection.thresholds["quality"] == pytest.approx(0.52)


def test_scores_of_another_model_are_not_used(lines, good, scored_good, tmp_path, scorer):
    other = Scorer(save_tensors(tmp_path / "model", random_model(ModelConfig()).tensors()), backend="native")
    kept = tmp_path / "kept.parquet"
    selection = filter_dataset(lines, kept, keep_good=scored_good, scorer=other)
    assert selection.thresholds == filter_dataset(lines, kept, keep_good=good, scorer=other).thresholds
    score_dataset(lines, tmp_path / "scored.parquet", scorer=other)
    with pytest.raises(
        PenpalError, match=r"good\.parquet: it cannot be scored as the inputs were, as their quality comes"
    ):
        filter_dataset(tmp_path / "scored.parquet", kept, keep_good=good, scorer=scorer)
    assert filter_dataset(tmp_path / "scored.parquet", kept, keep_good=good, scorer=scorer, rescore=True).kept
    score_dataset(good, tmp_path / "other_good.parquet", scorer=other)
    used = filter_dataset(tmp_path / "scored.parquet", kept, keep_good=tmp_path / "other_good.parquet", scorer=scorer)
    assert used.thresholds == selection.thresholds


def test_scores_of_unknown_origin_are_compared_with_their_like(tmp_path, good, scorer):
    for name, low in (("inputs", 0.0), ("known", 0.5)):
        pq.write_table(pa.table({"quality": np.linspace(low, 1, 100)}), tmp_path / f"{name}.parquet")
    kept = tmp_path / "kept.parquet"
    selection = filter_dataset(tmp_path / "inputs.parquet", kept, keep_good=tmp_path / "known.parquet", share=0.9)
    assert selection.thresholds["quality"] == pytest.approx(0.5 + 0.5 * 10 / 99)
    with pytest.raises(PenpalError, match=r"their quality does not say which model it comes from; .* --rescore"):
        filter_dataset(tmp_path / "inputs.parquet", kept, keep_good=good, scorer=scorer)


def test_texts_have_their_threshold_from_the_same_lines(lines, good, tmp_path, scorer, reader):
    kept = tmp_path / "kept.parquet"
    settings = {"keep_good": good, "share": 0.75, "scorer": scorer, "reader": reader, "text": "text"}
    selection = filter_dataset(lines, kept, **settings)
    table = pq.read_table(good)
    match = reader.match(table, table["text"], errors="null")[:40]
    assert list(selection.found) == ["quality", "text_match"]
    assert (match >= np.float32(selection.thresholds["text_match"])).sum() == 30
    given = filter_dataset(lines, kept, **settings, text_threshold="balanced")
    assert list(given.found) == ["quality"]
    assert given.thresholds["text_match"] == 0.5
    alone = filter_dataset(lines, kept, keep_good=good, checks=[TextCheck(reader=reader)])
    assert list(alone.thresholds) == ["text_match"]
    pq.write_table(table.drop(["text"]), good)
    with pytest.raises(PenpalError, match=r"good\.parquet: no column 'text'"):
        filter_dataset(lines, kept, **settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0.3}, "give either keep_good or threshold; keep_good finds the threshold"),
        ({"thresholds": {"quality": 0.3}}, "give either keep_good or thresholds"),
        ({"share": 0}, "share must be a number above 0, up to 1, got 0"),
        ({"share": 95}, "share must be a number above 0, up to 1, got 95"),
        ({"share": float("nan")}, "share must be a number above 0"),
        ({"keep_good": None, "share": 0.9}, "share is for keep_good"),
        ({"keep_good": "missing.parquet"}, "missing.parquet: there is no such file"),
        ({"output": "good.parquet"}, "would replace an input"),
        ({"keep_good": None, "threshold": "from good lines"}, "must be a number from 0 to 1 or one of lenient"),
    ],
)
def test_what_cannot_be_done_is_said(lines, good, tmp_path, monkeypatch, scorer, change, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PenpalError, match=message):
        filter_dataset(**{"inputs": lines, "output": "kept.parquet", "keep_good": good, "scorer": scorer, **change})
    assert not (tmp_path / "kept.parquet").exists()


def test_few_good_rows_are_refused(lines, tmp_path, scorer):
    few = write(tmp_path / "few.parquet", [*(scrawl(seed, 3, 15) for seed in range(19)), None, []])
    with pytest.raises(PenpalError, match=r"few\.parquet: 19 of 21 rows have a quality; .* at least 20 good rows"):
        filter_dataset(lines, tmp_path / "kept.parquet", keep_good=few, scorer=scorer)


@pytest.mark.parametrize("name", ["scored.jsonl", "scored.parquet"])
def test_good_lines_keep_themselves_whatever_file_has_their_scores(tmp_path, good, scorer, name):
    """JSON has a score in fewer digits, which are a double above or below it."""
    scored, kept = tmp_path / name, tmp_path / "kept.parquet"
    score_dataset(good, scored, scorer=scorer)
    for share, count in ((1, 40), (0.95, 38), (0.5, 20)):
        assert filter_dataset(scored, kept, keep_good=scored, share=share, scorer=scorer).kept == count


def test_good_lines_keep_themselves_by_scores_of_any_precision(tmp_path):
    scores = np.random.default_rng(0).random(40)
    pq.write_table(pa.table({"looks": scores}), tmp_path / "rows.parquet")
    settings = {"keep_good": tmp_path / "rows.parquet", "quality_column": "looks", "share": 1}
    assert filter_dataset(tmp_path / "rows.parquet", tmp_path / "kept.parquet", **settings).kept == 40


def test_the_command_says_the_threshold_that_it_found(lines, good, tmp_path):
    arguments = ["filter", lines, "-o", tmp_path / "kept.parquet", "--backend", "native", "--keep-good", good]
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert content["threshold"] == content["keep_good"]["quality"]["threshold"]
    assert content["keep_good"]["quality"]["rows"] == 40
    shown = run(*arguments, "--share", "0.5")
    assert "quality: the threshold 0." in shown.output
    assert "keeps 50.0% of 40 good rows" in shown.output
    refused = run(*arguments, "--threshold", "0.3")
    assert refused.exit_code == 2
    assert "give either keep_good or threshold" in refused.output


def test_a_filter_begins_at_lenient_and_a_match_at_balanced(tmp_path):
    scores = [0.2, 0.3, 0.49, 0.5, 0.9]
    table = pa.table({"quality": pa.array(scores, pa.float32()), "text_match": pa.array(scores[::-1], pa.float32())})
    pq.write_table(table.append_column("text", pa.array(list("abcde"))), tmp_path / "scored.parquet")

    def kept(**settings):
        return filter_dataset(tmp_path / "scored.parquet", tmp_path / "kept.parquet", **settings)

    assert (kept().thresholds, kept().kept) == ({"quality": 0.3}, 4)
    both = kept(text="text")
    assert (both.thresholds, both.kept) == ({"quality": 0.3, "text_match": 0.5}, 1)
    assert kept(checks=[TextCheck()]).thresholds == {"text_match": 0.5}
    done = run("filter", tmp_path / "scored.parquet", "-o", tmp_path / "kept.parquet", "--json")
    assert json.loads(done.stdout)["threshold"] == 0.3


def test_scores_note_the_model_but_not_its_engine(lines, tmp_path, scorer):
    origins = set()
    for name, settings in {"one": {}, "dropped": {"drop_first_point": True}}.items():
        score_dataset(lines, tmp_path / f"{name}.parquet", checks=[QualityCheck(scorer=scorer, **settings)])
        (noted,) = noted_scores(pq.read_schema(tmp_path / f"{name}.parquet"))
        origins.add(noted.made_by)
    assert len(origins) == 2
    assert all(len(origin) == 32 for origin in origins)
    other = Scorer(backend="mlx", batch_size=7)
    assert made_by(QualityCheck(scorer=other)) == made_by(QualityCheck(scorer=scorer)) in origins
