"""Checks that the lowest Rust that Cargo.toml names is enough for every locked crate, and that the README names it too.

python tests/check_rust_version.py
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DECLARED = re.compile(r'^rust-version = "([0-9.]+)"$', re.MULTILINE)
NAMING = ["README.md", "CONTRIBUTING.md"]
NAMED = re.compile(r"Rust ([0-9]+[.][0-9]+)")


def declared() -> str:
    """Return the lowest Rust of the workspace."""
    found = DECLARED.search((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("Cargo.toml has no rust-version")
    return found[1]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def locked_crates() -> list[dict[str, Any]]:
    """Return the crates of Cargo.lock, as Cargo describes them."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--manifest-path", str(ROOT / "Cargo.toml")]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]


def needs_more(crates: list[dict[str, Any]], lowest: str) -> Iterator[str]:
    """Yield the crates that need a newer Rust than the lowest."""
    for crate in crates:
        if numbers(crate["rust_version"] or "1") > numbers(lowest):
            yield f"Cargo.toml says Rust {lowest}, but {crate['name']} {crate['version']} needs {crate['rust_version']}"


def named_otherwise(texts: dict[str, str], lowest: str) -> Iterator[str]:
    """Yield the texts that name another Rust, or none."""
    for name, text in texts.items():
        if set(NAMED.findall(text)) != {lowest}:
            yield f"{name} should name Rust {lowest}, as Cargo.toml does"


def main() -> None:
    lowest = declared()
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMING}
    if found := [*needs_more(locked_crates(), lowest), *named_otherwise(texts, lowest)]:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
