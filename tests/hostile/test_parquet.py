"""Hostile Parquet files are refused with a message, and neither end the process nor fill the memory."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import compact_thrift as thrift
from helpers.arrow import column
from helpers.made_lines import scrawl
from helpers.paths import ROOT
from penpal_fast import PenpalError, _core, filter_dataset, score_dataset
from penpal_fast.handwriting.lines import read_lines
from penpal_fast.jobs import part_files, parts
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.look.scored_file import ScoredFile
from penpal_fast.look.serve.source_rows import SourceRows
from penpal_fast.sources.streams import open_sources
from penpal_fast.synthesis.texts import read_texts

ROWS = [scrawl(seed, 2 + seed % 3, 12) for seed in range(12)]

SCHEMA, ROW_COUNT, GROUPS = 2, 3, 4
"""Fields of the metadata."""

COLUMN = 3
"""Field of a column with what is known of it."""

VALUES, DECODED_SIZE, SIZE, DATA, DICTIONARY, SIZE_STATISTICS = 5, 6, 7, 9, 11, 16
"""Fields of what is known of a column."""


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Three row groups of four rows, which can be copied."""
    monkeypatch.setattr(parts, "COPIED_GROUP_ROWS", 1)
    table = pa.table({"strokes": column(ROWS), "text": [f"line {row % 3}" for row in range(12)]})
    pq.write_table(table, tmp_path / "lines.parquet", row_group_size=4, write_page_checksum=True)
    return tmp_path / "lines.parquet"


def with_footer(path, footer):
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def changed(path, change):
    """Change the metadata of a file."""
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    metadata = thrift.read_struct(io.BytesIO(content[-8 - length : -8]))
    change(metadata)
    with_footer(path, thrift.struct_bytes(metadata))


def group(metadata, number=0):
    return metadata[GROUPS][1][1][number]


def of_column(field, value, leaf=0):
    """A change of what is known of a column."""

    def change(metadata):
        known = group(metadata)[1][1][1][leaf][COLUMN][1]
        known[field] = (known[field][0] if field in known else thrift.I64, value)

    return change


def rows_of_group(value):
    def change(metadata):
        group(metadata)[3] = (thrift.I64, value)

    return change


def one_column_less(metadata):
    group(metadata)[1][1][1].pop()


def same_columns_twice(metadata):
    group(metadata, 1)[1] = group(metadata)[1]


def elsewhere(metadata):
    chunk = group(metadata)[1][1][1][0]
    group(metadata)[1][1][1][0] = {1: (thrift.BINARY, b"/etc/passwd"), **chunk}


def encrypted(metadata):
    metadata[8] = (thrift.STRUCT, {})


def members(count):
    def change(metadata):
        metadata[SCHEMA][1][1][1][5] = (thrift.I32, count)

    return change


def deep(metadata):
    element = {3: (thrift.I32, 0), 4: (thrift.BINARY, b"a"), 5: (thrift.I32, 1)}
    metadata[SCHEMA] = (thrift.LIST, (thrift.STRUCT, [metadata[SCHEMA][1][1][0], *[element] * 100_000]))


def nested_unknown(metadata):
    inner = {}
    for _ in range(100):
        inner = {1: (thrift.STRUCT, inner)}
    metadata[99] = (thrift.STRUCT, inner)


def renumbered(field, by):
    """Other readers keep 16 bits of a field's number: what is skipped here as unknown is the field itself to them."""

    def change(metadata):
        metadata[field + by] = metadata.pop(field)

    return change


def hidden_members(metadata):
    element = metadata[SCHEMA][1][1][0]
    element[5 + 2**16] = (thrift.I32, 2**31 - 1)


def unnamed(metadata):
    """Empty structs: a byte each in the file, a hundred in memory."""
    metadata[SCHEMA] = (thrift.LIST, (thrift.STRUCT, [{}] * 1000))


def many(field):
    def change(metadata):
        metadata[field] = (thrift.LIST, (thrift.STRUCT, [{}] * 1_000_001))

    return change


def as_set(metadata):
    deep(metadata)
    metadata[SCHEMA] = (thrift.SET, metadata[SCHEMA][1])


