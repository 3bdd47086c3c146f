"""Stages of a job at work at the same time, with few batches on their way between them."""

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
"""Items that a stage makes before the next one asks for them."""

_END = object()


@contextlib.contextmanager
def made_ahead(items: Generator[Item, None, None], stage: str) -> Iterator[Iterator[Item]]:
    """Give the items of a generator, which runs in a thread of its own, some items ahead; an error comes in its place.

    When the block ends, so has the thread, and the generator is closed.
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
        # An interrupt while the thread starts leaves it at work after its pool is gone.
        with at_work:
            items.close()


class Stopwatch:
    """Seconds that each stage of a job was at work; the stages overlap."""

    def __init__(self) -> None:
        """Start at nothing."""
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
