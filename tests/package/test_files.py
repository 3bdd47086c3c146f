"""Files appear complete or not at all."""

from __future__ import annotations

import pytest

from penpal_fast.files import replaced_atomically


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with replaced_atomically(tmp_path / "link") as path:
        path.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_long_name_is_written(tmp_path):
    with replaced_atomically(tmp_path / ("x" * 255)) as path:
        path.write_text("whole")
    assert (tmp_path / ("x" * 255)).read_text() == "whole"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "file"
    with pytest.raises(RuntimeError), replaced_atomically(target) as path:
        path.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with replaced_atomically(target) as path:
        path.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
