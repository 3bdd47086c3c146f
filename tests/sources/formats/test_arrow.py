"""Arrow IPC and Feather."""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from pyarrow import feather, ipc

from helpers.arrow import column
from helpers.commands import run
from helpers.hostile_files import damaged, read_or_refused, refused
from helpers.made_lines import scrawl
from penpal_fast import read_rows
from penpal_fast.sources.streams import open_sources

TABLE = pa.table(
    {
        "strokes": column([scrawl(seed, 2, 5) for seed in range(40)]),
        "text": pa.array(["a", None] * 20).dictionary_encode(),
        "id": range(40),
    },
    metadata={b"kept": b"yes"},
)


def content(table=TABLE, *, stream=False, **options):
    sink = pa.BufferOutputStream()
    writer = (ipc.new_stream if stream else ipc.new_file)(sink, table.schema, options=ipc.IpcWriteOptions(**options))
    with writer:
        writer.write_table(table, max_chunksize=7)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize(("name", "stream"), [("rows.arrow", False), ("rows.arrow", True), ("rows.ipc", False)])
def test_files_and_streams(tmp_path, name, stream, compression):
    path = tmp_path / name
    path.write_bytes(content(stream=stream, compression=compression))
    table = read_rows(path)
    assert table.equals(TABLE)
    assert table.schema.metadata == TABLE.schema.metadata


def test_feather(tmp_path):
    path = tmp_path / "rows.feather"
    feather.write_feather(TABLE, path)
    assert read_rows(path).equals(TABLE)


def test_feather_of_version_1_is_refused_by_name(tmp_path):
    path = tmp_path / "rows.feather"
    path.write_bytes(b"FEA1" + bytes(60) + b"FEA1")
    assert "Feather of version 1" in refused(path)


def test_rows_from_any_start(tmp_path):
    path = tmp_path / "rows.arrow"
    path.write_bytes(content())
    (source,) = open_sources(path, "strokes")
    for start in (0, 6, 7, 8, 39, 40):
        found = [batch.data for batch in source.batches(3, start=start)]
        assert all(len(one) <= 3 for one in found)
        assert pa.Table.from_batches(found, TABLE.schema).equals(TABLE.slice(start))


def test_scores_are_those_of_parquet(tmp_path, scorer):
    path = tmp_path / "rows.arrow"
    path.write_bytes(content())
    result = run("score", path, "-o", tmp_path / "scored.parquet", "--backend", "native")
    assert result.exit_code == 0, result.output
    scores = read_rows(tmp_path / "scored.parquet")["quality"]
    assert scores.to_pylist() == scorer.score(TABLE["strokes"]).tolist()


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (b"", "the file is empty"),
        (b"ARROW1", "Arrow IPC"),
        (b"ARROW1\0\0" + b"\xff" * 40, "Arrow IPC"),
        (b"rows", "Arrow IPC"),
        (b"PAR1", "cannot read it as a Parquet file"),
        (b"<html>", "an HTML page"),
    ],
)
def test_other_files_are_refused(tmp_path, cut, message):
    path = tmp_path / "rows.arrow"
    path.write_bytes(cut)
    assert message in refused(path)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("second", [TABLE, TABLE.slice(0, 0), TABLE.slice(0, 9)], ids=len)
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_files_that_were_joined_are_refused(tmp_path, stream, second, compression):
    """PyArrow reads one of the two."""
    path = tmp_path / "rows.arrow"
    path.write_bytes(content(stream=stream, compression=compression) + content(second, stream=stream))
    assert "joined" in refused(path)


def test_a_batch_that_the_footer_does_not_list_is_refused(tmp_path):
    count = 251
    table = pa.table({"strokes": column([scrawl(1, 1, 3)] * count)})
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    whole = sink.getvalue().to_pybytes()
    footer = len(whole) - 10 - int.from_bytes(whole[-10:-6], "little")
    listed = whole.index(count.to_bytes(4, "little"), footer)  # The list begins with its length.
    path = tmp_path / "rows.arrow"
    path.write_bytes(whole[:listed] + (count - 1).to_bytes(4, "little") + whole[listed + 4 :])
    assert ipc.open_file(path).num_record_batches == count - 1
    assert "does not list" in refused(path)


