"""Finds circles of `use` between the Rust modules of a crate: check_rust_modules.py [CRATE ...] (default: rust/*)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

IGNORED = re.compile(r"""(?sm)//[^\n]*|/\*.*?\*/|'"'|"(?:[^"\\]|\\.)*"|#\[cfg\(test\)\]\s*mod \w+(?:;| \{.*?^\})""")
DECLARATION = re.compile(r"(?:pub(?:\([^)]*\))? )?(?:mod \w+|use [^;]+);|#!?\[[^\]]*\]")
USE = re.compile(r"\buse ([^;]+);")
PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)+")

Module = tuple[str, ...]


def circle(crate: Path) -> list[Path]:
    """Find files of a crate of which each uses the next and the last uses the first; empty if there are none."""
    files = {module_of(path, crate / "src"): path for path in sorted(crate.glob("src/**/*.rs")) if path.stem != "tests"}
    texts = {module: IGNORED.sub("", path.read_text("utf-8")) for module, path in files.items()}
    # A file that only declares and re-exports does not use its children.
    code = {module for module, text in texts.items() if DECLARATION.sub("", text).strip()}
    exports = {module: {path[-1]: path for path in used_paths(text, module)} for module, text in texts.items()}

    def target(path: Module) -> Module | None:
        module = max((path[:end] for end in range(len(path) + 1) if path[:end] in files), key=len)
        if module in code:
            return module
        item = exports[module].get("".join(path[len(module) : len(module) + 1]), module)
        return None if item == module else target(item)

    used = {module: {target(path) for path in used_paths(texts[module], module)} for module in code}
    edges = {module: sorted(other for other in used[module] - {module} if other is not None) for module in code}
    return [files[module] for module in find_circle(edges)]


def module_of(path: Path, root: Path) -> Module:
    """Name the module of a file; the module of lib.rs is ()."""
    parts = path.relative_to(root).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("lib", "mod") else parts


def used_paths(text: str, module: Module) -> list[Module]:
    """List the paths that a module names, from the root of the crate."""
    uses = [leaf for tree in USE.findall(text) for leaf in leaves(re.sub(r"\s+as \w+|\s", "", tree))]
    bases = {"crate": (), "super": module[:-1], "self": module}
    paths = [path.split("::") for path in [*uses, *PATH.findall(USE.sub("", text))]]
    named = [(*bases.get(first, (*module, first)), *rest) for first, *rest in paths]
    # A glob names the module before it.
    return [path[:-1] if path and path[-1] == "*" else path for path in named]


def leaves(tree: str) -> list[str]:
    """Expand the braces of a `use`."""
    inner = re.search(r"\{([^{}]*)\}", tree)
    if not inner:
        return [tree]
    parts = [tree[: inner.start()] + part + tree[inner.end() :] for part in inner[1].split(",") if part]
    return [leaf for part in parts for leaf in leaves(part)]


def find_circle(edges: dict[Module, list[Module]]) -> list[Module]:
    """Search depth first."""
    done: set[Module] = set()

    def visit(module: Module, way: list[Module]) -> list[Module]:
        if module in way:
            return way[way.index(module) :]
        found = next((found for other in edges[module] if (found := visit(other, [*way, module]))), [])
        done.add(module)
        return found

    return next((found for module in sorted(edges) if module not in done and (found := visit(module, []))), [])


if __name__ == "__main__":
    crates = [Path(crate) for crate in sys.argv[1:]] or sorted(Path(__file__).parents[1].glob("rust/*"))
    circles = [" -> ".join(map(str, [*found, found[0]])) for crate in crates if (found := circle(crate))]
    sys.exit("\n".join(f"a circle of modules: {text}" for text in circles) or None)
