"""Stages that run at the same time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from penpal_fast.jobs import pipeline


def test_a_stage_that_is_still_at_work_is_waited_for(monkeypatch):
    class Impatient(ThreadPoolExecutor):
        """Does not wait for its thread, as when an interrupt comes while it starts."""

        def __exit__(self, *_error):
            return None

    monkeypatch.setattr(pipeline, "ThreadPoolExecutor", Impatient)
    started, ended = threading.Event(), threading.Event()

    def items():
        try:
            started.set()
            time.sleep(0.2)
            yield 1
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt), pipeline.made_ahead(items(), "reading"):
        started.wait()
        raise KeyboardInterrupt
    assert ended.is_set()
