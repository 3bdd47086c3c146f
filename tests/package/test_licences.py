"""The script that collects the licences of the crates."""

from __future__ import annotations

import importlib

import pytest

from helpers.paths import ROOT

FOLDER = ROOT / "docs"


@pytest.fixture
def list_licences(monkeypatch):
    if not (FOLDER / "list_licences.py").exists():
        pytest.skip("the source distribution lacks docs")
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("list_licences")


def crate(folder, name, licence, **files):
    (folder / name).mkdir()
    for file, text in files.items():
        (folder / name / file).write_text(text)
    return {"name": name, "version": "1.0", "license": licence, "manifest_path": str(folder / name / "Cargo.toml")}


def test_each_text_is_there_once_with_all_its_crates(list_licences, tmp_path):
    first = crate(tmp_path, "first", "MIT", LICENSE="Same  words \r\n", NOTICE="a notice\n", README="nothing")
    second = crate(tmp_path, "second", "MIT", COPYING="Same\nwords\n")
    text = list_licences.collected([first, second])
    assert "\nfirst 1.0: MIT\nsecond 1.0: MIT\n" in text
    assert text.count("words") == 1
    assert "\nfirst 1.0, second 1.0\n" in text
    assert "a notice" in text
    assert "nothing" not in text
    assert "\r" not in text


@pytest.mark.parametrize(
    ("licence", "named", "found"),
    [
        ("MIT OR Zlib", "MIT", None),
        ("Zlib/MIT", "MIT", None),
        ("(MIT OR Zlib) AND ISC", "MIT AND Zlib AND ISC", None),
        ("(MIT OR Zlib) AND ISC", "MIT", "one 1.0 is under (MIT OR Zlib) AND ISC, which"),
        ("Apache-2.0 AND MIT", "MIT", "one 1.0 is under Apache-2.0 AND MIT, which"),
        ("Zlib", "MIT", "one 1.0 is under Zlib, which"),
    ],
)
def test_licences_that_the_expression_leaves_out_are_found(list_licences, tmp_path, licence, named, found):
    problems = list_licences.problems([crate(tmp_path, "one", licence, LICENSE="text")], named)
    assert [problem.startswith(found) for problem in problems] == [True] if found else problems == []


def test_a_crate_without_a_text_is_found(list_licences, tmp_path):
    crates = [crate(tmp_path, "bare", "MIT"), crate(tmp_path, "known", "MIT OR Apache-2.0")]
    assert list_licences.problems(crates, "MIT") == ["bare 1.0 has no licence file: find its text, and add it"]
