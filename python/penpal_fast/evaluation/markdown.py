"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table, its cells as they are given."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float | None) -> str:
    """Show a share, or nothing where there is none."""
    return "" if share is None else f"{100 * share:.1f} %"


def decimals(value: float | None) -> str:
    """Show a number to three places, or nothing where there is none."""
    return "" if value is None else f"{value:.3f}"
