"""Summaries: counts and quantiles of scores, and reasons."""

from __future__ import annotations

import numpy as np
import pytest

from penpal_fast.checks import check
from penpal_fast.checks.check import reason_of
from penpal_fast.checks.summary import Summary


def test_summary_agrees_with_numpy():
    random = np.random.default_rng(1)
    quality = random.beta(2, 3, 5000).astype(np.float32)
    quality[::50] = np.nan
    summary = Summary()
    for part in np.array_split(quality, 7):
        summary.add(part, ["null: x"] * int(np.isnan(part).sum()))
    good = quality[~np.isnan(quality)]
    assert (summary.rows, summary.scored, summary.bad) == (5000, len(good), 100)
    assert summary.reasons == {"null": 100}
    assert summary.mean == pytest.approx(good.mean(), abs=1e-6)
    shares = dict(zip(summary.quantiles(), [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1], strict=True))
    for name, value in summary.quantiles().items():
        assert value == pytest.approx(np.quantile(good, shares[name]), abs=2e-3), name
    assert summary.kept() == {
        "lenient": np.mean(good >= 0.3),
        "balanced": np.mean(good >= 0.5),
        "strict": np.mean(good >= 0.7),
    }


def test_reasons_of_untrusted_files_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(check, "MAX_REASONS", 3)
    summary = Summary()
    summary.add(np.full(6, np.nan, np.float32), ["a: 1", "b", "x" * 10_000, "c", "a: 2", "d"])
    assert summary.reasons == {"a": 2, "b": 1, "x" * 100: 1, "other reasons": 2}


def test_a_reason_is_decided_in_one_place():
    problems = ["null: x", "no colon", "x" * 101, "", ": x"]
    summary = Summary()
    summary.add(np.full(5, np.nan, np.float32), problems)
    assert summary.reasons == {"null": 1, "no colon": 1, "x" * 100: 1, "no score": 2}
    assert set(map(reason_of, problems)) == set(summary.reasons)
