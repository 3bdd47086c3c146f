"""Where MLX may compute: one call at a time, on a thread that clears up after itself, never in a forked process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import mlx.core as mx

from penpal_fast.errors import PenpalError

Result = TypeVar("Result")


class MlxThread:
    """Runs MLX work for any thread of the process that made it. Calls from several threads wait for each other."""

    def __init__(self) -> None:
        """Belong to this process."""
        self._lock = threading.Lock()
        self._process = os.getpid()

    def run(self, work: Callable[[], Result]) -> Result:
        """Return what the work returns.

        Raises:
            PenpalError: The process was forked from the one that made this.
        """
        if os.getpid() != self._process:
            raise PenpalError(
                "MLX does not work in a forked process: start workers with spawn, or use the native engine "
                '(backend="native")'
            )
        with self._lock:
            return _on_own_thread(work)


def _on_own_thread(work: Callable[[], Result]) -> Result:
    """Run MLX work directly in the main thread, and for any other thread in a short-lived thread.

    MLX gives every thread its own streams, and aborts the process if a thread ends without clearing them. A thread that
    has cleared its streams cannot use MLX again, so each call gets a thread that clears its streams and ends.
    """
    if threading.current_thread() is threading.main_thread():
        return work()
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.set_exception(error)
        finally:
            mx.synchronize()
            mx.clear_streams()

    thread = threading.Thread(target=run, name="penpal-mlx")
    thread.start()
    thread.join()
    return outcome.result()
