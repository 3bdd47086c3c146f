"""Scores rows of pen strokes by handwriting quality, from 0 (corrupted) to 1 (legible, human-looking).

`__init__.pyi` lists the public names. Each is imported at first use, so `import penpal_fast` loads neither MLX nor
PyArrow.
"""

from __future__ import annotations

import sys
from typing import Any

import lazy_loader

from penpal_fast import forks  # noqa: F401 - notes forks from here on
from penpal_fast.interpreters import is_main_interpreter

if not is_main_interpreter():
    # PyArrow's import would wait forever.
    raise ImportError(
        "penpal_fast does not work in a sub-interpreter of Python, as PyArrow does not: use threads or processes; with "
        "mod_wsgi, set WSGIApplicationGroup %{GLOBAL}"
    )

if not getattr(sys, "_is_gil_enabled", lambda: True)():
    # Other threads could free the memory of a NumPy array while the extension reads it.
    raise ImportError(
        "penpal_fast does not work without Python's global interpreter lock: start this free-threaded Python with "
        "PYTHON_GIL=1 or -X gil=1, or use the usual build of Python"
    )

if type(__loader__).__module__ == "zipimport":
    raise ImportError(
        "penpal_fast cannot be imported from a zip file, such as a wheel on sys.path; install it with pip"
    )

_public_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from penpal_fast._core import VERSION

        return VERSION
    return _public_name(name)
