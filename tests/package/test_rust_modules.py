"""The check for circles of Rust modules finds them, and the crates have none."""

from __future__ import annotations

import pytest

from check_rust_modules import circle
from helpers.paths import ROOT

LIB = "//! Doc.\n\npub mod a;\nmod b;\nmod deep;\n\npub use a::{One, Two as Other};\n"
TEST = "#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::a::One;\n}\n"


def crate(folder, **files):
    """Write a crate; `deep_c` is deep/c.rs."""
    for name, text in {"lib": LIB, "deep_mod": "mod c;\nmod d;\n\npub use c::Item;\n", "deep_d": "", **files}.items():
        path = folder / "src" / f"{name.replace('_', '/')}.rs"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_tree_is_not_a_circle(tmp_path):
    a = "use crate::b::helper;\nuse crate::deep::Item;\n\npub struct One;\n"
    c = "use super::d::number;\n\n// use crate::a::One;\npub struct Item;\n"
    found = crate(tmp_path, a=a, b="pub fn helper() {}\n" + TEST, deep_c=c, deep_d="pub fn number() {}\n")
    assert circle(found) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a": "use crate::b::{self, helper};\nstruct One;", "b": "fn helper() { crate::a::one() }"}, ["a", "b"]),
        (
            {"a": "use crate::deep::Item;\nstruct One;", "b": "", "deep_c": "use crate::One;\nfn c() {}"},
            ["a", "deep/c"],
        ),
        (
            {
                "a": "",
                "b": "",
                "deep_mod": "mod c;\nfn m() { c::f() }\nuse c::f;",
                "deep_c": "use super::m;\nfn f() {}",
            },
            None,
        ),
        (
            {
                "a": "use crate::b::x;\nfn f() {}",
                "b": "use crate::deep::{Item, z::{y}};\nfn g() {}",
                "deep_c": "use crate::a::{\n    One,\n};\nfn h() {}",
            },
            ["a", "b", "deep/c"],
        ),
        (
            {
                "a": """const QUOTE: char = '"';\nuse crate::b::*;\nconst OTHER: char = '"';\nfn f() {}""",
                "b": "/* text */ use crate::a::One;\nfn g() {}",
            },
            ["a", "b"],
        ),
    ],
    ids=["files", "through re-exports", "a folder and its child", "three", "globs and quotes"],
)
def test_circles_are_found(tmp_path, files, expected):
    found = [path.relative_to(tmp_path / "src").with_suffix("").as_posix() for path in circle(crate(tmp_path, **files))]
    assert found == (expected or ["deep/mod", "deep/c"])


def test_the_crates_have_no_circles():
    crates = sorted(path.parent for path in ROOT.glob("rust/*/Cargo.toml"))
    assert crates
    assert {path.name: circle(path) for path in crates} == {path.name: [] for path in crates}
