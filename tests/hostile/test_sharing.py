"""Rows that share their parts, so that a few bytes claim gigabytes: read where they are few, refused where not."""

from __future__ import annotations

import json
import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from helpers.alarm import worked
from helpers.arrow import column, runs
from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast import ArrowScorer, PenpalError, read_rows, score_dataset
from penpal_fast.layouts import huge, sharing, weights
from penpal_fast.layouts.weights import BYTES, NUMBERS
from penpal_fast.sources import format_source
from penpal_fast.sources.streams import open_sources

LINES = [scrawl(seed, 2, 200) for seed in range(3)]

STROKES = column(LINES)

SHORT = [[(0.0, 0.0), (1.0, 1.0)]]

TEXTS = pa.array([json.dumps(line) for line in LINES])


def indices(rows):
    return [row % 3 for row in range(rows)]


def dictionary(values, rows):
    return pa.DictionaryArray.from_arrays(pa.array(indices(rows), pa.int32()), values)


def views(values, rows):
    """Rows that are the lists of a column, again and again."""
    lists = values.cast(pa.large_list(values.type.value_type))
    lengths = pc.list_value_length(lists)
    return pa.LargeListViewArray.from_arrays(
        lists.offsets[:-1].take(indices(rows)), lengths.take(indices(rows)), lists.values
    )


def inner_views(values, rows):
    """Rows of one stroke each, which are views of the points of all strokes."""
    points = pc.list_flatten(values).field("points")
    strokes = views(points, rows)
    return pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), strokes)


def text_views(values, rows):
    """Texts that are views of the same bytes, as Polars and DuckDB keep them."""
    texts = [text.encode() for text in values.to_pylist()]
    starts = np.cumsum([0, *map(len, texts)])
    made = b"".join(
        struct.pack("<i", len(text))
        + (text.ljust(12, b"\0") if len(text) <= 12 else struct.pack("<4sii", text[:4], 0, start))
        for text, start in zip(
            (texts[one] for one in indices(rows)), (starts[one] for one in indices(rows)), strict=True
        )
    )
    return pa.Array.from_buffers(pa.string_view(), rows, [None, pa.py_buffer(made), pa.py_buffer(b"".join(texts))])


def run_ends(values, rows):
    ends = [rows * (one + 1) // len(values) for one in range(len(values))]
    return runs(ends, values)


SHARED = {
    "a dictionary of lists": lambda rows: {"strokes": dictionary(STROKES, rows)},
    "a dictionary of texts": lambda rows: {"strokes": dictionary(TEXTS, rows)},
    "views of lists": lambda rows: {"strokes": views(STROKES, rows)},
    "views within lists": lambda rows: {"strokes": inner_views(STROKES, rows)},
    "views of texts": lambda rows: {"strokes": text_views(TEXTS, rows)},
    "runs of texts": lambda rows: {"strokes": run_ends(TEXTS, rows)},
}


def can_unpack_views():
    """Whether PyArrow can read list views, and make views of texts; 16 can do neither."""
    try:
        pc.list_flatten(views(STROKES, 1))
    except pa.ArrowNotImplementedError:
        return False
    return True


@pytest.fixture(params=SHARED, ids=SHARED)
def shared(request):
    if "views" in request.param and not can_unpack_views():
        pytest.skip("this PyArrow cannot unpack views")
    return lambda rows: pa.table(SHARED[request.param](rows))


def write(path, table):
    with ipc.new_file(path, table.schema) as file:
        file.write_table(table)
    return path


def test_rows_that_share_are_scored_as_others(shared, scorer, tmp_path):
    table = shared(7)
    found = ArrowScorer(backend="native", threads=1)(table)
    assert found["quality_error"].null_count == 7
    read = read_rows(write(tmp_path / "rows.arrow", table))["strokes"]
    assert scorer.score(read).tolist() == found["quality"].to_pylist()
    assert len(set(found["quality"].to_pylist())) == 3


def test_rows_that_claim_far_more_than_there_is_are_refused(shared, monkeypatch):
    monkeypatch.setattr(sharing, "MANY_BYTES", 1 << 20)
    table = shared(5_000)
    with worked(5), pytest.raises(PenpalError, match="column 'strokes': its rows share their parts and claim"):
        ArrowScorer(backend="native", threads=1)(table)


def test_many_rows_may_share_a_text_that_is_small_beside_their_strokes(monkeypatch):
    """A large table whose texts are categories, as Polars and pandas make them."""
    monkeypatch.setattr(sharing, "MANY_BYTES", 1 << 10)
    rows = 600
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int8()), pa.array(["hello world " * 10]))
    table = pa.table({"strokes": column([SHORT] * rows), "text": text})
    assert ArrowScorer(backend="native", threads=1, text="text")(table)["quality"].null_count == 0


