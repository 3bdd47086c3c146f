"""Runs the command line, as `penpal-fast` and as `python -m penpal_fast`."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from penpal_fast.startup import ending_at_once


def run() -> None:
    """Run the command line as the only work of this process, which starts and ends sooner than with `main`."""
    ended: list[int] = []
    if not atexit._ncallbacks():  # What was registered before, such as by coverage, would be called after the end.
        atexit.register(_end, ended)
    sys.meta_path.insert(0, _WithoutPandas())
    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            ended.append(end.code or 0)
        raise


def main() -> None:
    """Run the command line. While it is imported, and once it has ended, Ctrl-C ends the process without a trace."""
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with ending_at_once():
        import typer

        from penpal_fast.cli import app

        command = typer.main.get_command(app)
    try:
        command()
    finally:
        if is_usual:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


class _WithoutPandas:
    """Makes the import of pandas fail as if it were not installed: PyArrow imports it to make an array, for a third of
    a second. Who only looks for it, as PyTorch does, finds a module of no file.
    """

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name == "pandas" else None  # type: ignore[arg-type]

    def create_module(self, _spec: ModuleSpec) -> None:
        """Take the usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        raise ModuleNotFoundError("the command line works without pandas", name=module.__name__)


def _end(ended: list[int]) -> None:
    """End the process, if it has an exit code, without taking all modules apart: a tenth of the time of a short run.

    All threads have ended, and all else that was registered was called: the first that is registered is called last.
    """
    if not ended:
        return
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # Python says what is wrong, and ends with another code.
        return
    os._exit(ended[0] & 0xFF)


if __name__ == "__main__":
    run()
