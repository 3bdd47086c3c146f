"""Collects the licence texts of the crates that are linked into the extension module.

python docs/list_licences.py            writes THIRD-PARTY-LICENSES.txt
python docs/list_licences.py --check    fails if it differs, or if pyproject.toml's licence leaves one of them out

The texts are those in the crates' own packages. Build scripts and macros are not linked, so theirs are not needed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COLLECTED = ROOT / "THIRD-PARTY-LICENSES.txt"
EXTENSION = "penpal-python"
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"]
"""What wheels are built for."""

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?", re.IGNORECASE)
RULE = "=" * 80 + "\n"
HEAD = """\
penpal_fast's extension module, penpal_fast/_core.abi3.so, has these crates inside, under these licences. Their texts
follow, each once; crates whose packages have none are used under Apache-2.0. The module also has Rust's standard
library inside, which is under MIT or Apache-2.0. Written by docs/list_licences.py.

"""


def cargo(*arguments: str) -> str:
    """Return what Cargo says of the locked crates."""
    command = ["cargo", *arguments, "--locked", "--manifest-path", str(ROOT / "Cargo.toml")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def linked_crates() -> list[dict[str, Any]]:
    """Find the crates that are linked into the extension module on any platform, by name and version."""
    tree = ["tree", "--package", EXTENSION, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]
    lines = [line for target in TARGETS for line in cargo(*tree, "--target", target).splitlines()]
    linked = {tuple(line.split()[:2]) for line in lines}
    packages = json.loads(cargo("metadata", "--format-version=1"))["packages"]
    found = [one for one in packages if one["source"] and (one["name"], f"v{one['version']}") in linked]
    return sorted(found, key=lambda crate: (crate["name"], crate["version"]))


def licence_texts(folder: Path) -> Iterator[str]:
    """Yield the licences and notices in a crate's package."""
    for path in sorted(folder.iterdir()):
        if LICENCE_FILE.fullmatch(path.name) and path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            yield "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def title(crate: dict[str, Any]) -> str:
    """Return the name and version of a crate."""
    return f"{crate['name']} {crate['version']}"


def collected(crates: list[dict[str, Any]]) -> str:
    """Write a list of crates, and each text with the crates that have it; texts are the same if their words are."""
    groups: dict[str, tuple[str, list[str]]] = {}
    for crate in crates:
        for text in licence_texts(Path(crate["manifest_path"]).parent):
            groups.setdefault(" ".join(text.split()), (text, []))[1].append(title(crate))
    listed = "".join(f"{title(crate)}: {crate['license']}\n" for crate in crates)
    texts = (f"\n{RULE}{textwrap.fill(', '.join(names), 80)}\n{RULE}\n{text}" for text, names in groups.values())
    return HEAD + listed + "".join(texts)


def alternatives(expression: str) -> list[set[str]]:
    """Return the sets of licences among which a crate's expression lets one choose; of one with brackets, all."""
    if "(" in expression:
        return [set(re.split(r" OR | AND |[()]", expression)) - {""}]
    return [set(each.split(" AND ")) for each in expression.replace("/", " OR ").split(" OR ")]


def problems(crates: list[dict[str, Any]], expression: str) -> list[str]:
    """Find crates under licences that the package's expression lacks, and crates whose text is nowhere."""
    named = set(expression.split(" AND "))
    found = []
    for crate in crates:
        choices = alternatives(crate["license"])
        if not any(choice <= named for choice in choices):
            found.append(f"{title(crate)} is under {crate['license']}, which pyproject.toml's license leaves out")
        if {"Apache-2.0"} not in choices and not any(licence_texts(Path(crate["manifest_path"]).parent)):
            found.append(f"{title(crate)} has no licence file: find its text, and add it")
    return found


def declared() -> str:
    """Return the licence expression of the package."""
    found = re.search(r'^license = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit("pyproject.toml has no license")
    return found[1]


def main() -> None:
    crates = linked_crates()
    if found := problems(crates, declared()):
        raise SystemExit("\n".join(found))
    text = collected(crates)
    if "--check" not in sys.argv[1:]:
        COLLECTED.write_text(text, encoding="utf-8")
    elif not COLLECTED.exists() or COLLECTED.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{COLLECTED.name} is out of date: run python {Path(__file__).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
