"""Stages of a job that run at the same time, with few batches between them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 2
"""Items that a stage makes before the next stage asks for them."""

_END = object()


@contextlib.contextmanager
def made_ahead(items: Generator[Item, None, None], stage: str) -> Iterator[Iterator[Item]]:
    """Run a generator in a thread of its own, some items ahead, and give its items; it raises in their place.

    At the end of the block the thread has ended and the generator is closed.
    """

    at_work = threading.Lock()

    def take() -> Item | object:
        with at_work:
            return next(items, _END)

    try:
        with ThreadPoolExecutor(1, f"penpal-{stage}") as thread:
            coming = deque(thread.submit(take) for _ in range(AHEAD))

            def taken() -> Iterator[Item]:
                while (item := coming.popleft().result()) is not _END:
                    coming.append(thread.submit(take))
                    yield item  # type: ignore[misc]

            try:
                yield taken()
            finally:
                for future in coming:
                    future.cancel()
    finally:
        # After an interrupt while the thread starts, the thread outlives its pool.
        with at_work:
            items.close()


class Stopwatch:
    """Seconds that each stage of a job took; the stages overlap."""

    def __init__(self) -> None:
        """Start without stages."""
        self.seconds: dict[str, float] = {}
        self._adding = threading.Lock()

    @contextlib.contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage; the times of several threads add up."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._adding:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    def timed(self, items: Iterator[Item], stage: str) -> Iterator[Item]:
        """Add the time that an iterator takes for its items to a stage."""
        while True:
            with self.measured(stage):
                item = next(items, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]
