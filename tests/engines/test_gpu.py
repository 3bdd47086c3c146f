"""Where there cannot be a GPU, MLX is not asked for one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penpal_fast.engines import gpu

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev that says so")

DEVICES = [(["null", "tty"], False), (["nvidiactl"], True), (["dxg"], True), (["nvhost-gpu"], True), ([], False)]


@pytest.mark.parametrize(("names", "may_be"), DEVICES)
def test_the_names_of_devices_say_whether_there_may_be_a_gpu(monkeypatch, names, may_be):
    monkeypatch.setattr(Path, "iterdir", lambda _folder: iter(map(Path("/dev").joinpath, names)))
    assert gpu._may_be_there() is may_be


def test_devices_that_cannot_be_listed_say_nothing(monkeypatch):
    def fail(_folder):
        raise PermissionError

    monkeypatch.setattr(Path, "iterdir", fail)
    assert gpu._may_be_there() is True
