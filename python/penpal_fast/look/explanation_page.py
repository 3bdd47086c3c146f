"""An explanation as one HTML page, which needs no other file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from penpal_fast.files import replaced_atomically
from penpal_fast.look.explanation import Explanation
from penpal_fast.look.explanation_text import effect_rows, misfit_rows

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 720px; margin: 24px auto;
  padding: 0 16px; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 1.6em; }
table { border-collapse: collapse; }
th, td { padding: 3px 24px 3px 0; text-align: left; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
th { font-weight: 500; color: #666; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
"""


def write_page(explanation: Explanation, output: Path, *, title: str, words: int, notes: Iterable[str] = ()) -> None:
    """Write the page, which appears when it is complete.

    Args:
        explanation: The explanation.
        output: HTML file to write; an existing file is replaced.
        title: Heading of the page.
        words: Number of words of the row.
        notes: Further lines under the drawing, such as why the text is not compared.

    Raises:
        PenpalError: The file cannot be written.
    """
    with replaced_atomically(output) as aside:
        aside.write_text(_page(explanation, title, words, notes), encoding="utf-8")


def _page(explanation: Explanation, title: str, words: int, notes: Iterable[str]) -> str:
    effects = [(name, f"{effect:+.2f}") for name, effect in effect_rows(explanation, words)]
    misfits = [(letter, place, f"{fit:.2f}") for letter, place, fit in misfit_rows(explanation)]
    body = [
        f"<h1>{escape(title)}</h1>",
        explanation._repr_html_(),
        *(f"<p>{escape(note)}</p>" for note in notes),
        _table(f"What each {explanation.level} does to the score", (explanation.level, "log-odds"), effects),
        _table("Letters that do not fit", ("letter", "where", "fit, from 0 to 1"), misfits),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n<main>\n" + "\n".join(body) + "\n</main>\n</html>\n"
    )


def _table(heading: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return (
        f"<h2>{escape(heading)}</h2><table><tr>{head}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
    )
