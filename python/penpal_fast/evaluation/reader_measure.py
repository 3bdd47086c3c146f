"""The figures of a reader's model card, as one JSON object. None of them needs more than the finished reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.thresholds import CLEAN_KEPT, THRESHOLDS
from penpal_fast.evaluation.error_rate import errors_of
from penpal_fast.evaluation.figures import area_under_curve, kept, rounded, threshold_that_keeps
from penpal_fast.evaluation.read_sets import ReadSet, Scores
from penpal_fast.evaluation.text_kinds import TEXT_KINDS
from penpal_fast.evaluation.wrong_texts import EDITS
from penpal_fast.handwriting.junk import KINDS, UNSEEN
from penpal_fast.reading.reader import Reader

SCORES: dict[str, Callable[[ReadSet], Scores]] = {
    "quality": lambda one: one.rows.scores,
    "match": lambda one: one.match,
    "readability": lambda one: one.readability,
    "combined": lambda one: one.combined,
}
"""The scores that are compared; `combined` is `quality` and the match together."""

WRITTEN = ("real", "clean", "corrupted")
"""Sets whose rows have texts of their own."""

SEED = 3
"""Of the edits of texts."""


def measure_reader(sets: dict[str, ReadSet], reader: Reader) -> dict[str, Any]:
    """Measure a reader; a figure without rows is None.

    Args:
        sets: Real, clean, corrupted and junk rows, read by this reader.
        reader: Compares clean rows with wrong texts.
    """
    return {
        "sources": {name: _source(sets[name], reader.letters) for name in WRITTEN},
        "text_kinds": {
            name: {
                kind: _source(one, reader.letters, of_kind)
                for kind, is_kind in TEXT_KINDS.items()
                if (of_kind := np.array([is_kind(text or "") for text in one.rows.texts], dtype=np.bool_)).any()
            }
            for name, one in sets.items()
            if name in ("real", "clean")
        },
        "auc": {name: _areas(sets, score) for name, score in SCORES.items()},
        "kept_where_clean_is": {name: _kept_where_clean_is(sets, score) for name, score in SCORES.items()},
        "kept": {
            name: {threshold: _kept(sets, SCORES[name], value) for threshold, value in THRESHOLDS.items()}
            for name in ("match", "readability")
        },
        "wrong_texts": _wrong_texts(sets["real"], sets["clean"], reader),
        "junk_below_balanced": {
            name: {kind: _junk(sets["junk"], kind) for kind in kinds}
            for name, kinds in (("trained_on", KINDS), ("unseen", UNSEEN))
        },
    }


def _source(one: ReadSet, letters: str, chosen: NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """Count rows and errors of a set or some of its rows."""
    picked = range(len(one.readings)) if chosen is None else np.flatnonzero(chosen).tolist()
    errors = errors_of([one.readings[row] for row in picked], [one.rows.texts[row] for row in picked], letters)
    return {
        "rows": len(picked),
        "compared": int(np.isfinite(one.match[picked]).sum()),
        "error_rate": _rounded(errors.rate),
        "exact": _rounded(errors.exact),
        "match_kept": _rounded(_share_kept(one.match[picked], THRESHOLDS["balanced"])),
        "readability_kept": _rounded(_share_kept(one.readability[picked], THRESHOLDS["balanced"])),
    }


def _areas(sets: dict[str, ReadSet], score: Callable[[ReadSet], Scores]) -> dict[str, float | None]:
    corrupted = _by_severity(sets["corrupted"], score)
    areas = {f"clean / {kind}": _area(score(sets["clean"]), scores) for kind, scores in corrupted.items()}
    return {
        **areas,
        "real / corrupted": _area(score(sets["real"]), corrupted["corrupted"]),
        "real / junk": _area(score(sets["real"]), score(sets["junk"])),
    }


def _kept_where_clean_is(sets: dict[str, ReadSet], score: Callable[[ReadSet], Scores]) -> dict[str, float | None]:
    clean = _known(score(sets["clean"]))
    if not len(clean):
        return {}
    threshold = threshold_that_keeps(clean, CLEAN_KEPT)
    found = _kept(sets, score, threshold)
    found.pop("clean")
    return {"threshold": _rounded(threshold), **found}


def _kept(sets: dict[str, ReadSet], score: Callable[[ReadSet], Scores], threshold: float) -> dict[str, float | None]:
    scores = {name: score(sets[name]) for name in ("real", "clean")} | _by_severity(sets["corrupted"], score)
    return {name: _rounded(_share_kept(one, threshold)) for name, one in scores.items()}


def _by_severity(corrupted: ReadSet, score: Callable[[ReadSet], Scores]) -> dict[str, Scores]:
    """Return the scores of all corrupted rows, and of those of each severity."""
    scores = score(corrupted)
    severities = sorted({kind for kind in corrupted.rows.kinds if kind})
    return {"corrupted": scores} | {kind: scores[corrupted.are(kind)] for kind in severities}


def _wrong_texts(real: ReadSet, clean: ReadSet, reader: Reader) -> dict[str, dict[str, float | None]]:
    """Tell the texts of clean lines from the same with one mistake, by the kind of mistake.

    A kind that fits none of the texts is left out. Words to replace with come from the real lines; without any, all
    kinds are.
    """
    words = [word for text in real.rows.texts for word in (text or "").split()]
    if not words:
        return {}
    compared = np.flatnonzero(~np.isnan(clean.match)).tolist()
    found = {}
    for name, edit in EDITS.items():
        random = np.random.default_rng(SEED)
        edited = [(row, edit(clean.rows.texts[row] or "", words, random)) for row in compared]
        wrong = [(clean.rows.strokes[row], text) for row, text in edited if text]
        if wrong:
            match = reader.outcome([strokes for strokes, _ in wrong], [text for _, text in wrong]).match
            found[name] = {
                "rows": len(wrong),
                "auc": _area(clean.match, match),
                "kept": _rounded(_share_kept(match, THRESHOLDS["balanced"])),
            }
    return found


def _junk(junk: ReadSet, kind: str) -> dict[str, float | None]:
    of_kind, balanced = junk.are(kind), THRESHOLDS["balanced"]
    kept_shares = {
        "match": _share_kept(junk.match[of_kind], balanced),
        "readability": _share_kept(junk.readability[of_kind], balanced),
    }
    return {name: None if share is None else _rounded(1 - share) for name, share in kept_shares.items()}


def _known(scores: Scores) -> Scores:
    return scores[~np.isnan(scores)]


def _area(higher: Scores, lower: Scores) -> float | None:
    high, low = _known(higher), _known(lower)
    return _rounded(area_under_curve(high, low)) if len(high) and len(low) else None


def _share_kept(scores: Scores, threshold: float) -> float | None:
    known = _known(scores)
    return kept(known, threshold) if len(known) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)
