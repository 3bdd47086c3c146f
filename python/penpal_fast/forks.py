"""Whether this process was forked from one that had used MLX, which then does not work here.

A forked process has the state of MLX but not its threads: what waits for them waits for ever.
"""

from __future__ import annotations

import os
import sys

from penpal_fast.errors import PenpalError

_was_used_before_fork = False
_is_forked_after_use = False


def is_forked_after_use() -> bool:
    """Whether a process that had used MLX was forked, and this process came of it."""
    return _is_forked_after_use


def check_not_forked() -> None:
    """Make sure that MLX works in this process, as far as forks go.

    Raises:
        PenpalError: The process was forked from one that had used MLX.
    """
    if _is_forked_after_use:
        raise PenpalError(
            "MLX does not work in a forked process, as it was used before the fork: start workers with spawn, or use "
            'the native engine (backend="native")'
        )


def _is_used() -> bool:
    """Whether MLX may have started threads in this process, for this package or for other code."""
    mx = sys.modules.get("mlx.core")
    if mx is None:
        return False
    try:
        # Nothing tells that a GPU is in use without using it, so there MLX counts as used as soon as it is loaded.
        if any(device.is_available() for device in (mx.metal, getattr(mx, "cuda", None)) if device):
            return True
        return bool(mx.get_peak_memory() or mx.get_active_memory() or mx.get_cache_memory())
    except (AttributeError, RuntimeError):
        return True


def _before_fork() -> None:
    # Here and not in the child, where MLX's memory may be locked by a thread that is not there.
    global _was_used_before_fork
    _was_used_before_fork = _is_used()


def _after_fork() -> None:
    global _is_forked_after_use
    _is_forked_after_use = _is_forked_after_use or _was_used_before_fork


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
