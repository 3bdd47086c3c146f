"""Columns of strokes are decoded in Rust exactly as PyArrow decodes them, or left to PyArrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from helpers.alarm import worked
from penpal_fast import PenpalError, score_dataset
from penpal_fast.sources.inputs import find_inputs
from penpal_fast.sources.parquet import ParquetSource
from penpal_fast.sources.parquet_footer import ParquetFooter
from penpal_fast.sources.stroke_decoder import StrokeDecoder

SECONDS = 10
"""Any small file is read or refused in far less."""

FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


def point_type(kind: pa.DataType, *, required: bool = False) -> pa.DataType:
    return pa.struct([pa.field("x", kind, not required), pa.field("y", kind, not required)])


@st.composite
def stroke_types(draw):
    """Types of strokes that are decoded in Rust, or could be taken for them."""
    lists = st.sampled_from([pa.list_, pa.list_, pa.large_list])
    kind = point_type(draw(st.sampled_from([pa.float32(), pa.float64()])), required=draw(st.booleans()))
    kind = draw(lists)(pa.field("element", kind, draw(st.booleans())))
    if draw(st.booleans()):
        kind = pa.struct([pa.field("points", kind, draw(st.booleans()))])
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(lists)(pa.field("item", kind, draw(st.booleans())))
    return kind


def made(random: np.random.Generator, kind: pa.DataType, count: int, nulls: float, nullable: bool = True) -> pa.Array:
    """An array of random lengths, numbers and nulls."""
    mask = random.random(count) < nulls if nullable else np.zeros(count, bool)
    if pa.types.is_struct(kind):
        fields = [made(random, field.type, count, nulls, field.nullable) for field in kind]
        buffers = [pa.array(~mask).buffers()[1]] if nullable else [None]
        return pa.Array.from_buffers(kind, count, buffers, children=fields)
    if pa.types.is_floating(kind):
        numbers = (
            random.choice([0.0, -0.0, 1.5, np.nan, np.inf, 1e30], count)
            if random.random() < 0.1
            else (random.integers(-50, 50, count) if random.random() < 0.5 else random.normal(size=count))
        )
        return pa.array(numbers.astype(kind.to_pandas_dtype()), kind, mask=mask)
    most = int(random.choice([2, 4, 30]))
    lengths = np.where(mask, 0, random.integers(0, most, count))
    offsets = np.concatenate([[0], lengths.cumsum()]).astype(np.int64 if pa.types.is_large_list(kind) else np.int32)
    items = made(random, kind.value_type, int(offsets[-1]), nulls, kind.value_field.nullable)
    buffers = [pa.array(~mask).buffers()[1] if nullable else None, pa.py_buffer(offsets)]
    return pa.Array.from_buffers(kind, count, buffers, children=[items])


@st.composite
def written(draw):
    """A table, and the options of a writer."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(stroke_types())
    rows = draw(st.sampled_from([0, 1, 5, 60, 400]))
    nulls = draw(st.sampled_from([0.0, 0.0, 0.02, 0.3]))
    columns = {"strokes": made(random, kind, rows, nulls, nulls > 0)}
    fields = [pa.field("strokes", kind, nulls > 0 or draw(st.booleans()), {"unit": "dot"})]
    if draw(st.booleans()):
        columns["text"] = pa.array([f"line {row % 7}" * (row % 3) for row in range(rows)], pa.string())
        fields.insert(draw(st.integers(0, 1)), pa.field("text", pa.string()))
    table = pa.table({field.name: columns[field.name] for field in fields}, pa.schema(fields, {"made": "by a test"}))
    split = draw(st.booleans())
    options = {
        "compression": draw(st.sampled_from(["none", "snappy", "zstd", "gzip"])),
        "data_page_version": draw(st.sampled_from(["1.0", "2.0"])),
        "data_page_size": draw(st.sampled_from([64, 1000, 1 << 20])),
        "dictionary_pagesize_limit": draw(st.sampled_from([64, 1 << 20])),
        "row_group_size": draw(st.sampled_from([3, 50, 1 << 20])),
        "write_batch_size": draw(st.sampled_from([1, 7, 1024])),
        "use_dictionary": not split and draw(st.booleans()),
        "use_byte_stream_split": split and ["strokes." + path for path in leaves(table.schema)],
        "write_page_checksum": draw(st.booleans()),
        "store_schema": draw(st.sampled_from([True, True, False])),
        "use_compliant_nested_type": draw(st.booleans()),
    }
    return table, options


