"""The one thread on which this package computes with MLX, for the life of the process.

MLX gives each thread streams of its own, and each stream a thread of the operating system, which stays when the first
one has ended. So there is one thread that owns them, and whoever needs MLX hands it work. It ends before Python does:
a thread that is stopped within MLX would abort the process.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, NoReturn, TypeVar

import mlx.core as mx

from penpal_fast.errors import PenpalError
from penpal_fast.forks import check_not_forked

Result = TypeVar("Result")


class AbandonedError(Exception):
    """Nobody waits for this work any more, or the process is ending."""


@dataclasses.dataclass(eq=False)
class _Job:
    """Work, the device that its caller had chosen, and what came of it."""

    work: Callable[[], Any]
    device: Any
    outcome: Future[Any] = dataclasses.field(default_factory=Future)
    is_abandoned: bool = False


class _MlxThread:
    """The thread; it starts with the first work."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._working = threading.Lock()
        self._worker: threading.Thread | None = None
        self._current: _Job | None = None
        self._is_ending = False

    def run(self, work: Callable[[], Result]) -> Result:
        check_not_forked()
        if threading.current_thread() is self._worker:
            return work()
        job = _Job(work, mx.default_device())
        self._start()
        try:
            self._jobs.put(job)
            return job.outcome.result()
        except AbandonedError:
            _leave()
        finally:
            job.is_abandoned = True  # Matters after an interrupt: the work has not ended then.

    def go_on(self) -> None:
        job = self._current
        if threading.current_thread() is self._worker and (self._is_ending or (job and job.is_abandoned)):
            raise AbandonedError

    def _start(self) -> None:
        with self._starting:
            if self._is_ending:
                _leave()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="penpal-mlx", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as error:
                    raise PenpalError(f"cannot start the thread that computes with MLX: {error}") from error

    def _work(self) -> None:
        # After an interrupt while it started, there may be another thread like this one.
        with self._working:
            self._worker = threading.current_thread()
            while (job := self._jobs.get()) is not None:
                self._current = job
                _do(job)
                self._current = job = None  # Do not keep the rows until the next work.
            mx.synchronize()
            mx.clear_streams()
            self._jobs.put(None)

    def end(self) -> None:
        """Finish the step that is at work, refuse further work, and end the thread."""
        while True:
            with contextlib.suppress(KeyboardInterrupt), _interrupts_ignored():
                self._is_ending = True
                if self._thread is not None and self._thread.is_alive():
                    self._jobs.put(None)
                    self._thread.join()
                return


def _do(job: _Job) -> None:
    if job.is_abandoned:
        return
    try:
        if mx.default_device() != job.device:
            mx.set_default_device(job.device)
        job.outcome.set_result(job.work())
    except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
        job.outcome.set_exception(error)


def _leave() -> NoReturn:
    """Stop a thread that has work when the process ends: silently, as Python stops those that do not matter."""
    if threading.current_thread().daemon:
        threading.Event().wait()
    raise PenpalError("the process is ending, so MLX takes no more work")


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """The step that is at work takes moments; an interrupt would leave it to be stopped within MLX."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


_thread = _MlxThread()
atexit.register(_thread.end)


def run_on_mlx_thread(work: Callable[[], Result]) -> Result:
    """Return what the work returns. It runs on the thread of MLX; calls from several threads wait for each other.

    An interrupt ends the wait at once, and the work at its next `go_on`.

    Raises:
        PenpalError: The process was forked from one that had used MLX, or it is ending.
    """
    return _thread.run(work)


def go_on() -> None:
    """Leave work that nobody waits for; to be called between its steps, of moments each.

    Raises:
        AbandonedError: The caller was interrupted, or the process is ending.
    """
    _thread.go_on()
