"""Scored rows that the tests make themselves, with scores that do not depend on any model."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.arrow import column
from helpers.made_lines import scrawl
from penpal_fast import QualityCheck
from penpal_fast.checks.columns import checked_schema
from penpal_fast.checks.text_match import TextCheck

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"
"""Text that would run as a script, if it were not escaped."""


def scored_table(quality, **columns) -> pa.Table:
    """Rows with these scores, None or NaN for a bad one; a bad row's strokes are null."""
    scores = [None if value is None or np.isnan(value) else float(value) for value in quality]
    strokes = [None if value is None else scrawl(seed % 7, 2, 6) for seed, value in enumerate(scores)]
    errors = ["null: the row is null" if value is None else None for value in scores]
    return pa.table(
        {
            "strokes": column(strokes),
            "quality": pa.array(scores, pa.float32()),
            "quality_error": pa.array(errors, pa.string()),
            **columns,
        }
    )


def matched_table(quality, match, texts, text="text", **columns) -> pa.Table:
    """Rows with these scores and texts, and with columns `text_match` and `text_match_error` that the schema describes.

    Rows without a match, None, have no text either.
    """
    table = scored_table(quality, **{text: pa.array(texts, pa.string())}, **columns)
    errors = ["no text: the text is null" if value is None else None for value in match]
    table = table.append_column("quality_note", pa.nulls(len(table), pa.string()))
    table = table.append_column("text_match", pa.array(match, pa.float32()))
    table = table.append_column("text_match_error", pa.array(errors, pa.string()))
    schema = checked_schema(table.schema, [QualityCheck(), TextCheck(text)])
    return table.select(schema.names).cast(schema)
