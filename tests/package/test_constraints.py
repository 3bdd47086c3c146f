"""The versions that continuous integration tests with can be installed with the lowest Python."""

from __future__ import annotations

import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from helpers.paths import ROOT

LOWEST = "3.10"


def pins():
    file = ROOT / "constraints.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def holds_for_the_lowest(pin):
    return pin.marker is None or pin.marker.evaluate({"python_version": LOWEST})


@pytest.mark.parametrize("pin", [pin for pin in pins() if holds_for_the_lowest(pin)], ids=lambda pin: pin.name)
def test_a_pin_allows_the_lowest_python(pin):
    """As far as it is installed here; `.ci/run` asks an index about the others."""
    try:
        installed = importlib.metadata.metadata(pin.name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("not installed")
    if not pin.specifier.contains(installed["Version"]):
        pytest.skip("another version is installed")
    needs = SpecifierSet(installed["Requires-Python"] or "")
    assert needs.contains(f"{LOWEST}.99"), f"{pin} needs Python {needs}: add '; python_version >= ...' to the pin"


def test_the_lowest_python_is_the_one_that_is_declared():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^requires-python = ">=(.*)"$', text, re.MULTILINE)[1] == LOWEST
