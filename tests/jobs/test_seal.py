"""The seal of a single file: the same whether its bytes are read from it or were read from its parts."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penpal_fast import _core, score_dataset
from penpal_fast.jobs import parts, seal
from penpal_fast.jobs.seal import UNSEALED, Content, is_sealed, job_note


def write_parts(folder, **settings):
    """Write files with row groups of different sizes, and one without rows, as parts of a job "j"."""
    paths = []
    for number, rows in enumerate([5, 0, 3]):
        table = pa.table({"text": [f"line {row % 2}" for row in range(rows)], "score": pa.array(range(rows), "f4")})
        table = table.cast(pa.schema([("text", pa.string()), ("score", pa.float32())]))
        paths.append(folder / f"{number}.parquet")
        table = table.replace_schema_metadata({"penpal_fast": job_note("j", UNSEALED)})
        pq.write_table(table, paths[-1], row_group_size=2, **settings)
    return paths


def has_gaps(path):
    """Whether something lies between the columns: PyArrow 17 repeats the metadata of each behind it."""
    content, footer = path.read_bytes(), pq.read_metadata(path)
    columns = sum(
        footer.row_group(group).column(column).total_compressed_size
        for group in range(footer.num_row_groups)
        for column in range(footer.num_columns)
    )
    return columns < len(content) - 12 - int.from_bytes(content[-8:-4], "little")


def joined(files, path):
    _core.concatenate([str(file) for file in files], str(path))
    return path


def digest_of(path):
    return pq.read_metadata(path).metadata[b"penpal_fast"].decode().partition('"sha256": "')[2][:64]


@pytest.mark.parametrize("settings", [{}, {"compression": "zstd"}, {"use_dictionary": False}])
def test_parts_have_the_bytes_of_the_whole(tmp_path, settings):
    files = write_parts(tmp_path, **settings)
    if any(map(has_gaps, files)):
        pytest.skip("parts of this PyArrow have other bytes, and the whole is read again")
    whole = joined(files, tmp_path / "whole.parquet").read_bytes()
    content = Content(files)
    assert content.size == len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    assert content.sha256.digest() == hashlib.sha256(whole[: content.size]).digest()


@pytest.mark.parametrize("settings", [{}, {"write_page_index": True}])
def test_the_seal_does_not_depend_on_who_read_the_bytes(tmp_path, settings):
    files = write_parts(tmp_path, **settings)
    one, other = (joined(files, tmp_path / name) for name in ("one.parquet", "other.parquet"))
    seal.seal(one, "j")
    seal.seal(other, "j", Content(files))
    assert one.read_bytes() == other.read_bytes()
    assert is_sealed(one, "j", digest_of(one))


@pytest.mark.parametrize("copied_rows", [1, 100])
def test_a_job_does_not_read_its_file_again(tmp_path, scorer, monkeypatch, copied_rows):
    lines, out = tmp_path / "lines.parquet", tmp_path / "out.parquet"
    strokes = pa.array([[[[[0.0, 0.0], [3.0, row], [5.0, 1.0]]]] for row in range(1, 10)])
    pq.write_table(pa.table({"strokes": strokes}), lines, row_group_size=2)
    if copied_rows == 100 and has_gaps(lines):
        pytest.skip("parts of this PyArrow have other bytes, and the whole is read again")
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    monkeypatch.setattr(parts, "COPIED_GROUP_ROWS", copied_rows)
    with monkeypatch.context() as patched:
        patched.setattr(seal, "_digest", None)
        score_dataset(lines, out, scorer=scorer)
    monkeypatch.setattr(scorer, "outcome", None)
    assert score_dataset(lines, out, scorer=scorer, resume=True).rows == 9
