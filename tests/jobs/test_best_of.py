"""Best of n: which of the rows that share a value is kept."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.arrow import column
from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, TextCheck, filter_dataset, score_dataset
from penpal_fast.jobs.best_of import BestRows
from penpal_fast.jobs.judged_rows import NOT_BEST
from penpal_fast.sources import memory


def table(prompts, quality, match=None):
    """Rows that have their scores already, and are numbered."""
    columns = {"prompt": prompts, "number": range(len(prompts)), "quality": pa.array(quality, pa.float32())}
    if match is not None:
        columns["text_match"] = pa.array(match, pa.float32())
    return pa.table(columns)


def kept(path, found, **settings):
    """The numbers of the rows that are kept, and the selection."""
    pq.write_table(found, path / "scored.parquet")
    selection = filter_dataset(path / "scored.parquet", path / "kept.parquet", best_of="prompt", **settings)
    return pq.read_table(path / "kept.parquet")["number"].to_pylist(), selection


def test_the_best_of_each_group_is_kept(tmp_path):
    found = table(["a", "b", "a", "a", "b", "c"], [0.6, 0.7, 0.9, 0.8, 0.95, 0.2])
    rows, selection = kept(tmp_path, found)
    assert rows == [2, 4]
    assert (selection.rows, selection.kept, selection.groups) == (6, 2, 3)
    assert +selection.rejected == {NOT_BEST: 3, "below the threshold": 1}


def test_without_a_threshold_each_group_with_a_score_has_a_row(tmp_path):
    found = table(["a", "b", "a", "c", "d"], [0.1, 0.0, 0.2, None, float("nan")])
    rows, selection = kept(tmp_path, found, threshold=0)
    assert rows == [1, 2]
    assert (selection.groups, selection.bad) == (4, 2)


def test_a_rank_that_is_no_score_is_named_with_its_row(tmp_path):
    found = table(["a"] * 40, [0.5] * 40, [0.5] * 37 + [1.5] * 3)
    with pytest.raises(PenpalError, match=r"scored\.parquet, row 37: text_match is 1\.5"):
        kept(tmp_path, found)


def test_match_and_score_are_multiplied(tmp_path):
    found = table(["a"] * 3 + ["b"] * 2, [1.0, 0.8, 0.7, 0.9, 0.6], [0.5, 0.7, 0.75, None, 0.1])
    assert kept(tmp_path, found, threshold=0)[0] == [1, 4]
    assert kept(tmp_path, found, threshold=0, text_threshold=0.72)[0] == [2]
    assert kept(tmp_path, found.drop(["text_match"]), threshold=0)[0] == [0, 3]


def test_a_row_without_a_match_is_kept_if_there_is_no_better(tmp_path):
    assert kept(tmp_path, table(["a", "a"], [0.9, 0.9], [None, None]))[0] == [0]
    assert kept(tmp_path, table(["a", "a"], [0.9, 0.9], [None, None]), text_threshold=0)[0] == []


@pytest.mark.parametrize("match", [[None] * 5, [0.0, None, 0.0, None, 0.0], [float("nan")] * 5])
def test_where_no_row_says_its_text_the_score_decides(tmp_path, match):
    """A prompt in a script that cannot be read has no match in any row."""
    found = table(["a", "a", "a", "b", "a"], [0.3, 0.5, 0.9, 0.7, 0.8], match)
    assert kept(tmp_path, found, threshold=0)[0] == [2, 3]
    some = table(["a", "a", "a"], [0.3, 0.9, 1.0], [1e-38, 0.0, None])
    assert kept(tmp_path, some, threshold=0)[0] == [0]


def test_the_first_of_equal_rows_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "BATCH_ROWS", 2)
    assert kept(tmp_path, table(["a", "b", "b", "a", "b", "a"], [0.7, 0.6, 0.8, 0.7, 0.8, 0.7]))[0] == [0, 2]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_rows_without_a_value_share_it_with_none(tmp_path, missing):
    prompts = pa.array([1.0, missing, 1.0, missing, missing], pa.float64(), from_pandas=False)
    rows, selection = kept(tmp_path, table(prompts, [0.7, 0.8, 0.9, 0.6, 0.1]))
    assert rows == [1, 2, 3]
    assert selection.groups == 4


@pytest.mark.parametrize("batch_rows", [1, 3, 4096])
def test_groups_are_spread_over_files(tmp_path, monkeypatch, batch_rows):
    monkeypatch.setattr(memory, "BATCH_ROWS", batch_rows)
    prompts, quality = ["a", "b", "c"] * 4, [(7 * row % 12) / 12 for row in range(12)]
    whole = table(prompts, quality)
    for name, start in (("x", 0), ("y", 5), ("z", 10)):
        pq.write_table(whole.slice(start, 5), tmp_path / f"{name}.parquet")
    inputs = [tmp_path / f"{name}.parquet" for name in "xyz"]
    out, rest = tmp_path / "kept.parquet", tmp_path / "rest.parquet"
    selection = filter_dataset(inputs, out, threshold=0, best_of="prompt", keep_rejected=rest)
    expected = [max(range(row, 12, 3), key=lambda row: quality[row]) for row in range(3)]
    assert pq.read_table(out)["number"].to_pylist() == sorted(expected)
    assert pq.read_table(rest)["number"].to_pylist() == [row for row in range(12) if row not in expected]
    assert (selection.kept, selection.groups) == (3, 3)


KINDS = {
    "texts": lambda numbers: [f"prompt {number}" for number in numbers],
    "long texts": lambda numbers: [f"{'prompt ' * 50}{number}" for number in numbers],
    "integers": lambda numbers: numbers,
    "floats": lambda numbers: [number / 2 for number in numbers],
    "bytes": lambda numbers: [bytes([number]) * 80 for number in numbers],
    "dictionary": lambda numbers: pa.array([f"prompt {number}" for number in numbers]).dictionary_encode(),
    "bytes of a fixed size": lambda numbers: pa.array([bytes([number]) * 16 for number in numbers], pa.binary(16)),
    "decimals": lambda numbers: pa.array([Decimal(number) / 4 for number in numbers], pa.decimal128(5, 2)),
    "large": lambda numbers: pa.array([f"prompt {number}" for number in numbers], pa.large_string()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_many_types(tmp_path, kind):
    assert kept(tmp_path, table(KINDS[kind]([1, 2, 1, 2, 3]), [0.6, 0.7, 0.8, 0.5, 0.9]))[0] == [1, 2, 4]


def test_values_that_are_all_null_or_booleans(tmp_path):
    assert kept(tmp_path, table(pa.nulls(3), [0.6, 0.1, 0.8]))[0] == [0, 2]
    assert kept(tmp_path, table([True, False, True], [0.6, 0.7, 0.8]))[0] == [1, 2]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", r"no column 'nothing'; name the one whose values rows share .*\nthe columns are\n  prompt: list"),
        ("prompt", r"cannot be grouped by the column 'prompt', which is of type list.*; name a column of texts or"),
    ],
)
def test_a_column_that_makes_no_groups_is_refused(tmp_path, name, message):
    pq.write_table(table([["a"], ["b"]], [0.6, 0.7]), tmp_path / "scored.parquet")
    with pytest.raises(PenpalError, match=message):
        filter_dataset(tmp_path / "scored.parquet", tmp_path / "kept.parquet", best_of=name)
    assert [path.name for path in tmp_path.iterdir()] == ["scored.parquet"]


ROWS = [*(scrawl(seed, 5, 25) for seed in range(20)), None, []]
MIN_MATCH = 1e-9
"""Of scrawls, which say nothing."""

PROMPTS = [f"prompt {row % 5}" for row in range(len(ROWS))]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_rows_that_are_scored_first(tmp_path, monkeypatch, scorer, reader, suffix):
    monkeypatch.setattr(memory, "BATCH_ROWS", 7)
    lines = tmp_path / f"lines.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table({"strokes": column(ROWS), "prompt": PROMPTS}), lines)
    else:
        rows = [{"strokes": row, "prompt": prompt} for row, prompt in zip(ROWS, PROMPTS, strict=True)]
        lines.write_text("\n".join(map(json.dumps, rows)))
    settings = {"scorer": scorer, "reader": reader, "text": "prompt"}
    score_dataset(lines, tmp_path / "scored.parquet", **settings)
    looked = []
    monkeypatch.setattr(
        TextCheck, "look", lambda self, rows, look=TextCheck.look: looked.append(len(rows)) or look(self, rows)
    )
    out, rest = tmp_path / "kept.parquet", tmp_path / "rest.parquet"
    seen = []
    limits = {"threshold": 0, "text_threshold": MIN_MATCH, "best_of": "prompt"}
    selection = filter_dataset(
        lines, out, keep_rejected=rest, progress=lambda *now: seen.append(now), **limits, **settings
    )
    assert sum(looked) == len(ROWS)
    assert seen[-1] == (44, 44)
    assert seen == sorted(seen)

    scored = pq.read_table(tmp_path / "scored.parquet")
    quality, match = (np.nan_to_num(scored[name].to_numpy()) for name in ("quality", "text_match"))
    ranks = np.where(match >= MIN_MATCH, quality.astype(np.float64) * match, -1)
    groups = [np.arange(prompt, len(ROWS), 5) for prompt in range(5)]
    best = sorted(int(group[ranks[group].argmax()]) for group in groups if ranks[group].max() >= 0)
    assert len(best) > 2
    assert pq.read_table(out).equals(scored.take(best))
    assert pq.read_table(rest).equals(scored.take([row for row in range(len(ROWS)) if row not in best]))
    assert (selection.rows, selection.kept, selection.bad, selection.groups) == (22, len(best), 2, 5)

    filter_dataset(tmp_path / "scored.parquet", tmp_path / "again.parquet", **limits)
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(out))
    assert sum(looked) == len(ROWS)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "tmp"))]


@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "b", "c", "d" * 99]), st.sampled_from([None, 0.0, 0.25, 0.5, 1.0]))),
    st.integers(1, 5),
)
def test_the_best_rows_are_those_of_a_plain_search(rows, size):
    best = BestRows()
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    for batch in batches:
        ranks = np.array([np.nan if rank is None else rank for _, rank in batch], np.float64)
        best.add(pa.array([value for value, _ in batch], pa.string()), ranks)
    chosen = []
    for number, batch in enumerate(batches):
        chosen += best.chosen(pa.array([value for value, _ in batch], pa.string()), number * size).tolist()
    expected = [value is None for value, _ in rows]
    for value in {value for value, _ in rows} - {None}:
        running = [row for row, (other, rank) in enumerate(rows) if other == value and rank is not None]
        if running:
            expected[max(running, key=lambda row: (rows[row][1], -row))] = True
    assert chosen == expected
    values = [value for value, _ in rows]
    assert best.groups == len(set(values) - {None}) + values.count(None)


@pytest.mark.parametrize("distinct", [1_000, 1_000_000])
def test_a_million_rows(distinct):
    """In batches of 4,096, as a job reads them."""
    best, rows = BestRows(), 1_000_000
    numbers = np.arange(rows) * 7919 % distinct
    ranks = np.arange(rows) * 104_729 % 1_000_003 / 1_000_003
    values = pa.array(numbers).cast(pa.string())
    for first in range(0, rows, 4096):
        best.add(values.slice(first, 4096), ranks[first : first + 4096])
    chosen = [best.chosen(values.slice(first, 4096), first) for first in range(0, rows, 4096)]
    found = np.flatnonzero(np.concatenate(chosen))
    assert best.groups == len(found) == distinct
    highest = np.full(distinct, -1.0)
    np.maximum.at(highest, numbers, ranks)
    assert np.array_equal(highest[numbers[found]], ranks[found])


def test_the_command(tmp_path):
    pq.write_table(table(["a", "b", "a", "c"], [0.6, 0.7, 0.9, 0.1]), tmp_path / "scored.parquet")
    done = run("filter", tmp_path / "scored.parquet", "-o", tmp_path / "kept.parquet", "--best-of", "prompt")
    assert done.exit_code == 0, done.output
    assert "4 rows, 2 kept, 2 rejected" in done.output
    assert "1 rejected: not the best of its group" in done.output
    assert "3 groups by prompt, 1 without a kept row" in done.output
    done = run("filter", tmp_path / "scored.parquet", "-o", tmp_path / "kept.parquet", "--best-of", "prompt", "--json")
    assert json.loads(done.stdout)["groups"] == 3
