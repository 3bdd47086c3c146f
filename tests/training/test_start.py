"""What is checked of a model or reader before a training starts from it."""

from __future__ import annotations

import json

import pytest

from penpal_fast.errors import PenpalError
from penpal_fast.training.start import check_start


@pytest.fixture
def start(tmp_path):
    folder = tmp_path / "start"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["start", "other/../start", "link"])
def test_a_training_does_not_write_to_its_start(tmp_path, start, name):
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(start)
    with pytest.raises(PenpalError, match="the training starts from this folder, and cannot write to it"):
        check_start(str(start), tmp_path / name, None)


@pytest.mark.parametrize("record", [{"source_prefix": 3}, {"recipe": {"source_prefix": 3}}])
def test_a_start_that_held_out_other_lines_is_told(tmp_path, start, caplog, record):
    (start / "training.json").write_text(json.dumps(record))
    check_start(str(start), tmp_path / "model", 3)
    assert not caplog.records
    check_start(str(start), tmp_path / "model", None)
    (told,) = caplog.messages
    assert told.startswith(f"{start} held lines out by the first 3 characters of the source, the recipe by the whole")


def test_a_start_without_a_record_may_have_held_out_any_lines(tmp_path, start, caplog):
    check_start(str(start), tmp_path / "model", None)
    assert not caplog.records
