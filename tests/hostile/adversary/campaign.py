"""Trials one after another in a process that may die or hang, and what became of them."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from helpers.paths import ROOT
from hostile.adversary.trials import KINDS, LIMIT, Trial

COMMAND = (sys.executable, "-X", "faulthandler", "-m", "hostile.adversary.worker")

TRACES = re.compile(r"Traceback|panicked at (?!\S*/arrow-\w+-\d)|Exception ignored|Fatal Python error|core dumped")
"""What no trial may leave on stderr. The import of Arrow structures panics on some, which the package catches."""

TRIALS_OF_A_WORKER = 400
"""Memory that one trial leaves behind is not held against the others."""


@dataclasses.dataclass
class Break:
    """A trial that did not hold."""

    trial: str
    why: str

    def __str__(self) -> str:
        return f"{self.trial}: repeat it with --trial {self.trial}\n{self.why}"


class Worker:
    """The process that makes the trials."""

    def __init__(self, command: Sequence[str] = COMMAND, limit: float = LIMIT + 60) -> None:
        """Start the process.

        Args:
            command: What answers names of trials.
            limit: Seconds after which a silent process hangs.
        """
        self.made = 0
        self._limit = limit
        self._stderr = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed with the worker.
        paths = [str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    @property
    def is_alive(self) -> bool:
        """Whether the process can make more trials."""
        return self._process.poll() is None

    def make(self, name: str) -> dict[str, object]:
        """Make a trial: {"end": "held", "break" or "not here", "why": text}."""
        self.made += 1
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        place = self._stderr.seek(0, os.SEEK_END)
        self._process.stdin.write(f"{name}\n".encode())
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], self._limit)
        if not ready:
            self._process.send_signal(signal.SIGABRT)  # Python's fault handler says where it hangs.
            time.sleep(1)
            said = self._said(place)
            self.close()
            return {"end": "break", "why": f"it hangs\n{said}"}
        line = self._process.stdout.readline()
        said = self._said(place)
        if not line:
            code = self._process.wait()
            return {"end": "break", "why": f"the process ended with {code}\n{said}"}
        answer = json.loads(line)
        if answer["end"] == "held" and TRACES.search(said):
            return {"end": "break", "why": f"it left a trace\n{said}"}
        return answer

    def _said(self, place: int) -> str:
        self._stderr.seek(place)
        return self._stderr.read()[-5000:]

    def close(self) -> None:
        """End the process, which removes its files, if it has not been ended."""
        if not self._stderr.closed:
            try:
                self._process.communicate(timeout=10)  # Its input ends.
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()
            self._stderr.close()


@dataclasses.dataclass
class Campaign:
    """Trials of some kinds until the time is over.

    Attributes:
        made: Number of trials that held, by kind.
        missing: Why kinds could not be tried here.
        breaks: Trials that did not hold.
    """

    seed: int
    kinds: Sequence[str] = tuple(KINDS)
    made: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    missing: dict[str, str] = dataclasses.field(default_factory=dict)
    breaks: list[Break] = dataclasses.field(default_factory=list)

    def run(
        self,
        seconds: float,
        told: Callable[[str], None] = lambda _line: None,
        start: Callable[[], Worker] = Worker,
        tell_every: float = 600,
    ) -> None:
        """Make trials, each kind once at first and then at random; the first round is always ended.

        Args:
            seconds: How long new trials begin.
            told: Called with each break, and now and then with the counts.
            start: Starts the process that makes them.
            tell_every: Seconds between the counts.
        """
        chance, number = random.Random(self.seed), 0
        begin = told_last = time.monotonic()
        worker = start()
        try:
            while number < len(self.kinds) or time.monotonic() < begin + seconds:
                kinds = [kind for kind in self.kinds if kind not in self.missing]
                if not kinds:
                    break
                kind = self.kinds[number] if number < len(self.kinds) else chance.choice(kinds)
                if not worker.is_alive or worker.made >= TRIALS_OF_A_WORKER:
                    worker.close()
                    worker = start()
                self._count(kind, str(Trial(kind, self.seed, number)), worker, told)
                number += 1
                if time.monotonic() > told_last + tell_every:
                    told_last = time.monotonic()
                    told(f"after {(told_last - begin) / 60:.0f} minutes: {self}")
        finally:
            worker.close()

    def _count(self, kind: str, name: str, worker: Worker, told: Callable[[str], None]) -> None:
        answer = worker.make(name)
        if answer["end"] == "held":
            self.made[kind] += 1
        elif answer["end"] == "not here":
            self.missing[kind] = str(answer["why"])
            told(f"{kind}: not here: {answer['why']}")
        else:
            self.breaks.append(Break(name, str(answer["why"])))
            told(str(self.breaks[-1]))

    def __str__(self) -> str:
        counts = ", ".join(f"{kind} {self.made[kind]:,}" for kind in self.kinds if self.made[kind])
        return f"{self.made.total():,} trials held ({counts}), {len(self.breaks)} breaks"
