"""The check of the lowest Rust finds crates that need more, and texts that name another one."""

from __future__ import annotations

import pytest

from check_rust_version import DECLARED, declared, named_otherwise, needs_more


def crate(name, rust_version):
    return {"name": name, "version": "1.2.0", "rust_version": rust_version}


def test_crates_that_need_a_newer_rust_are_found():
    crates = [crate("old", None), crate("same", "1.88.0"), crate("new", "1.89"), crate("far", "1.100")]
    assert list(needs_more(crates[:1], "1.88")) == []
    found = list(needs_more(crates, "1.88.0"))
    assert found == [
        f"Cargo.toml says Rust 1.88.0, but {name} 1.2.0 needs {v}" for name, v in [("new", "1.89"), ("far", "1.100")]
    ]


@pytest.mark.parametrize(("text", "wrong"), [("Rust 1.89, or", False), ("Rust 1.88", True), ("Rust and", True)])
def test_texts_that_name_another_rust_are_found(text, wrong):
    assert bool(list(named_otherwise({"README.md": text}, "1.89"))) == wrong


def test_the_workspace_names_its_lowest_rust():
    assert DECLARED.fullmatch(f'rust-version = "{declared()}"')