def write_table(table: pa.Table, path, options) -> None:
    """Write a table that the writer knows how to write: PyArrow 17 knows no items below a null of a struct."""
    try:
        pq.write_table(table, path, **options)
    except pa.ArrowNotImplementedError as error:
        assert "non-zero length null components" in str(error)
        reject()


def leaves(schema: pa.Schema) -> list[str]:
    empty = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), empty)
    stored = pq.ParquetFile(pa.BufferReader(empty.getvalue())).schema
    paths = [stored.column(index).path for index in range(len(stored))]
    return [path.removeprefix("strokes.") for path in paths if path.startswith("strokes.")]


def read(path, rows=64, start=0, columns=None) -> list[pa.RecordBatch]:
    source = ParquetSource(find_inputs(path)[0])
    return [batch.data for batch in source.batches(rows, start=start, columns=columns)]


def read_by_pyarrow(path, **how) -> list[pa.RecordBatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StrokeDecoder, "__bool__", lambda _self: False)
        return read(path, **how)


@pytest.fixture
def reasons(monkeypatch):
    """Why files were left to PyArrow."""
    found: list[str] = []
    leave = StrokeDecoder.leave
    monkeypatch.setattr(StrokeDecoder, "leave", lambda self, why: (found.append(why), leave(self, why))[1])
    return found


def same(found: list[pa.RecordBatch], expected: list[pa.RecordBatch], *, metadata: bool = True) -> None:
    schemas = [batch.schema if metadata else batch.schema.remove_metadata() for batch in [*found, *expected]]
    assert len(set(map(str, schemas))) <= 1
    if expected:
        tables = [pa.Table.from_batches(batches).combine_chunks() for batches in (found, expected)]
        for column in tables[0].columns:
            if pa.types.is_nested(column.type):  # PyArrow reads texts, of which damage may leave no UTF-8.
                column.validate(full=True)
        assert tables[0].schema.equals(tables[1].schema, check_metadata=metadata)
        assert bits(tables[0]) == bits(tables[1])


def bits(array: pa.Table | pa.Array | pa.ChunkedArray) -> list[object]:
    """All values, where NaN is like itself and 0.0 unlike -0.0, and fields may have the same name."""
    if isinstance(array, pa.Table):
        return [bits(column) for column in array.columns]
    if pa.types.is_struct(array.type):
        return [array.is_valid().to_pylist(), *map(bits, array.flatten())]
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return [pc.list_value_length(array).to_pylist(), bits(pc.list_flatten(array))]
    if pa.types.is_string(array.type):
        array = array.cast(pa.binary())
    return [repr(array.to_pylist())]


@FEW
@given(made=written(), rows=st.sampled_from([1, 7, 64, 4096]), start=st.integers(0, 80))
def test_rows_are_those_of_pyarrow(tmp_path, reasons, made, rows, start):
    table, options = made
    reasons.clear()
    path = tmp_path / "lines.parquet"
    write_table(table, path, options)
    same(read(path, rows=rows, start=start), read_by_pyarrow(path, rows=rows, start=start))
    assert not reasons or options["compression"] == "gzip", reasons


@FEW
@given(made=written(), data=st.data())
def test_damaged_files_are_what_they_are_for_pyarrow(tmp_path, made, data):
    table, options = made
    path = tmp_path / "lines.parquet"
    write_table(table, path, options)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(4, len(content) - 9))
        content[place] = data.draw(st.sampled_from([0, 1, 2, 3, 0x7F, 0x80, 0xFF, content[place] ^ 1]))
    path.write_bytes(content)
    outcomes = []
    for how in (read, read_by_pyarrow):
        try:
            with worked(SECONDS):
                outcomes.append(how(path))
        except PenpalError as error:
            assert str(path) in str(error)
            outcomes.append(str(error))
    if isinstance(outcomes[1], list) and isinstance(outcomes[0], list):
        # A file has its metadata twice, and PyArrow takes now the one, now the other.
        same(*outcomes, metadata=False)
    else:
        assert outcomes[0] == outcomes[1]


def test_who_reads_while_another_call_reads_is_told_so(tmp_path):
    """Waiting for the other call would take for ever, as it may wait for the caller."""
    kind = pa.list_(pa.list_(point_type(pa.float32())))
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": made(np.random.default_rng(0), kind, 9, 0)}), path, compression="zstd")
    with path.open("rb") as file:
        footer = ParquetFooter(file)

    refused = []

    def decompressed(codec, data, size):
        refused.append(codec)
        with pytest.raises(PenpalError, match="another call reads from this object"):
            reader.read(1, 1)
        return pa.Codec(codec).decompress(data, size, asbytes=True)

    ((column, _levels),) = footer.stroke_columns()
    reader = footer.strokes(path, 0, column, decompressed)
    assert reader.read(9, 1 << 20)[0] == 9
    assert reader.read(9, 1 << 20)[0] == 0
    assert refused


