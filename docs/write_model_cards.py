"""Writes the tables of docs/evaluation/*.json into the model cards, between their markers.

python docs/write_model_cards.py            after penpal-fast evaluate ... -o docs/evaluation, or
                                            benches/left_out.py ... --output docs/evaluation/left_out.json
python docs/write_model_cards.py --check    fails if a card has other figures than the file
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from penpal_fast.evaluation.card import tables
from penpal_fast.evaluation.markdown import percent, table
from penpal_fast.evaluation.reader_card import reader_tables
from penpal_fast.evaluation.threshold_card import threshold_table

ROOT = Path(__file__).parent.parent
FIGURES = ROOT / "docs" / "evaluation" / "evaluation.json"
LEFT_OUT = FIGURES.with_name("left_out.json")
PACKAGE = ROOT / "python" / "penpal_fast"


def with_tables(card: str, written: str, what: str = "figures") -> str:
    """Return a card with these tables between the markers of what they are."""
    begins, ends = f"<!-- {what} begin: docs/write_model_cards.py -->\n", f"<!-- {what} end -->\n"
    before, _, rest = card.partition(begins)
    _, found, after = rest.partition(ends)
    if not found:
        raise SystemExit(f"a card lacks its markers: {begins}{ends}")
    return f"{before}{begins}\n{written}\n{ends}{after}"


def cards(figures: dict[str, Any]) -> dict[Path, str]:
    """Return each card as it should be."""
    if "reader" not in figures:
        raise SystemExit(f"{FIGURES} has no figures of the reader; run penpal-fast evaluate ... -o docs/evaluation")
    written = {"pretrained": tables(figures), "pretrained_reader": reader_tables(figures["reader"])}
    paths = {PACKAGE / folder / "README.md": text for folder, text in written.items()}
    made = {path: with_tables(path.read_text(encoding="utf-8"), text) for path, text in paths.items()}
    first = PACKAGE / "pretrained" / "README.md"
    made[first] = with_tables(made[first], threshold_table(figures["scores"]), "thresholds")
    left_out = json.loads(LEFT_OUT.read_text(encoding="utf-8"))["kinds"]
    return {**made, first: with_tables(made[first], left_out_table(left_out), "left out")}


def left_out_table(kinds: dict[str, dict[str, float]]) -> str:
    """Return what short trainings drop of each kind of junk, with and without it among their examples."""
    rows = [
        [kind.replace("_", " "), percent(shares["trained_on"]), percent(shares["left_out"])]
        for kind, shares in kinds.items()
    ]
    return table(["junk", "trained on", "left out"], rows) + "\n"


def main() -> None:
    for path, card in cards(json.loads(FIGURES.read_text(encoding="utf-8"))).items():
        if "--check" not in sys.argv[1:]:
            path.write_text(card, encoding="utf-8")
        elif card != path.read_text(encoding="utf-8"):
            raise SystemExit(f"{path} has other figures than {FIGURES}; run python docs/write_model_cards.py")


if __name__ == "__main__":
    main()
