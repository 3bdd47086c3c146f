"""Lists the crates and packages that the package is built from and installed with, and their licences.

python docs/list_dependencies.py            writes docs/dependencies.md
python docs/list_dependencies.py --check    fails if the list differs from what is locked and installed
python docs/list_dependencies.py --sbom X   writes a CycloneDX bill of materials

Rust crates: what Cargo.lock has for the extension module, build scripts and macros included. Python packages: what is
installed here because penpal-fast requires it, without extras.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LISTING = ROOT / "docs" / "dependencies.md"
EXTENSION = "penpal-python"
COPYLEFT = re.compile(r"\b(A?GPL|SSPL)\b")


@dataclasses.dataclass(frozen=True, order=True)
class Dependency:
    """A crate or package, with its licence."""

    kind: str
    name: str
    version: str
    licence: str

    @property
    def address(self) -> str:
        """The package URL."""
        return f"pkg:{self.kind}/{self.name}@{self.version}"


def crates() -> list[Dependency]:
    """Find the crates of the extension module."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--manifest-path", str(ROOT / "Cargo.toml")]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    waiting = [package["id"] for package in metadata["packages"] if package["name"] == EXTENSION]
    found: set[str] = set()
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            waiting += [edge["pkg"] for edge in nodes[package]["deps"] if any(map(is_needed, edge["dep_kinds"]))]
    return sorted(
        Dependency("cargo", package["name"], package["version"], package["license"] or "?")
        for package in map(packages.__getitem__, found)
        if package["source"]
    )


def is_needed(kind: dict[str, Any]) -> bool:
    """Whether an edge of Cargo's graph is needed outside tests."""
    return kind["kind"] != "dev"


def python_packages() -> list[Dependency]:
    """Find the packages that penpal-fast requires, directly and indirectly."""
    waiting, looked_at = [("penpal-fast", frozenset[str]())], set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) not in looked_at:
            looked_at.add((name, extras))
            waiting += requirements(name, extras)
    names = {name for name, _ in looked_at} - {"penpal-fast"}
    return sorted(python_package(name) for name in names)


def requirements(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Find what an installed package requires with the given extras, each with its own extras."""
    needed = map(Requirement, importlib.metadata.distribution(name).requires or [])
    environments = [{"extra": extra} for extra in ("", *extras)]
    return [
        (canonical(one.name), frozenset(one.extras))
        for one in needed
        if not one.marker or any(map(one.marker.evaluate, environments))
    ]


def python_package(name: str) -> Dependency:
    """Describe an installed package."""
    distribution = importlib.metadata.distribution(name)
    return Dependency("pypi", name, distribution.version, licence(distribution.metadata))


def canonical(name: str) -> str:
    """Return the normalized name of a package, as package URLs have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(metadata: Any) -> str:
    """Find the licence in a package's metadata."""
    named = metadata.get("License-Expression") or (metadata.get("License") or "").strip()
    if named and "\n" not in named and len(named) < 80:
        return named
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    return ", ".join(text.rpartition(" :: ")[2] for text in classifiers) or "?"


def listing(dependencies: list[Dependency]) -> str:
    """Write the list as Markdown."""
    head = (
        "# Dependencies\n\n"
        "Written by `python docs/list_dependencies.py`. `--check` compares it with what is locked and installed; "
        "`--sbom FILE` writes it as CycloneDX.\n"
    )
    tables = []
    for kind, title in (("cargo", "Crates in the extension module"), ("pypi", "Python packages")):
        lines = [f"| {one.name} | {one.version} | {one.licence} |" for one in dependencies if one.kind == kind]
        tables.append(f"\n## {title}: {len(lines)}\n\n| name | version | licence |\n|---|---|---|\n" + "\n".join(lines))
    return head + "\n".join(tables) + "\n"


def bill_of_materials(dependencies: list[Dependency]) -> dict[str, Any]:
    """Write the list as CycloneDX 1.6."""
    version = importlib.metadata.version("penpal-fast")
    component = {
        "type": "library",
        "name": "penpal-fast",
        "version": version,
        "purl": f"pkg:pypi/penpal-fast@{version}",
    }
    components = [
        {
            "type": "library",
            "name": one.name,
            "version": one.version,
            "purl": one.address,
            "licenses": [{"license": {"name": one.licence}}],
        }
        for one in dependencies
    ]
    metadata = {"component": component}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--sbom", type=Path)
    options = parser.parse_args()
    dependencies = crates() + python_packages()
    unknown = [one.address for one in dependencies if one.licence == "?" or COPYLEFT.search(one.licence)]
    if unknown:
        raise SystemExit(f"licences to look at: {', '.join(unknown)}")
    text = listing(dependencies)
    if options.sbom:
        options.sbom.write_text(json.dumps(bill_of_materials(dependencies), indent=2) + "\n")
    elif not options.check:
        LISTING.write_text(text)
    elif LISTING.read_text() != text:
        raise SystemExit(f"{LISTING} is out of date: run python {Path(__file__).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
