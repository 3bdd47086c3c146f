"""The functions of `pyarrow.compute`, which is imported when one of them is first called.

Its import takes as long as to score 300 rows; many jobs need none of them.
"""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(importlib.import_module("pyarrow.compute"), name)
