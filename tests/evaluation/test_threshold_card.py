"""The table of what each threshold keeps."""

from __future__ import annotations

import importlib.util
import sys

from helpers.paths import ROOT
from penpal_fast.evaluation.threshold_card import threshold_table

KEPT = {
    "clean": (0.95, 0.138, 0.03),
    "corrupted": (0.15, 0.05, 0.02),
    "real": (0.97, 0.9, 0.8),
    "real_short": (0.94, 0.8, 0.0),
}
SCORES = {name: dict(zip(("kept_0.3", "kept_0.5", "kept_0.7"), shares, strict=True)) for name, shares in KEPT.items()}


def test_the_price_of_a_higher_threshold_is_shown():
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in threshold_table(SCORES).splitlines()]
    assert rows[2] == ["0.3", "`lenient`, the default", "95.0 %", "15.0 %", "97.0 %", "94.0 %", "13.6 %"]
    assert rows[3] == ["0.5", "`balanced`", "13.8 %", "5.0 %", "90.0 %", "80.0 %", "26.6 %"]
    assert rows[4][-1] == "40.0 %"


def test_the_card_takes_the_table_at_its_place():
    spec = importlib.util.spec_from_file_location("write_model_cards", ROOT / "docs" / "write_model_cards.py")
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    card = (ROOT / "python/penpal_fast/pretrained/README.md").read_text(encoding="utf-8")
    changed = script.with_tables(script.with_tables(card, "NEW THRESHOLDS", "thresholds"), "NEW FIGURES")
    assert changed.index("NEW THRESHOLDS") < changed.index("## Data and licence") < changed.index("NEW FIGURES")
    assert changed.count("<!--") == card.count("<!--") == 6