def test_rows_that_claim_far_more_are_refused_after_others_too(shared, monkeypatch):
    monkeypatch.setattr(sharing, "MANY_BYTES", 1 << 20)
    add_scores = ArrowScorer(backend="native", threads=1)
    assert add_scores(shared(3))["quality"].null_count == 0
    with worked(5), pytest.raises(PenpalError, match="column 'strokes': its rows share their parts and claim"):
        add_scores(shared(5_000))


def test_a_file_whose_rows_claim_far_more_than_there_is_is_refused(shared, monkeypatch, scorer, tmp_path):
    monkeypatch.setattr(format_source, "MANY_SHARED_BYTES", 1 << 20)
    path = write(tmp_path / "rows.arrow", shared(5_000))
    with worked(5), pytest.raises(PenpalError, match=r"rows.arrow: .*its rows share their parts and claim"):
        score_dataset(path, tmp_path / "out.parquet", scorer=scorer)
    for command in (["read"], ["explain", "--row", "3"], ["sheet", "-o", tmp_path / "out.png"]):
        done = run(command[0], path, *command[1:])
        assert done.exit_code == 1
        assert "its rows share their parts and claim" in " ".join(done.output.split())
    assert [one.name for one in tmp_path.iterdir()] == ["rows.arrow"]


@pytest.mark.parametrize("kind", ["dictionary", "run ends", "views"])
def test_other_columns_that_share_are_counted_too(kind, monkeypatch, tmp_path):
    """An output as JSON lines writes each row."""
    if kind == "views" and not can_unpack_views():
        pytest.skip("this PyArrow cannot make views of texts")
    long = pa.array(["x" * 50_000, "y", "z"])
    rows = 3_000
    made = {"dictionary": dictionary, "run ends": run_ends, "views": text_views}[kind](long, rows)
    path = write(tmp_path / "rows.arrow", pa.table({"strokes": column([SHORT] * rows), "text": made}))
    (source,) = open_sources(path, "strokes")
    assert 16_000 < source.row_bytes < 18_000
    monkeypatch.setattr(format_source, "MANY_SHARED_BYTES", 1 << 20)
    with pytest.raises(PenpalError, match=r"rows.arrow: .*its rows share their parts and claim"):
        open_sources(path, "strokes")


def test_files_that_differ_in_a_dictionary_are_told_apart(tmp_path):
    """A job that is resumed must not go on with another one."""
    found = set()
    for texts in (["a", "b", "c"], ["a", "b", "d"]):
        table = pa.table({"strokes": column([SHORT] * 3), "text": dictionary(pa.array(texts), 3)})
        (source,) = open_sources(write(tmp_path / "rows.arrow", table), "strokes")
        found.add(source.fingerprint)
    assert len(found) == 2


def test_one_large_row_among_small_ones_that_share_is_a_batch_of_its_own(tmp_path):
    texts = pa.array(["a", "b" * 3_000_000])
    rows = [0] * 50 + [1] * 3 + [0] * 50
    text = pa.DictionaryArray.from_arrays(pa.array(rows, pa.int32()), texts)
    path = write(tmp_path / "rows.arrow", pa.table({"strokes": column([LINES[0]] * len(rows)), "text": text}))
    (source,) = open_sources(path, "strokes")
    batches = [batch.data for batch in source.batches(8)]
    assert [len(batch) for batch in batches if "b" * 3_000_000 in batch["text"].to_pylist()] == [1] * 3
    assert sum(map(len, batches)) == len(rows)
    assert len(batches) < 30


def test_list_views_are_read_or_refused_by_any_pyarrow():
    try:
        found = ArrowScorer(backend="native", threads=1)(pa.table({"strokes": views(STROKES, 2)}))
    except PenpalError as error:
        assert not can_unpack_views(), error
        return
    assert found["quality"].null_count == 0


def test_broken_arrays_that_share_are_refused():
    views = pa.ListViewArray.from_buffers(
        pa.list_view(STROKES.type.value_type),
        1,
        [None, pa.py_buffer(np.array([2], np.int32)), pa.py_buffer(np.array([1 << 30], np.int32))],
        children=[STROKES.values],
    )
    codes = pa.Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(np.array([77], np.int32))])
    for broken in (views, pa.DictionaryArray.from_arrays(codes, STROKES, safe=False)):
        with pytest.raises(PenpalError, match="column 'strokes': it is broken"):
            ArrowScorer()(pa.table({"strokes": broken}))


def repeated(value, count):
    return pa.repeat(pa.scalar(value, pa.float32()), count)


def in_lists(values, *lengths):
    for length in lengths:
        values = pa.ListArray.from_arrays(pa.array(range(0, len(values) + 1, length), pa.int32()), values)
    return values


POINTS = 100_000

HUGE = {
    "offsets": lambda: in_lists(repeated(1.0, 3 * POINTS), 3, POINTS),
    "columns of offsets": lambda: pa.StructArray.from_arrays(
        [in_lists(repeated(1.0, POINTS), POINTS)] * 3, ["dx", "dy", "eos"]
    ),
    "columns": lambda: in_lists(
        pa.StructArray.from_arrays([in_lists(repeated(1.0, POINTS), POINTS)] * 2, ["x", "y"]), 1
    ),
    "points of three": lambda: in_lists(repeated(1.0, 3 * POINTS), 3, POINTS, 1),
}