@pytest.mark.parametrize(("kept", "rows"), [(-8, 40), ("batch", 35)])
def test_a_stream_without_its_end_is_warned_of(tmp_path, caplog, kept, rows):
    whole = content(TABLE.drop_columns(["text"]), stream=True)
    if kept == "batch":
        kept = whole.rindex(b"\xff\xff\xff\xff", 0, -8)
    path = tmp_path / "rows.arrow"
    path.write_bytes(whole[:kept])
    assert len(read_rows(path)) == rows
    assert "may have been cut short" in caplog.text
    assert caplog.text.count("cut short") == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("legacy", [False, True])
def test_files_of_old_and_new_versions_are_read_without_a_word(tmp_path, caplog, stream, legacy):
    for rows in (0, 7, 40):
        path = tmp_path / f"{rows}.arrow"
        path.write_bytes(content(TABLE.slice(0, rows), stream=stream, use_legacy_format=legacy))
        assert read_rows(path).equals(TABLE.slice(0, rows))
    assert not caplog.text


@pytest.mark.parametrize("stream", [False, True])
def test_offsets_that_lead_away_are_refused(tmp_path, stream):
    """The offsets of the texts say more than there is."""
    offsets = b"\0\0\0\0\3\0\0\0\7\0\0\0"
    whole = content(pa.table({"text": ["abc", "defg"]}), stream=stream)
    assert whole.count(offsets) == 1
    path = tmp_path / "rows.arrow"
    path.write_bytes(whole.replace(offsets, offsets[:8] + b"\xff\xff\xff\x7f"))
    refused(path)


def packed(values, **options):
    """A file with these numbers in one row, packed."""
    table = pa.table({"strokes": column([scrawl(0, 2, 5)]), "more": pa.array([values])})
    return content(table, compression="zstd", **options)


@pytest.mark.parametrize("stream", [False, True])
def test_batches_that_would_unpack_to_far_more_are_refused(tmp_path, monkeypatch, stream):
    bomb = tmp_path / "bomb.arrow"
    bomb.write_bytes(packed(np.zeros(1_000_000), stream=stream))
    read_rows(bomb)
    monkeypatch.setattr("penpal_fast.sources.formats.arrow_claims.MANY_BYTES", 1_000_000)
    assert "batch 0 claims to hold 8,000," in refused(bomb)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("claim", "message"), [(1 << 61, "claims to hold 2,305,843,009,2"), (10, ""), (-5, "")])
def test_packed_buffers_that_lie_are_refused(tmp_path, stream, claim, message):
    whole = packed(np.arange(1234.0), stream=stream)
    size = struct.pack("<q", 8 * 1234)
    assert whole.count(size) == 1
    path = tmp_path / "rows.arrow"
    path.write_bytes(whole.replace(size, struct.pack("<q", claim)))
    assert message in refused(path)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["strokes", "more"])
def test_items_without_bytes_are_bounded(tmp_path, stream, name):
    nulls = pa.nulls(123_457) if name == "strokes" else pa.array([[None] * 123_457])
    sink = pa.BufferOutputStream()
    with (ipc.new_stream if stream else ipc.new_file)(sink, pa.schema([(name, nulls.type)])) as writer:
        writer.write_table(pa.table({name: nulls}))
    count = struct.pack("<q", 123_457)
    path = tmp_path / "rows.arrow"
    path.write_bytes(sink.getvalue().to_pybytes())
    assert len(read_rows(path)) == len(nulls)
    path.write_bytes(path.read_bytes().replace(count, struct.pack("<q", 1 << 40)))
    assert "claims to hold 1,099,511,627,776 items" in refused(path)


@pytest.mark.parametrize("name", [b"strokes", b"points"])
def test_names_that_are_not_utf_8(tmp_path, name):
    path = tmp_path / "rows.arrow"
    path.write_bytes(content(TABLE).replace(name, b"\xd0" + name[1:]))
    assert "cannot read this Arrow" in refused(path)


@settings(max_examples=60)
@given(damaged(content(TABLE.slice(0, 9))), damaged(content(TABLE.slice(0, 9), stream=True, compression="lz4")))
def test_damaged_files(tmp_path_factory, file, stream):
    path = tmp_path_factory.mktemp("damaged") / "rows.arrow"
    for damage in (file, stream):
        path.write_bytes(damage)
        read_or_refused(path)
