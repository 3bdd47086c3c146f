"""Runs the command line as `python -m penpal_fast`."""

from penpal_fast.cli import main

main()
