"""Other columns of a table that look like strokes, for the error where the column of strokes is missing."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.choice import chosen_layout
from penpal_fast.layouts.direct import NoLayoutError
from penpal_fast.layouts.json_texts import JsonText
from penpal_fast.layouts.nested import empty_array, whole
from penpal_fast.layouts.soundness import check_sound
from penpal_fast.layouts.untold import Untold
from penpal_fast.schema import Table

MAX_LOOKED_AT = 100
"""Columns that are looked at."""


def look_alikes(schema: pa.Schema, samples: Iterable[Table]) -> str:
    """Say which columns look like strokes, and how to name them; empty if none does.

    Args:
        schema: The columns.
        samples: The first rows, perhaps without some columns; only the first sample is looked at.
    """
    sample = next(iter(samples), None)
    if sample is None:
        return ""
    names = [name for name in schema.names[:MAX_LOOKED_AT] if sample.schema.names.count(name) == 1]
    found = {name: looks for name in names if (looks := _looks_like(sample, name)) is not None}
    said = [f"the column {name!r} looks like {looks}: name it with --column {name}" for name, looks in found.items()]
    return "\n".join(said)


def _looks_like(sample: Table, name: str) -> str | None:
    """What the values of a column look like; None if they are no strokes."""
    try:
        check_sound(sample.column(name))
        array = whole(sample.column(name))
        if array.null_count == len(array) or pa.types.is_null(array.type):
            return None
        layout = chosen_layout(empty_array(array.type), [array]).layout
    except PenpalError:
        return "strokes"  # Of several layouts.
    except (NoLayoutError, pa.ArrowException, NotImplementedError):
        return None
    inner = layout.inner if isinstance(layout, JsonText) else layout  # Columns of JSON lines are texts here.
    if isinstance(inner, Untold):
        return None
    return "strokes" if inner is None else inner.description
