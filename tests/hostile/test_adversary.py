"""The adversary: some seconds of its trials, and that it notices what does not hold."""

from __future__ import annotations

import os
import sys

import pytest

from hostile.adversary import rows
from hostile.adversary.campaign import Campaign, Worker
from hostile.adversary.trials import KINDS, Trial

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "3"))
SEED = int(os.environ.get("HOSTILE_SEED", "1"))


def test_some_trials_of_each_kind_hold():
    campaign = Campaign(SEED)
    campaign.run(SECONDS)
    assert campaign.breaks == [], "\n".join(map(str, campaign.breaks))
    assert set(campaign.made) | set(campaign.missing) == set(KINDS)
    assert len(campaign.missing) <= 1


@pytest.mark.parametrize("name", ["rows:2111:283", "lines:2113:153", "lines:2113:181"])
def test_what_once_broke_the_adversary_itself_holds(name):
    """Arrays among the rows, and files of which no row can be scored."""
    Trial.named(name).make()


BROKEN = """
import os, sys, time
from hostile.adversary.trials import NotHere
from hostile.adversary.worker import serve

def make(name):
    if "arrays" in name:
        raise AssertionError("a wrong score")
    if "disks" in name:
        os.abort()
    if "kills" in name:
        time.sleep(60)
    if "lines" in name:
        print("Traceback (most recent call last):", file=sys.stderr, flush=True)
    if "pages" in name:
        raise NotHere("no page")

serve(make)
"""

FOUND = {
    "arrays": "AssertionError: a wrong score",
    "disks": "the process ended with -6",
    "kills": "it hangs\n",
    "lines": "it left a trace\nTraceback",
}


def test_the_adversary_notices_what_breaks():
    kinds = [*FOUND, "pages", "rows"]
    command = [sys.executable, "-c", BROKEN]
    campaign, told = Campaign(7, kinds), []
    campaign.run(0, told.append, lambda: Worker(command, limit=3))
    assert [one.trial for one in campaign.breaks] == [f"{kind}:7:{kinds.index(kind)}" for kind in FOUND]
    for one, why in zip(campaign.breaks, FOUND.values(), strict=True):
        assert why in one.why
        assert f"--trial {one.trial}" in str(one)
    assert campaign.missing == {"pages": "no page"}
    assert campaign.made == {"rows": 1}
    assert len(told) == len(FOUND) + 1


def test_a_name_repeats_a_trial(monkeypatch):
    drawn = []
    monkeypatch.setattr(rows, "trial", lambda chance, _folder: drawn.append(chance.random()))
    for number in (1, 1, 2):
        Trial.named(str(Trial("rows", 3, number))).make()
    assert drawn[0] == drawn[1] != drawn[2]
