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


def test_files_of_ink_have_the_same_columns(tmp_path):
    np.save(tmp_path / "a.npy", OFFSETS)
    np.savez(tmp_path / "b.npz", x=OFFSETS)
    assert read_rows(tmp_path)["id"].to_pylist() == [None, "x"]


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"")
    with pytest.raises(PenpalError, match=r"must end with one of \.parquet"):
        read_rows(tmp_path / "a.docx")
