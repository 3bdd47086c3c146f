"""Which exceptions come from handlers of signals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType


def raise_if_from_handler(error: BaseException) -> None:
    """Raise an exception again if the handler of a signal raised it, such as the TimeoutError of an alarm.

    It is no error of the file, the hub or whatever was at work then.
    """
    if is_from_handler(error.__traceback__):
        raise error


def is_from_handler(trace: TracebackType | None) -> bool:
    """Whether an exception with this traceback was raised by the handler of a signal, in the midst of other code.

    Python calls handlers in the main thread, with the number of the signal and the frame of the code that ran then.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    while trace is not None:
        if _is_handlers(trace.tb_frame):
            return True
        trace = trace.tb_next
    return False


def _is_handlers(frame: FrameType) -> bool:
    from inspect import CO_OPTIMIZED, CO_VARARGS  # Commands do not need it to start.

    code = frame.f_code
    takes_two = code.co_argcount >= 2 or code.co_flags & CO_VARARGS
    if not (takes_two and code.co_flags & CO_OPTIMIZED):
        return False
    before = frame.f_back  # None for a generator that has ended, whose other variables may be None too.
    for value in frame.f_locals.values() if before is not None else ():
        if value is before or (type(value) is tuple and value and value[-1] is before):
            return True
    return any(code is one for one in _codes_of_handlers())  # It may have dropped the frame that it was given.


def _codes_of_handlers() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if callable(handler):
            for called in (handler, getattr(handler, "func", None), type(handler).__call__):
                code = getattr(called, "__code__", None)
                if isinstance(code, CodeType):
                    yield code
