"""Which interpreter of a process this is: some servers and embedding programs have several."""

from __future__ import annotations

import importlib
import sys

KNOWN_BY = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"


def is_main_interpreter() -> bool:
    """Whether this is the first interpreter of the process, or Python cannot have others."""
    try:
        known = importlib.import_module(KNOWN_BY)
    except ImportError:
        return True
    return bool(known.get_current() == known.get_main())