@pytest.mark.parametrize("make", HUGE.values(), ids=HUGE)
def test_a_huge_row_is_left_out_before_it_is_converted(make, monkeypatch, tmp_path, scorer):
    """Some bytes of a file; converted, a point takes hundreds of bytes."""
    monkeypatch.setattr(huge, "MAX_NUMBERS", POINTS // 2)
    row = make()
    small = row.type
    good = pa.array([_as(small) for _ in range(3)], small)
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"strokes": pa.concat_arrays([good, row, good])}), path)
    assert path.stat().st_size < 50_000
    done = score_dataset(path, tmp_path / "out.parquet", scorer=scorer)
    assert (done.rows, done.scored, dict(done.reasons)) == (7, 6, {"too many points": 1})
    errors = pq.read_table(tmp_path / "out.parquet")["quality_error"].to_pylist()
    assert [row for row, error in enumerate(errors) if error] == [3]
    assert "numbers; at most 50,000 are looked at" in errors[3]
    assert read_rows(path)["strokes"].null_count == 1


def _as(kind):
    """A small row of a type of `HUGE`."""
    steps = [(1.0, 2.0, 0.0), (3.0, -1.0, 0.0), (-2.0, 4.0, 1.0)] * 3
    if pa.types.is_struct(kind):
        return dict(zip(("dx", "dy", "eos"), map(list, zip(*steps, strict=True)), strict=True))
    if pa.types.is_struct(kind.value_type):
        x, y, _ = map(list, zip(*steps, strict=True))
        return [{"x": x, "y": y}]
    return [steps] if pa.types.is_list(kind.value_type.value_type) else steps


def test_run_ends_that_take_no_bytes_are_bounded():
    claimed = runs([1 << 40], pa.array(["[[[0, 0], [1, 1]]]"]))
    with worked(5), pytest.raises(PenpalError, match="claim 1,099,511,627,776 items"):
        ArrowScorer()(pa.table({"strokes": claimed}))


ARRAYS = {
    "lists": (pa.array([[[1, 2], [3]], None, [], [[4]]], pa.list_(pa.list_(pa.int8()))), [3, 0, 0, 1], [3, 0, 0, 1]),
    "fixed lists": (pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2)), [8, 0, 8], [2, 0, 2]),
    "structs": (pa.array([[{"x": 1.0, "y": 2.0}] * 3]), [48], [3]),
    "texts": (pa.array(["abc", None, "é"]), [3, 0, 2], [0, 0, 0]),
    "maps": (pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int32())), [5, 0], [1, 0]),
    "a dictionary": (pa.array(["aa", "b", None, "aa"]).dictionary_encode(), [2, 1, 0, 2], [0, 0, 0, 0]),
    "lists of lists of texts": (pa.array([[["a"], ["bc"]], [], None, [["def"]]]), [3, 0, 0, 3], [0, 0, 0, 0]),
    "fixed lists of texts": (pa.array([["a", "b"], None, ["c", "def"]], pa.list_(pa.string(), 2)), [2, 0, 4], [0] * 3),
    "runs": (runs([2, 5], pa.array([1.0, 2.0])), [8] * 5, [1] * 5),
    "lists of texts": (pa.array([["a", "bc"], [], ["def"]]), [3, 0, 3], [0, 0, 0]),
}


@pytest.mark.parametrize(("array", "size", "numbers"), ARRAYS.values(), ids=ARRAYS)
def test_items_are_weighed(array, size, numbers):
    for start in range(len(array)):
        assert BYTES.of(array.slice(start)).tolist() == size[start:]
        assert NUMBERS.of(array.slice(start)).tolist() == numbers[start:]
        assert BYTES.of(array.slice(start, 1)).tolist() == size[start : start + 1]
        assert NUMBERS.of(array.slice(start, 1)).tolist() == numbers[start : start + 1]


SLICED = {
    "lists": lambda texts: pa.ListArray.from_arrays(pa.array(range(len(texts) + 1), pa.int32()), texts),
    "fixed lists": lambda texts: pa.FixedSizeListArray.from_arrays(texts, 1),
    "maps": lambda texts: pa.MapArray.from_arrays(pa.array(range(len(texts) + 1), pa.int32()), texts, texts),
}


@pytest.mark.parametrize("make", SLICED.values(), ids=SLICED)
def test_of_a_slice_only_its_own_items_are_weighed(make, monkeypatch):
    """The slices of a large batch must not each take the time of the whole."""
    weighed = []
    plain = weights._plain
    monkeypatch.setattr(weights, "_plain", lambda lengths: weighed.append(len(lengths)) or plain(lengths))
    rows = make(pa.array(["ab"] * 1_000))
    assert len(set(BYTES.of(rows.slice(300, 10)).tolist())) == 1
    assert max(weighed) == 10
    assert huge._longest(rows.slice(300, 10)) == 10
