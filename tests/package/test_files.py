"""Files appear complete or not at all."""

from __future__ import annotations

import os
import stat
import struct

import pytest

from penpal_fast.files import ACCESS_LIST, parts_mode, replaced_atomically


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


def access_list(*entries):
    """A POSIX access list as Linux keeps it: pairs of a kind and its rights, and a number of a user or group."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
ONE_MAY_READ = access_list((1, 6, NOBODY), (2, 4, 1234), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY))
"""A user of its own may read, the group of the file may not; the mode says 0640."""


@pytest.fixture
def listed(tmp_path):
    target = tmp_path / "target"
    target.write_text("old")
    try:
        os.setxattr(target, ACCESS_LIST, ONE_MAY_READ)
    except (AttributeError, OSError):
        pytest.skip("no POSIX access lists here")
    return target


def replace(target):
    with replaced_atomically(target) as path:
        path.write_text("new")


def test_a_replaced_file_keeps_its_access_list(listed):
    replace(listed)
    assert listed.read_text() == "new"
    assert os.getxattr(listed, ACCESS_LIST) == ONE_MAY_READ


def test_a_replaced_file_takes_no_access_list_from_its_folder(listed, tmp_path):
    (tmp_path / "target").unlink()
    listed.write_text("old")
    listed.chmod(0o640)
    os.setxattr(tmp_path, "system.posix_acl_default", ONE_MAY_READ)
    replace(listed)
    assert listed.read_text() == "new"
    assert ACCESS_LIST not in os.listxattr(listed)
    assert stat.S_IMODE(listed.stat().st_mode) == 0o640


def test_parts_of_a_file_are_for_nobody_who_may_not_read_it(listed):
    assert parts_mode(listed) == 0o700
    os.removexattr(listed, ACCESS_LIST)
    for mode, expected in [(0o644, 0o755), (0o640, 0o700), (0o600, 0o700), (0o604, 0o700)]:
        listed.chmod(mode)
        assert parts_mode(listed) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become others")
@pytest.mark.parametrize(("groups", "expected"), [([2000], (2000, 0o660)), ([], (3000, 0o600))])
def test_another_user_replaces_a_file_for_its_group_alone(tmp_path, groups, expected):
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest-of-" in str(folder):
            folder.chmod(0o777)
    target = tmp_path / "target"
    target.write_text("old")
    target.chmod(0o660)
    os.chown(target, 1000, 2000)
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setgid(3000)
            os.setuid(1001)
            replace(target)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert target.read_text() == "new"
    assert (target.stat().st_gid, stat.S_IMODE(target.stat().st_mode)) == expected
