"""Which files of a folder are read."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from penpal_fast import PenpalError, read_rows
from penpal_fast.sources.inputs import find_inputs

OFFSETS = np.array([[3, 1, 0], [1, 4, 1]])
LINE = json.dumps({"strokes": [[[0, 9], [4, 0], [9, 4]]]})


def names(folder):
    return [file.path.name for file in find_inputs(folder)]


def test_tables_come_before_other_formats_which_a_warning_counts(tmp_path, caplog):
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, OFFSETS)
    assert names(tmp_path) == ["a.npy", "b.npy"]
    assert caplog.records == []
    (tmp_path / "lines.jsonl").write_text(LINE)
    with caplog.at_level(logging.WARNING):
        assert names(tmp_path) == ["lines.jsonl"]
    assert "2 files of other formats" in caplog.text
    assert names(tmp_path / "*.npy") == ["a.npy", "b.npy"]


def test_unipen_is_rare_and_dat_is_common(tmp_path, caplog):
    for name in ("a.unp", "b.unipen", "c.dat"):
        (tmp_path / name).write_text(".VERSION 1.0\n.PEN_DOWN\n0 9\n4 0\n.PEN_UP\n")
    assert names(tmp_path) == ["a.unp", "b.unipen"]
    assert read_rows(tmp_path / "*.*").num_rows == 3
    (tmp_path / "lines.jsonl").write_text(LINE)
    with caplog.at_level(logging.WARNING):
        assert names(tmp_path) == ["lines.jsonl"]
    assert "2 files of other formats" in caplog.text


def test_files_of_ink_have_the_same_columns(tmp_path):
    np.save(tmp_path / "a.npy", OFFSETS)
    np.savez(tmp_path / "b.npz", x=OFFSETS)
    assert read_rows(tmp_path)["id"].to_pylist() == [None, "x"]


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"")
    with pytest.raises(PenpalError, match=r"must end with one of \.parquet"):
        read_rows(tmp_path / "a.docx")


def test_a_folder_without_data_says_what_is_there(tmp_path):
    with pytest.raises(PenpalError, match="there are no files") as empty:
        read_rows(tmp_path)
    assert str(empty.value).count(".xml") == 1
    assert ".jsonl.gz" not in str(empty.value)
    assert "there is '" not in str(empty.value)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "notes.docx").write_bytes(b"x")
    with pytest.raises(PenpalError, match=r"; there is 'inside/notes\.docx'$"):
        read_rows(tmp_path)
    with pytest.raises(PenpalError, match=r"; there is '.*notes\.docx'$"):
        read_rows(tmp_path / "inside" / "n*")


@pytest.mark.parametrize("name", ["a.parquet", "a.npy", "a.npz", "a.arrow", "a.svg", "a.inkml", "a.xopp"])
def test_empty_files_are_said_to_be_empty(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(PenpalError, match=f"{name}: .*the file is empty"):
        read_rows(tmp_path / name)


def test_objects_in_numpy_files_are_saved_as_arrays(tmp_path):
    arrays = [np.array([[3, 1, 0], [-1, 4, 1]]), np.array([[2, -1, 1]])]
    np.save(tmp_path / "a.npy", np.array(arrays, dtype=object))
    with pytest.raises(PenpalError, match=r"np\.savez\(file, \*arrays\)"):
        read_rows(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", *arrays)
    assert len(read_rows(tmp_path / "a.npz")) == 2
