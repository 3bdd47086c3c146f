"""Checks that the documentation's relative links, anchors and file names lead somewhere.

python docs/check_links.py
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
FILE = re.compile(r"`((?:python|rust|tests|docs|benches|fuzz|examples)/[\w./-]+)`")
NAME = re.compile(r"`([\w./-]+(?:\.(?:py|rs|json)|/))`")
PACKAGE = ROOT / "python/penpal_fast"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """The links and file names of a page that lead nowhere."""
    text = CODE.sub("", page.read_text())
    found = [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    for link in LINK.findall(text):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            found.append(link)
    return found


def misplaced(page: Path) -> list[str]:
    """Names of files in tables that are neither paths, nor beside the file before them in the row."""
    found = []
    for row in re.findall(r"^\|.*$", page.read_text(), re.MULTILINE):
        folder = None
        for name in NAME.findall(row):
            roots = (ROOT, PACKAGE) if "/" in name.rstrip("/") else (folder,)
            path = next((root / name for root in roots if root and (root / name).exists()), None)
            folder = path.parent if path else folder
            if folder and not path:
                found.append(name)
    return found


def main() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607
    problems = [
        f"{name}: {link}" for name in listed.stdout.split() for link in [*broken(ROOT / name), *misplaced(ROOT / name)]
    ]
    if problems:
        raise SystemExit("\n".join(["these lead nowhere:", *problems]))


if __name__ == "__main__":
    main()
