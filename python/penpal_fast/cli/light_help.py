"""Help without the parts of Rich that it does not use.

Typer imports Rich's Markdown and tracebacks with what prints the help, which takes half of its time. Help here is not
Markdown, and no tracebacks are printed.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Classes by module."""


def load() -> None:
    """Import what prints the help, with stand-ins for `UNUSED`, which load the classes when they are used."""
    with contextlib.suppress(ImportError), _stand_ins():
        importlib.import_module("typer.rich_utils")


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    missing = {module: name for module, name in UNUSED.items() if module not in sys.modules}
    for module, name in missing.items():
        stand_in = ModuleType(module)
        setattr(stand_in, name, _Later(name, (), {"module": module}))
        sys.modules[module] = stand_in
    try:
        yield
    finally:
        for module in missing:
            del sys.modules[module]


class _Later(type):
    """A class that stands for one of a module that is not loaded yet."""

    module: str

    def _loaded(cls) -> Any:
        return getattr(importlib.import_module(cls.module), cls.__name__)

    def __call__(cls, *arguments: Any, **settings: Any) -> Any:
        return cls._loaded()(*arguments, **settings)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls._loaded(), name)
