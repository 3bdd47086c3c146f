"""What is installed: everything that the package needs, and nothing else."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path

import pytest

from helpers.paths import ROOT

ALLOWED = [
    r"penpal_fast/([a-z_]+/)*[a-z_]+\.py",
    r"penpal_fast/([a-z_]+/)*__pycache__/[a-z_0-9.-]+\.pyc",
    r"penpal_fast/_core\.abi3\.so",
    r"penpal_fast/(__init__|_core)\.pyi",
    r"penpal_fast/py\.typed",
    r"penpal_fast/pretrained(_reader)?/(README\.md|config\.json|training\.json|weights\.safetensors)",
    r"penpal_fast/look/(theme\.css|report/[a-z]+\.(html|css|js))",
    r"penpal_fast/look/fonts/(DejaVuSansCondensed\.ttf|LICENSE\.txt)",
    r"penpal_fast/look/serve/static/[a-z]+\.(html|css|js|svg|json)",
    r"penpal_fast/training/recipes/[a-z_]+\.json",
    r"penpal_fast-[0-9.]+\.dist-info/"
    r"(METADATA|WHEEL|RECORD|INSTALLER|REQUESTED|direct_url\.json|entry_points\.txt|licenses/LICENSE(-WEIGHTS\.txt)?|"
    r"licenses/THIRD-PARTY-LICENSES\.txt|licenses/python/penpal_fast/look/fonts/LICENSE\.txt|sboms/[a-z.-]+\.json)",
    r"(\.\./)*bin/penpal-fast",
]


@pytest.fixture(scope="module")
def distribution():
    found = importlib.metadata.distribution("penpal-fast")
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("an editable install has no files of its own")
    return found


def test_nothing_else_is_installed(distribution):
    patterns = [re.compile(pattern) for pattern in ALLOWED]
    names = [file.as_posix() for file in distribution.files]
    assert [name for name in names if not any(pattern.fullmatch(name) for pattern in patterns)] == []


def test_every_file_of_the_source_is_installed(distribution):
    source = ROOT / "python"
    files = [path for path in source.rglob("*") if path.is_file()]
    wanted = {path.relative_to(source).as_posix() for path in files if path.suffix not in {".pyc", ".so"}}
    installed = {file.as_posix(): file.locate() for file in distribution.files}
    assert wanted - set(installed) == set()
    for name in wanted:
        assert Path(installed[name]).read_bytes() == (source / name).read_bytes(), name


LICENCES = ["LICENSE", "LICENSE-WEIGHTS.txt", "THIRD-PARTY-LICENSES.txt", "python/penpal_fast/look/fonts/LICENSE.txt"]


def test_the_licences_are_installed(distribution):
    installed = {file.as_posix().partition("/licenses/")[2]: file.locate() for file in distribution.files}
    for name in LICENCES:
        assert Path(installed[name]).read_bytes() == (ROOT / name).read_bytes(), name
    parts = set(distribution.metadata["License-Expression"].split(" AND "))
    assert parts >= {"MIT", "Bitstream-Vera", "LicenseRef-penpal-fast-weights"}
