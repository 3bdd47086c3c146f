"""Tables for the model card of a reader."""

from __future__ import annotations

from typing import Any

from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.evaluation.markdown import decimals, percent, table
from penpal_fast.evaluation.text_kinds import LONG

NAMES = {
    "real": "real lines",
    "clean": "clean synthetic",
    "corrupted": "corrupted synthetic",
    "junk": "junk",
    "quality": "quality",
    "match": "match",
    "readability": "readability",
    "combined": "quality and match",
    "long": f"{LONG} letters or more",
    "digits": "with digits",
    "capitals": "mostly capitals",
}


def reader_tables(figures: dict[str, Any]) -> str:
    """Return the figures of `measure_reader` as Markdown."""
    parts = [
        _sources(figures),
        _areas(figures["auc"]),
        _kept_where_clean_is(figures["kept_where_clean_is"]),
        _kept(figures["kept"]),
        _wrong_texts(figures["wrong_texts"]),
        _junk(figures["junk_below_balanced"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sources(figures: dict[str, Any]) -> str:
    chosen = [(NAMES[name], one) for name, one in figures["sources"].items()]
    for name, kinds in figures["text_kinds"].items():
        chosen += [(f"{NAMES[name]}, {NAMES[kind]}", one) for kind, one in kinds.items()]
    rows = [
        [
            name,
            f"{one['rows']:,}",
            f"{one['compared']:,}",
            percent(one["error_rate"]),
            percent(one["exact"]),
            percent(one["match_kept"]),
            percent(one["readability_kept"]),
        ]
        for name, one in chosen
    ]
    header = ["readings", "rows", "compared with a text", "character error rate", "read without an error"]
    return table([*header, "match at or above 0.5", "readability at or above 0.5"], rows)


def _areas(areas: dict[str, dict[str, float | None]]) -> str:
    rows = [[_pair(pair), *(decimals(one[pair]) for one in areas.values())] for pair in areas["match"]]
    return table(["AUC", *(NAMES[name] for name in areas)], rows)


def _pair(pair: str) -> str:
    high, low = pair.split(" / ")
    return f"{NAMES[high]} from {_severity(low)}"


def _severity(name: str) -> str:
    return NAMES.get(name) or f"{name.replace('_', ' ')} corruption"


def _kept_where_clean_is(shares: dict[str, dict[str, float | None]]) -> str:
    known = {name: one for name, one in shares.items() if one}
    if not known:
        return ""
    columns = [name for name in next(iter(known.values())) if name != "threshold"]
    rows = [
        [NAMES[name], decimals(one["threshold"]), *(percent(one[column]) for column in columns)]
        for name, one in known.items()
    ]
    header = ["kept where 95 % of clean synthetic lines are", "threshold"]
    return table([*header, *(_severity(column) for column in columns)], rows)


def _kept(shares: dict[str, dict[str, dict[str, float | None]]]) -> str:
    rows = [
        [f"{NAMES[name]} at or above {THRESHOLDS[threshold]} (`{threshold}`)", *map(percent, one.values())]
        for name, by_threshold in shares.items()
        for threshold, one in by_threshold.items()
    ]
    columns = next(iter(shares["match"].values()))
    return table(["kept", *(_severity(column) for column in columns)], rows)


def _wrong_texts(edits: dict[str, dict[str, float | None]]) -> str:
    if not edits:
        return ""
    rows = [[edit, f"{one['rows']:,}", decimals(one["auc"]), percent(one["kept"])] for edit, one in edits.items()]
    return table(["clean lines with a wrong text", "rows", "AUC against their own text", "match at or above 0.5"], rows)


def _junk(junk: dict[str, dict[str, dict[str, float | None]]]) -> str:
    rows = [
        [kind.replace("_", " "), percent(one["readability"]), percent(one["match"])]
        for kinds in junk.values()
        for kind, one in kinds.items()
    ]
    header = ["junk", "readability below 0.5", "match with the text of the line it was made from below 0.5"]
    return table(header, rows)
