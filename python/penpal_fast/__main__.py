"""Runs the command line, as `penpal-fast` and as `python -m penpal_fast`."""

from __future__ import annotations

import signal

from penpal_fast.interrupts import ending_at_once


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


if __name__ == "__main__":
    main()
