"""Checks made on what was read."""

from __future__ import annotations

from collections.abc import Sequence

from penpal_fast.checks.check import Check, Outcome, outcomes_of
from penpal_fast.checks.columns import prepare
from penpal_fast.errors import PenpalError
from penpal_fast.sources.batch import Batch, Source


def prepare_for(checks: Sequence[Check], source: Source) -> None:
    """Make sure that checks can look at the rows of a file, and of all files with the same columns.

    Raises:
        PenpalError: They cannot; the error names the file.
    """
    try:
        prepare(checks, source.schema)
    except PenpalError as error:
        raise PenpalError(f"{source.file.name}: {error}") from error


def check_batch(checks: Sequence[Check], batch: Batch, source: Source) -> list[Outcome]:
    """Return what each check finds in a batch; see `outcomes_of`.

    Raises:
        PenpalError: A column turns out to be of the wrong type; the error names the file.
    """
    try:
        return outcomes_of(checks, batch.data, batch.problems)
    except PenpalError as error:
        raise PenpalError(f"{source.file.name}: {error}") from error
