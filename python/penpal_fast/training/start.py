"""A model or reader to start a training from, checked before the training begins."""

from __future__ import annotations

import logging
from pathlib import Path

from penpal_fast.errors import UsageError
from penpal_fast.evaluation.held_out import RECORD, prefix_in
from penpal_fast.handwriting.lines import decided_by
from penpal_fast.network.pretrained import find_record

logger = logging.getLogger(__name__)


def check_start(start: str, output: Path, prefix: int | None) -> None:
    """Make sure that a training does not replace what it starts from, and warn if that held out other lines.

    Args:
        start: Folder of the model or reader to start from, or the id of a Hugging Face repository.
        output: Folder to write to.
        prefix: How many of the first characters of a source decide whether its lines are held out now.

    Raises:
        UsageError: Both are the same folder: a killed run could not start from it again.
    """
    if Path(start).resolve() == output.resolve():
        raise UsageError(f"{output}: the training starts from this folder, and cannot write to it; choose another")
    record = find_record(start, RECORD)
    if record is not None and (earlier := prefix_in(record)) != prefix:
        logger.warning(
            "%s held lines out by %s, the recipe by %s: of the lines that are held out now, it may have learned from "
            "most. Give the recipe the same source_prefix, or expect figures that are too good",
            start,
            decided_by(earlier),
            decided_by(prefix),
        )