def of_another_type(metadata):
    metadata[SCHEMA][1][1][1][3] = (thrift.I64, 0)


def other_logical_type(metadata):
    """Readers that ignore types read the bytes of the text as further columns."""
    metadata[SCHEMA][1][1][1][10] = (thrift.STRUCT, {5: (thrift.STRUCT, {1: (thrift.BINARY, b"columns")})})


def other_place(metadata):
    group(metadata)[5] = (thrift.BINARY, b"rows")


def texts_of_other_items(metadata):
    metadata[5] = (thrift.LIST, (thrift.BINARY, [b"a second schema"]))


class Again(dict):
    """A struct with a field twice, of which some readers take the first, some the last, and some both."""

    def items(self):
        return [*super().items(), (1, self[1])]


def columns_again(metadata):
    groups = metadata[GROUPS][1][1]
    groups[0] = Again(groups[0])


def schema_of_booleans(metadata):
    """Not all readers skip as many bytes."""
    metadata[99] = (thrift.LIST, (thrift.TRUE, [None]))


def of_more_bits(metadata):
    metadata[SCHEMA][1][1][1][5] = (thrift.I32, 2**32 + 1)


HISTOGRAMS = {2: (thrift.LIST, (thrift.I64, [0] * 9)), 3: (thrift.LIST, (thrift.I64, [0] * 9))}


def other_statistics(metadata):
    group(metadata)[1][1][1][0][COLUMN][1][SIZE_STATISTICS] = (thrift.STRUCT, HISTOGRAMS)


X = r"row group 0, column strokes\.[\w.]*x: "

LIES = {
    "unchanged": (lambda _metadata: None, None),
    "beyond the end": (of_column(SIZE, 1 << 40), X + "its pages would be at bytes"),
    "overflowing": (of_column(SIZE, 2**63 - 1), X + "its pages would be at bytes"),
    "negative size": (of_column(SIZE, -1), X + "a size is negative: -1"),
    "negative place": (of_column(DATA, -5), X + "an offset is negative: -5"),
    "before the first byte": (of_column(DICTIONARY, 1), X + "its pages would be at bytes"),
    "dictionary last": (of_column(DICTIONARY, 2000), X + "its dictionary begins after its data"),
    "negative values": (of_column(VALUES, -1), X + "a number of values is negative: -1"),
    "negative memory": (of_column(DECODED_SIZE, -1), X + "a size in memory is negative: -1"),
    "more values": (of_column(VALUES, 1000), X + r"its pages hold \d+ values, not 1000"),
    "less": (of_column(SIZE, 40), X + "the page at byte"),
    "negative rows": (rows_of_group(-4), "a number of rows is negative: -4"),
    "other rows": (rows_of_group(5), "the footer says 12 rows, but its row groups have 13"),
    "one column less": (one_column_less, "Column count mismatch"),
    "twice": (same_columns_twice, "two columns overlap at byte"),
    "elsewhere": (elsewhere, X + "its data is in another file, which is not supported"),
    "encrypted": (encrypted, "it is encrypted, which is not supported"),
    "members": (members(2**31 - 1), r"a group of columns claims 2147483647 members, but \d+ columns are left"),
    "negative members": (members(-1), r"a group of columns claims -1 members, but \d+ columns are left"),
    "deep columns": (deep, "its columns are nested more than 64 levels deep"),
    "deep structs": (nested_unknown, "its structs are nested more than 32 levels deep"),
    "schema as field 65538": (renumbered(SCHEMA, 2**16), "a field number is out of range"),
    "groups as field 32772": (renumbered(GROUPS, 2**15), "a field number is out of range"),
    "members as field 65541": (hidden_members, "a field number is out of range"),
    "schema as a set": (as_set, "field 2 of FileMetaData has a value of another type"),
    "another type in the schema": (of_another_type, "field 3 of SchemaElement has a value of another type"),
    "another logical type": (other_logical_type, "field 1 of DecimalType has a value of another type"),
    "another place": (other_place, "field 5 of RowGroup has a value of another type"),
    "texts of other items": (texts_of_other_items, "a list of its metadata has items of another type"),
    "columns again": (columns_again, "field 1 of RowGroup comes twice"),
    "unknown booleans": (schema_of_booleans, "a value has a type that Parquet does not use"),
    "members of 33 bits": (of_more_bits, "an integer has more than 32 bits"),
    "unnamed columns": (unnamed, "its schema has a column without a name"),
    "many columns": (many(SCHEMA), "its metadata has a list of 1000001 items; at most 1000000 are read"),
    "many groups": (many(GROUPS), "its metadata has a list of 1000001 items; at most 1000000 are read"),
    "statistics": (other_statistics, X + "its level statistics do not match its type"),
}