def test_wanted_columns(tmp_path):
    kind = pa.list_(pa.list_(point_type(pa.float32())))
    strokes = made(np.random.default_rng(0), kind, 9, 0.1)
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"a": range(9), "strokes": strokes, "text": ["x"] * 9}), path)
    for columns in (["strokes"], ["text", "strokes"], ["a"], [], None):
        same(read(path, columns=columns), read_by_pyarrow(path, columns=columns))


def test_texts_that_repeat_end_a_piece(tmp_path):
    kind = pa.list_(pa.list_(point_type(pa.float32())))
    table = pa.table({"strokes": made(np.random.default_rng(0), kind, 300, 0.0), "text": ["x" * 200_000] * 300})
    path = tmp_path / "lines.parquet"
    pq.write_table(table, path)
    source = ParquetSource(find_inputs(path)[0])
    with source._opened("it is damaged") as (opened, footer):
        found = list(StrokeDecoder(opened, footer, path, None).pieces([0], 300, 1 << 20, 4))
    same(found, read_by_pyarrow(path))
    assert max(batch.nbytes for batch in found) < 2 << 20


def test_lists_of_x_and_y_that_differ_are_left_to_pyarrow(tmp_path, reasons):
    def stored(lengths):
        x = pa.array(
            [[[{"x": 1.0, "y": float(row)}] * length] for row, length in enumerate(lengths)],
            pa.list_(pa.list_(point_type(pa.float64()))),
        )
        path = tmp_path / f"{lengths[0]}.parquet"
        pq.write_table(pa.table({"strokes": x}), path, compression="none", use_dictionary=False, write_statistics=False)
        return path

    # The levels of y, from another file with as many entries, in other lists.
    path, other = stored([3, 1]), stored([1, 3])
    content, others = bytearray(path.read_bytes()), other.read_bytes()
    half = pq.read_metadata(path).row_group(0).column(1)
    place = slice(half.data_page_offset, half.data_page_offset + half.total_compressed_size)
    assert len(content) == len(others)
    content[place] = others[place]
    path.write_bytes(content)
    try:
        expected = read_by_pyarrow(path)
    except PenpalError as error:
        with pytest.raises(PenpalError) as raised:
            read(path)
        assert str(raised.value) == str(error)
    else:
        same(read(path), expected)
    assert reasons == ["x and y have different lists"]


def test_scores_are_the_same_bytes(tmp_path, monkeypatch):
    lines = [[[[(0.0, 0.0), (9.0, 3.0), (4.0 + row, 8.0)]], [[(1.0, 5.0)]]] for row in range(200)]
    kind = pa.list_(pa.list_(pa.struct([("points", pa.list_(point_type(pa.float32())))])))
    rows = [[[{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in word] for word in line] for line in lines]
    pq.write_table(pa.table({"strokes": pa.array([*rows, None], kind)}), tmp_path / "lines.parquet", row_group_size=90)
    score_dataset(tmp_path / "lines.parquet", tmp_path / "fast.parquet")
    monkeypatch.setattr(StrokeDecoder, "__bool__", lambda _self: False)
    score_dataset(tmp_path / "lines.parquet", tmp_path / "slow.parquet")
    assert (tmp_path / "fast.parquet").read_bytes() == (tmp_path / "slow.parquet").read_bytes()


def test_a_file_that_is_replaced_does_not_mix_its_rows(tmp_path, reasons):
    def write(name, number):
        strokes = pa.array([[[{"x": number, "y": number}]]] * 200, pa.list_(pa.list_(point_type(pa.float32()))))
        table = pa.table({"strokes": strokes, "number": pa.array([number] * 200)})
        pq.write_table(table, tmp_path / name, row_group_size=100)
        return tmp_path / name

    path = write("lines.parquet", 1.0)
    batches = ParquetSource(find_inputs(path)[0]).batches(100)
    found = [next(batches).data]
    write("others.parquet", 2.0).replace(path)
    found += [batch.data for batch in batches]
    for row in pa.Table.from_batches(found).to_pylist():
        assert row == {"strokes": [[{"x": 1.0, "y": 1.0}]], "number": 1.0}
    assert reasons == ["the file has changed"]
