"""The seal of a single file: the same whether its bytes are read from it or were read from its parts."""

from __future__ import annotations

import hashlib
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penpal_fast import PenpalError, _core, score_dataset
from penpal_fast.jobs import parts, score_job, seal
from penpal_fast.jobs.seal import UNSEALED, Content, is_sealed, job_note, row_group_places


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
    content = Content(row_group_places(files))
    assert content.size == len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    assert content.sha256.digest() == hashlib.sha256(whole[: content.size]).digest()


@pytest.mark.parametrize("settings", [{}, {"write_page_index": True}])
def test_the_seal_does_not_depend_on_who_read_the_bytes(tmp_path, settings):
    files = write_parts(tmp_path, **settings)
    one, other = (joined(files, tmp_path / name) for name in ("one.parquet", "other.parquet"))
    seal.seal(one, "j")
    seal.seal(other, "j", Content(row_group_places(files)))
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


def test_columns_of_sources_are_copied_once(tmp_path, scorer, monkeypatch):
    """Parts hold the scores alone, and the file has the bytes of all columns as they were."""
    lines, out = tmp_path / "lines.parquet", tmp_path / "out.parquet"
    strokes = pa.array([[[[[0.0, 0.0], [3.0, row], [5.0, 1.0]]]] for row in range(1, 10)])
    pq.write_table(pa.table({"id": range(9), "strokes": strokes}), lines, row_group_size=2)
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    monkeypatch.setattr(parts, "COPIED_GROUP_ROWS", 1)
    copied = []

    def append_columns(pieces, metadata, output):
        copied.append([(start, stop, pq.read_schema(added).names) for _, start, stop, added in pieces])
        _core_append_columns(pieces, metadata, output)

    _core_append_columns = _core.append_columns
    monkeypatch.setattr(_core, "append_columns", append_columns)
    score_dataset(lines, out, scorer=scorer)
    names = ["quality", "quality_error", "quality_note"]
    assert copied == [[(0, 2, names), (2, 4, names), (4, 5, names)]]
    assert pq.read_table(out, columns=["id", "strokes"]).equals(pq.read_table(lines))
    group, before = (pq.ParquetFile(path).metadata.row_group(1).column(0) for path in (out, lines))
    assert group.total_compressed_size == before.total_compressed_size


def test_a_source_that_changes_before_its_columns_are_copied(tmp_path, scorer, monkeypatch):
    lines, out = tmp_path / "lines.parquet", tmp_path / "out.parquet"
    strokes = pa.array([[[[[0.0, 0.0], [3.0, row], [5.0, 1.0]]]] for row in range(1, 10)])
    pq.write_table(pa.table({"strokes": strokes}), lines)
    os.utime(lines, (1, 1))  # Two changes within a tick of the system's clock have one time.

    def change(_folder):
        with lines.open("r+b") as file:
            file.seek(30)
            file.write(b"changed")
        return metadata_of(_folder)

    metadata_of = score_job.file_metadata
    monkeypatch.setattr(score_job, "file_metadata", change)
    with pytest.raises(PenpalError, match=r"lines.parquet: it changed while it was being read"):
        score_dataset(lines, out, scorer=scorer)
    assert not out.exists()