@pytest.mark.parametrize(("change", "message"), LIES.values(), ids=LIES)
def test_metadata_that_lie_are_refused(lines, tmp_path, scorer, change, message):
    changed(lines, change)
    if message is None:
        assert score_dataset(lines, tmp_path / "out.parquet", scorer=scorer).rows == 12
        return
    with pytest.raises(PenpalError, match=f"lines.parquet: .*: {message}"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    assert list(tmp_path.iterdir()) == [lines]


def more_rows(metadata):
    """Promise 13 rows where there are 12; PyArrow reads those that there are."""
    group(metadata, 2)[3] = (thrift.I64, 5)
    metadata[ROW_COUNT] = (thrift.I64, 13)


def scored(lines):
    """The rows with scores, which `look` needs."""
    table = pq.read_table(lines).append_column("quality", pa.array([0.5] * 12, pa.float32()))
    return table.append_column("quality_error", pa.nulls(12, pa.string()))


READERS = {
    "score": lambda lines, output: score_dataset(lines, output),
    "filter": lambda lines, output: filter_dataset(lines, output, threshold=0),
    "best of": lambda lines, output: filter_dataset(lines, output, threshold=0, best_of="text"),
    "look": lambda lines, _output: list(ScoredFile(lines).batches()),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_rows_that_are_promised_and_not_there(lines, tmp_path, read):
    """Nothing that reads a file takes fewer rows for all of them."""
    pq.write_table(scored(lines), lines, row_group_size=4)
    changed(lines, more_rows)
    message = "the Parquet file is damaged: its metadata promises 13 rows in row groups 0 to 2, but there are 12"
    with pytest.raises(PenpalError, match=message):
        read(lines, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [lines]


def fewer_rows(metadata):
    """Promise 11 rows where there are 12; PyArrow reads those that are promised."""
    group(metadata, 2)[3] = (thrift.I64, 3)
    metadata[ROW_COUNT] = (thrift.I64, 11)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_rows_that_are_there_and_not_promised(lines, tmp_path, read):
    """They are not left out without a word."""
    changed(lines, fewer_rows)
    with pytest.raises(PenpalError, match="promises 3 rows in row group 2, but the column text has 4"):
        read(lines, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [lines]


BETWEEN = {
    "nothing": lambda first: first,
    "a line break": lambda first: first + b"\n",
    "zeros": lambda first: first.ljust(1 << 16, b"\0"),
    "without its last byte": lambda first: first[:-1],
    "without its last eight": lambda first: first[:-8],
    "other bytes": lambda _first: b"# 12 rows\n",
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("before", BETWEEN.values(), ids=BETWEEN)
@pytest.mark.parametrize("count", [12, 8, 0])
@pytest.mark.parametrize("options", [{}, {"write_page_index": True}, {"compression": "none"}], ids=str)
def test_files_that_were_joined_are_refused(lines, tmp_path, read, before, count, options):
    """The metadata at the end are those of the last file, and its rows are where the first has its own."""
    table = scored(lines)
    first, last = (encoded(table.slice(0, rows), **options) for rows in (12, count))
    lines.write_bytes(before(first) + last)
    with pytest.raises(PenpalError, match=f"lines.parquet: .*: {len(before(first)):,} bytes lie before its beginning"):
        read(lines, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [lines]


def encoded(table, **options):
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


def test_strokes_that_are_there_and_not_promised(lines, tmp_path):
    pq.write_table(pq.read_table(lines, columns=["strokes"]), lines, row_group_size=4)
    changed(lines, fewer_rows)
    for job in (score_dataset, filter_dataset):
        with pytest.raises(PenpalError, match="the Parquet file is damaged: it has more rows than the footer says"):
            job(lines, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [lines]


def test_the_live_page_shows_all_rows_or_none(lines):
    changed(lines, fewer_rows)
    with pytest.raises(PenpalError, match="promises 3 rows in row group 2"):
        SourceRows(str(lines), "strokes", []).page(0, 60)


ENDS = {
    "long": ((2**32 - 1).to_bytes(4, "little") + b"PAR1", "its metadata would be longer than the file"),
    "nothing": (bytes(4) + b"PAR1", "the encoding of the metadata is damaged: it ends too early"),
    "encrypted": (bytes(4) + b"PARE", "its last bytes are not PAR1"),
}


@pytest.mark.parametrize(("end", "message"), ENDS.values(), ids=ENDS)
def test_ends_that_lie_are_refused(lines, tmp_path, scorer, end, message):
    lines.write_bytes(lines.read_bytes()[:-8] + end)
    with pytest.raises(PenpalError, match=f"lines.parquet: cannot read it as a Parquet file: .*{message}"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)


def test_a_footer_longer_than_what_is_read_at_first(lines, tmp_path, scorer):
    table = pq.read_table(lines).replace_schema_metadata({"long": "x" * 200_000})
    pq.write_table(table, lines)
    score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    assert pq.read_schema(tmp_path / "out.parquet").metadata[b"long"] == b"x" * 200_000


@pytest.mark.parametrize("statistics", [True, False])
def test_damaged_footers_never_end_the_process(lines, statistics):
    pq.write_table(pq.read_table(lines), lines, row_group_size=4, write_statistics=statistics, store_schema=statistics)
    program = Path(__file__).parent / "footers.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(
        [sys.executable, program, lines, "500"], capture_output=True, text=True, timeout=600, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]


def text_page(path):
    """Where the first page of the texts begins: a dictionary, and the header before it."""
    return pq.read_metadata(path).row_group(0).column(2).dictionary_page_offset


def test_a_damaged_page_of_a_column_that_is_copied(lines, tmp_path, scorer):
    content = bytearray(lines.read_bytes())
    content[text_page(lines) + 30] ^= 1
    lines.write_bytes(content)
    with pytest.raises(PenpalError, match=r"lines.parquet: the Parquet file is damaged: .*verification failed"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    assert list(tmp_path.iterdir()) == [lines]


@pytest.mark.parametrize("read", [read_lines, read_texts], ids=["lines", "texts"])
def test_files_for_training_and_evaluation_are_checked_too(lines, read):
    content = bytearray(lines.read_bytes())
    content[text_page(lines) + 30] ^= 1
    lines.write_bytes(content)
    with pytest.raises(PenpalError, match=r"lines.parquet: the Parquet file is damaged: .*verification failed"):
        read(lines)


def test_a_damaged_header_of_a_page_that_is_copied(lines, tmp_path, scorer):
    content = bytearray(lines.read_bytes())
    content[text_page(lines) : text_page(lines) + 12] = b"\xff" * 12
    lines.write_bytes(content)
    message = (
        r"lines.parquet: .*row group 0, column text: the page at byte \d+: the encoding of the metadata is damaged"
    )
    with pytest.raises(PenpalError, match=message):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)


def page(kind, described, data, *, size=None, first=1):
    """A page of plain numbers of 64 bits; `described` is its field 5 or 8, or both."""
    header = {first: (thrift.I32, kind), 2: (thrift.I32, len(data) if size is None else size)}
    header |= {3: (thrift.I32, len(data)), **described}
    return thrift.struct_bytes(dict(sorted(header.items()))) + data


def data_1(values):
    numbers = {1: (thrift.I32, values), 2: (thrift.I32, 0), 3: (thrift.I32, 3), 4: (thrift.I32, 3)}
    return {5: (thrift.STRUCT, numbers)}


def data_2(values):
    numbers = [values, 0, values, 0, 0, 0]
    described = {field: (thrift.I32, number) for field, number in enumerate(numbers, 1)}
    return {8: (thrift.STRUCT, {**described, 7: (thrift.FALSE, None)})}


def without_statistics(values):
    """As parquet-java writes them before version 1.18."""
    described = data_2(values)
    described[8][1][2] = (thrift.I32, -1)
    return described


def dictionary(values, by=0):
    return {7 + by: (thrift.STRUCT, {1: (thrift.I32, values), 2: (thrift.I32, 0)})}


def file_of_pages(pages, values):
    """A file of 10 rows of one column, x, with these pages, which hold so many values together, as the footer says."""
    body = b"".join(pages)
    known = {
        1: (thrift.I32, 2),
        2: (thrift.LIST, (thrift.I32, [0, 3])),
        3: (thrift.LIST, (thrift.BINARY, [b"x"])),
        4: (thrift.I32, 0),
        5: (thrift.I64, values),
        6: (thrift.I64, len(body)),
        7: (thrift.I64, len(body)),
        9: (thrift.I64, 4),
    }
    columns = [{2: (thrift.I64, 4), 3: (thrift.STRUCT, known)}]
    rows = {1: (thrift.LIST, (thrift.STRUCT, columns)), 2: (thrift.I64, len(body)), 3: (thrift.I64, 10)}
    schema = [
        {4: (thrift.BINARY, b"row"), 5: (thrift.I32, 1)},
        {1: (thrift.I32, 2), 3: (thrift.I32, 0), 4: (thrift.BINARY, b"x")},
    ]
    footer = {
        1: (thrift.I32, 1),
        2: (thrift.LIST, (thrift.STRUCT, schema)),
        3: (thrift.I64, 10),
        4: (thrift.LIST, (thrift.STRUCT, [rows])),
    }
    footer = thrift.struct_bytes(footer)
    return footer, b"PAR1" + body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


TEN = np.arange(10).tobytes()
MOST = 2**31 - 1
PAGES = {
    "version 1": ([page(0, data_1(10), TEN)], 10, None),
    "version 2": ([page(3, data_2(10), TEN)], 10, None),
    "dictionary": ([page(2, dictionary(10), TEN), page(0, data_1(10), TEN)], 10, None),
    "no number of nulls": ([page(3, without_statistics(10), TEN)], 10, None),
    "values twice": ([page(0, {5: (thrift.STRUCT, Again(data_1(10)[5][1]))}, TEN)], 10, "has a field twice"),
    "both versions": ([page(0, data_1(5) | data_2(10), TEN)], 10, "a page is of several kinds"),
    "the other version": ([page(0, data_2(10), TEN)], 10, "a page is of kind 0, but is not described as such"),
    "a dictionary that says it is data": ([page(0, dictionary(10), TEN)], 10, "of kind 0, but is not described"),
    "a dictionary in field 65543": ([page(2, dictionary(10, 2**16), TEN)], 10, "a field number is out of range"),
    "no kind": ([page(0, data_1(10), TEN, first=9)], 10, "the header of a page is not complete"),
    "more values than fit": ([page(0, data_1(2**32 + 10), TEN)], 10, "an integer has more than 32 bits"),
    "negative values": ([page(0, data_1(-1), TEN)], 10, "a size is negative: -1"),
    "a sum beyond the footer": ([page(0, data_1(MOST), TEN)] * 3, 10, f"its pages hold {3 * MOST} values, not 10"),
    "another type": ([page(0, {5: (thrift.I32, 7)}, TEN)], 10, "a value of another type"),
}


@pytest.mark.parametrize(("pages", "values", "message"), PAGES.values(), ids=PAGES)
def test_headers_of_pages_say_one_thing(tmp_path, pages, values, message):
    footer, content = file_of_pages(pages, values)
    path = tmp_path / "pages.parquet"
    path.write_bytes(content)
    checked = _core.Footer(footer, len(content))
    if message is None:
        assert checked.check_pages(str(path), 0) == 0
        assert pq.read_table(path)["x"].to_pylist() == list(range(10))
        return
    with pytest.raises(PenpalError, match=f"row group 0, column x: .*{message}"):
        checked.check_pages(str(path), 0)


def test_a_footer_beyond_all_footers_is_refused():
    size = (64 << 20) + 1
    with pytest.raises(PenpalError, match=f"its metadata has {size} bytes; at most {size - 1} are read"):
        _core.Footer(bytes(size), size + 12)


def test_a_footer_that_is_too_long_is_not_read(tmp_path):
    path = tmp_path / "sparse.parquet"
    with path.open("wb") as file:
        file.truncate(3 << 30)
        file.seek(0, os.SEEK_END)
        file.write((2 << 30).to_bytes(4, "little") + b"PAR1")
    code, megabytes, said = measured("score", path, "-o", tmp_path / "out.parquet")
    assert code == 1
    assert "its metadata has 2,147,483,656 bytes; at most 67,108,864 are read" in " ".join(said.split())
    assert megabytes < 500


def test_an_output_that_is_there_is_checked_before_it_is_read(lines, tmp_path, scorer):
    """Versions of PyArrow end the process over some footers."""
    out = tmp_path / "out.parquet"
    out.write_bytes(lines.read_bytes())
    changed(out, deep)
    with pytest.raises(PenpalError, match=r"out.parquet: .*exists already"):
        score_dataset(lines, out, scorer=scorer, resume=True)


MEASURED = """
import pathlib, sys
from penpal_fast.__main__ import main
try:
    main()
finally:
    # The maximum of getrusage includes the memory of the process before it started this program.
    status = pathlib.Path("/proc/self/status").read_text()
    print("MEMORY", int(status.partition("VmHWM:")[2].split()[0]) >> 10, file=sys.stderr)
"""


def measured(*arguments):
    """Run the command line; return the exit code, the megabytes that it took at most, and what it said."""
    command = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    said, _, memory = done.stderr.rpartition("MEMORY ")
    return done.returncode, int(memory), said


def same_points(rows, points):
    """Rows of one point over and over: some bytes in a file, gigabytes in memory."""
    xs = pa.repeat(pa.scalar(1.0, pa.float32()), rows * points)
    flat = pa.StructArray.from_arrays([xs, xs], ["x", "y"])
    strokes = pa.ListArray.from_arrays(pa.array(range(0, rows * points + 1, points), pa.int32()), flat)
    strokes = pa.StructArray.from_arrays([strokes], ["points"])
    return pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), strokes)


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured with /proc")


@needs_proc
@pytest.mark.parametrize(("groups", "rows"), [(1, 60), (8, 10)], ids=["copied", "encoded"])
def test_rows_that_decode_to_gigabytes(tmp_path, groups, rows):
    table = pa.table({"strokes": same_points(rows, 1_000_000)})
    with pq.ParquetWriter(tmp_path / "lines.parquet", table.schema, compression="zstd") as writer:
        for _ in range(groups):
            writer.write_table(table, row_group_size=rows)
    assert (tmp_path / "lines.parquet").stat().st_size < 2_000_000
    code, memory, said = measured("score", tmp_path / "lines.parquet", "-o", tmp_path / "out.parquet", "--memory", "64")
    assert (code, memory < 700) == (0, True), (code, memory, said)


@needs_proc
def test_a_text_that_decodes_to_gigabytes(tmp_path):
    table = pa.table({"strokes": column(ROWS * 125), "text": pa.array(["x" * 900_000] * 1500)})
    pq.write_table(table, tmp_path / "lines.parquet", row_group_size=1500)
    code, memory, said = measured("score", tmp_path / "lines.parquet", "-o", tmp_path / "out.parquet", "--memory", "16")
    assert (code, memory < 700) == (0, True), (code, memory, said)
    (tmp_path / "out.parquet").unlink()
    code, memory, said = measured(
        "filter", tmp_path / "lines.parquet", "-o", tmp_path / "out.parquet", "--memory", "64"
    )
    assert memory < 1200, (memory, said)
    if code:
        assert "would take more than 512 MB of memory" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == (
        ["lines.parquet"] if code else ["lines.parquet", "out.parquet"]
    )


@needs_proc
def test_one_huge_row_does_not_make_all_others_slow(tmp_path):
    """A row beyond the limit of points, in a row group of its own: it sets no sizes but its own."""
    usual = pa.table({"strokes": column(ROWS * 200)})
    huge = pa.table({"strokes": same_points(1, 6_000_000).cast(usual.schema.field("strokes").type)})
    with pq.ParquetWriter(tmp_path / "lines.parquet", usual.schema, compression="zstd") as writer:
        for table in (usual, huge, usual, huge, huge, usual.slice(0, 5)):
            writer.write_table(table, row_group_size=100)
    (source,) = open_sources(tmp_path / "lines.parquet", "strokes")
    spans = [(part.start, part.stop) for part in parts.planned_parts([source])]
    assert spans == [(0, 2400), (2400, 2401), (2401, 4801), (4801, 4802), (4802, 4803), (4803, 4808)]
    assert [parts.group_rows(source, *span) for span in spans[:3]] == [8192, 1, 8192]
    read = [len(batch.data) for batch in source.batches(1000)]
    assert (sum(read), len(read) <= 12) == (4808, True)
    code, memory, said = measured("score", tmp_path / "lines.parquet", "-o", tmp_path / "out.parquet")
    assert (code, memory < 900) == (0, True), (code, memory, said)
    file = pq.ParquetFile(tmp_path / "out.parquet")
    assert file.metadata.num_row_groups == 6
    assert file.read(["quality"])["quality"].null_count == 3


def written_arrow(path, tables):
    with pa.ipc.new_file(path, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)


def written_parquet(path, tables):
    with pq.ParquetWriter(path, tables[0].schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)


@pytest.mark.parametrize("points", [200_000, 1_048_576, 1_200_000, 3_000_000])
@pytest.mark.parametrize("write", [written_parquet, written_arrow])
def test_a_few_large_rows_do_not_make_all_others_slow(tmp_path, write, points):
    """Rows that can be scored, others just beyond the limit, and record batches of Arrow."""
    usual = pa.table({"strokes": column(ROWS * 200)})
    large = pa.table({"strokes": same_points(1, points).cast(usual.schema.field("strokes").type)})
    name = "lines.parquet" if write is written_parquet else "lines.arrow"
    write(tmp_path / name, [usual, large, usual, large, usual.slice(0, 5)])
    (source,) = open_sources(tmp_path / name, "strokes")
    assert source.rows == 4807
    assert source.row_bytes < 1000
    assert len(parts.planned_parts([source])) <= 5
    read = [len(batch.data) for batch in source.batches(1000)]
    assert (sum(read), len(read) <= 12) == (4807, True)


@pytest.mark.parametrize("write", [written_parquet, written_arrow])
def test_many_large_rows_set_sizes(tmp_path, write):
    """Else they would not fit into memory together."""
    usual = pa.table({"strokes": column(ROWS * 200)})
    large = pa.table({"strokes": same_points(1, 200_000).cast(usual.schema.field("strokes").type)})
    name = "lines.parquet" if write is written_parquet else "lines.arrow"
    write(tmp_path / name, [usual, *[large] * 20])
    (source,) = open_sources(tmp_path / name, "strokes")
    assert source.row_bytes >= 1_600_000


def test_huge_rows_that_follow_one_another_end_a_row_group_early(tmp_path, monkeypatch):
    monkeypatch.setattr(part_files, "MAX_WAITING_BYTES", 100_000)
    rows = pa.record_batch({"text": ["x" * 30_000] * 10})
    with (
        pytest.raises(PenpalError, match="Remove such rows"),
        EncodedFile(tmp_path / "out.parquet", rows.schema, 8192, "out.parquet") as file,
    ):
        for row in range(10):
            file.add(rows.slice(row, 1))
    with EncodedFile(tmp_path / "out.parquet", rows.schema, 8192, "out.parquet", may_be_huge=True) as file:
        for row in range(10):
            file.add(rows.slice(row, 1))
    written = pq.ParquetFile(tmp_path / "out.parquet")
    assert (written.metadata.num_rows, written.metadata.num_row_groups) == (10, 5)
