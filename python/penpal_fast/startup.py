"""What Ctrl-C and the garbage collector do while modules load."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process at once, as libraries that are being loaded turn it into errors of their own.

    Nothing changes where Ctrl-C does something else than usual, or outside the main thread. Garbage is collected
    afterwards, but not looked for in what was loaded: modules leave next to none, and looking takes a tenth of their
    loading time, and a tenth again at the first collection.
    """
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_usual or threading.current_thread() is not threading.main_thread():
        with _no_collection():
            yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with _no_collection():
            yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
