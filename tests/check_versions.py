"""Runs the tests with the lowest versions that pyproject.toml allows, and with the newest that there are.

    python3.11 tests/check_versions.py [lowest] [newest] [--resolve] [--wheel FILE] [-- ARGUMENTS OF PYTEST]

Each set gets a virtual environment in build/versions. The lowest set takes every dependency, also those of the extra
`look`, at its lower bound, and what tests with at the newest version that fits; the newest set takes no constraints.
With --resolve, pip only says what it would install. With --wheel, a wheel of this checkout is installed, and nothing is
compiled.

A run that passes is written to tests/versions.json: the day, Python, the versions of the dependencies and of what tests
with, and which tests ran.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "build" / "versions"
RECORD = ROOT / "tests" / "versions.json"

BESIDE = {"lowest": ["httpx"], "newest": []}
"""What only the tests of a set need: Starlette 0.40 is tested with httpx, and newer ones with httpx2."""

NAME = re.compile(r"^[A-Za-z0-9._-]+")
BOUND = re.compile(r">=\s*([0-9.]+)")

ASKED = (
    "import importlib.metadata, json, sys; print(json.dumps({n: importlib.metadata.version(n) for n in sys.argv[1:]}))"
)


def declared(*extras: str) -> list[str]:
    """Dependencies of this package, of its extra `look` and of further extras, for this platform."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in ("look", *extras))]
    all_of_them = [one for group in groups for one in group if named(one) != project["name"]]
    return [one for one in all_of_them if "platform_system" not in one or f"'{platform.system()}'" in one]


def named(dependency: str) -> str:
    """Name of a dependency, without its extras and versions."""
    found = NAME.match(dependency)
    if found is None:
        raise ValueError(f"{dependency!r} has no name")
    return found[0]


def lowest(dependency: str) -> str:
    """A constraint to the lowest version of a dependency.

    Raises:
        ValueError: It has no lower bound.
    """
    bound = BOUND.search(dependency)
    if bound is None:
        raise ValueError(f"{dependency!r} has no lower bound")
    return f"{named(dependency)}=={bound[1]}"


def written_constraints(which: str) -> Path:
    """Write what pip is held to for a set."""
    path = PLACE / f"{which}.txt"
    lines = map(lowest, declared()) if which == "lowest" else ()
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def check(which: str, arguments: list[str], *, resolve: bool, wheel: Path | None = None) -> None:
    """Install a set, run the tests in it, and note what was tested."""
    PLACE.mkdir(parents=True, exist_ok=True)
    environment = PLACE / which
    python = environment / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--upgrade"]
    constraints = written_constraints(which)
    if resolve:
        # Without the package itself, whose extension would have to be compiled to ask it what it needs.
        asked = [*pip, "--quiet", "--report", "-", "--dry-run", "-c", constraints, *declared()]
        report = json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout)
        names = sorted(f"{one['metadata']['name']} {one['metadata']['version']}" for one in report["install"])
        sys.stdout.write(f"{which}: {', '.join(names)}\n")
        return
    subprocess.run([*pip, "-c", constraints, f"{wheel or ROOT}[test]", *BESIDE[which]], check=True)
    # pip keeps a package of the same version that is there from an earlier run.
    subprocess.run([*pip, "--force-reinstall", "--no-deps", str(wheel or ROOT)], check=True)
    # Old versions warn of newer ones that they are installed with.
    warnings = ["-W", "default"] if which == "lowest" else []
    subprocess.run([python, "-m", "pytest", *warnings, *arguments], cwd=ROOT, check=True)
    note(which, python, arguments)


def note(which: str, python: Path, arguments: list[str]) -> None:
    """Write down what was tested, and when."""
    names = sorted({named(dependency) for dependency in declared("test")}, key=str.lower)
    asked = subprocess.run([python, "-c", ASKED, *names], check=True, capture_output=True, text=True).stdout
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    record[which] = {
        "day": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "python": platform.python_version(),
        "versions": json.loads(asked),
        "tests": shlex.join(arguments) or "all",
    }
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split what is for this script from what is for pytest, at the first "--"."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def main() -> None:
    """Check the sets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="lowest|newest", help="both if none is named")
    parser.add_argument("--wheel", type=Path, help="a wheel of this checkout")
    parser.add_argument("--resolve", action="store_true", help="only say what pip would install")
    before, after = split(sys.argv[1:])
    options = parser.parse_args(before)
    if unknown := set(options.sets) - {"lowest", "newest"}:
        parser.error(f"there is no set {sorted(unknown)[0]!r}; there are lowest and newest")
    for which in options.sets or ["lowest", "newest"]:
        check(which, after, resolve=options.resolve, wheel=options.wheel)


if __name__ == "__main__":
    main()
