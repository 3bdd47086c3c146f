"""What is synced to the disk: what must survive a power failure, and no more."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penpal_fast import filter_dataset, score_dataset
from penpal_fast.jobs import folder, parts

START = b'{\n "complete": false'
"""Start of a manifest."""

LINE = [[[0.0, 0.0], [3.0, 4.0], [5.0, 1.0]]]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": pa.array([LINE] * 12)}), path)
    return path


@pytest.fixture
def synced(monkeypatch):
    """Names of what is synced, in order."""
    found = []
    sync = os.fsync

    def noted(handle):
        path = Path(f"/proc/self/fd/{handle}").readlink()
        found.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else path.name)
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return found


@pytest.mark.parametrize("job", [score_dataset, filter_dataset])
def test_of_a_job_of_one_part_only_the_output_is_synced(lines, tmp_path, scorer, synced, job):
    job(lines, tmp_path / "out.parquet", scorer=scorer)
    assert len(synced) == 2
    assert synced[0].endswith(".incomplete")
    assert synced[1] == "folder"


@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_parts_are_synced_before_they_are_noted(lines, tmp_path, scorer, synced, monkeypatch, output):
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    score_dataset(lines, tmp_path / output, scorer=scorer)
    assert synced.count(folder.JOURNAL) == 3
    for place in (place for place, name in enumerate(synced) if name == folder.JOURNAL):
        assert synced[place - 2].endswith(".incomplete")
        assert synced[place - 1] == "folder"


def test_a_folder_of_one_part_is_synced(lines, tmp_path, scorer, synced):
    score_dataset(lines, tmp_path / "out", scorer=scorer)
    assert folder.JOURNAL in synced


@pytest.mark.parametrize("left", [b"", START, START + b"\0" * 40, b"\0" * 60], ids=["nothing", "start", "end", "zeros"])
def test_a_manifest_that_a_power_failure_cut_off_is_no_obstacle(lines, tmp_path, scorer, left):
    def stop(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop)
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / folder.MANIFEST).write_bytes(left)
    assert score_dataset(lines, tmp_path / "out", scorer=scorer).rows == 12
