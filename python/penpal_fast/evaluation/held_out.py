"""Which lines a trained model has held out, by the recipe beside its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.files import read_at_most
from penpal_fast.handwriting.lines import EARLIER_PREFIX, decided_by, is_prefix
from penpal_fast.network.pretrained import BUNDLED, MAX_RECORD_BYTES, find_record

RECORD = "training.json"
"""File beside the weights with the recipe: under "recipe", or of a reader the whole file."""


def prefix_of_models(model: str | None, reader: str | None) -> int | None:
    """Return how many of the first characters of a source decide whether its lines are held out.

    Args:
        model: Folder or repository of a model; None for the one in this package.
        reader: Folder or repository of a reader; None for the one in this package.

    Returns:
        The number that the recipe of the one that is named has, or else that of the bundled model; None for the whole
        source.

    Raises:
        PenpalError: Both are named, and they hold out different lines; or a recipe cannot be read.
    """
    records = [find_record(source, RECORD) for source in (model, reader) if source is not None]
    prefixes = [prefix_in(record) for record in records if record] or [prefix_in(BUNDLED / RECORD)]
    if prefixes[0] != prefixes[-1]:
        raise PenpalError(
            f"the model holds lines out by {decided_by(prefixes[0])}, the reader by {decided_by(prefixes[-1])}; name "
            "one with --source-prefix (0 for the whole source), or evaluate them one by one"
        )
    return prefixes[0]


def prefix_in(path: Path) -> int | None:
    """Return how many of the first characters of a source a recipe looks at; None for the whole source.

    Raises:
        PenpalError: The recipe cannot be read.
    """
    try:
        content = read_at_most(path, MAX_RECORD_BYTES)
        if content is None:
            raise ValueError(f"it is larger than {MAX_RECORD_BYTES:,} bytes")
        record: dict[str, Any] = json.loads(content.decode("utf-8"))
        prefix = record.get("recipe", record).get("source_prefix", EARLIER_PREFIX)
        if not is_prefix(prefix):
            raise TypeError(f"source_prefix is {prefix!r}")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise PenpalError(f"{path}: cannot read the recipe: {error}; give --source-prefix") from error
    return prefix
