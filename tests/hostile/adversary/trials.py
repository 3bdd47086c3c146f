"""What a trial is: its kind, the seed that repeats it, and the time that it may take."""

from __future__ import annotations

import dataclasses
import importlib
import random
import tempfile
from pathlib import Path

from helpers.alarm import within

KINDS = {
    "arrays": "Arrow arrays of random types and layouts, true and false",
    "disks": "full disks: no space, and files that may not grow",
    "kills": "jobs that are killed, whose files are damaged, and that are resumed",
    "lines": "JSON lines of which some are damaged",
    "objects": "Python objects whose methods lie, raise, change their owner or end the program",
    "pages": "requests to the live page: bodies of any kind, pieces, clients that leave",
    "parquet": "Parquet files with damage anywhere",
    "rows": "hostile rows among good ones, on any number of threads, in both engines",
    "signals": "signals while a command runs",
    "writers": "several processes that write one output, with an observer",
}

LIMIT = 120
"""Seconds that a trial may take."""


class NotHere(Exception):  # noqa: N818 - it is no error.
    """What a kind of trial needs is missing on this machine."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """One trial. Its name repeats it: `kind:seed:number`."""

    kind: str
    seed: int
    number: int

    @classmethod
    def named(cls, name: str) -> Trial:
        """Return the trial of a name."""
        kind, seed, number = name.split(":")
        return cls(kind, int(seed), int(number))

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}:{self.number}"

    def make(self) -> None:
        """Make the trial, in a folder of its own. Whatever it raises is a break, but for `NotHere`."""
        module = importlib.import_module(f"hostile.adversary.{self.kind}")
        with tempfile.TemporaryDirectory(prefix="adversary-") as folder, within(LIMIT):
            module.trial(random.Random(str(self)), Path(folder))
