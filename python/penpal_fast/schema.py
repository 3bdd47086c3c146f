"""Columns of the output: the input's, and the scores."""

from __future__ import annotations

import json

import pyarrow as pa

from penpal_fast.checks.quality import SCORE_COLUMNS, scored_schema

HUGGING_FACE = b"huggingface"


def output_schema(schema: pa.Schema) -> pa.Schema:
    """Return the input's schema with the score columns, in the Hugging Face features too where there are any."""
    schema = scored_schema(schema)
    metadata = dict(schema.metadata or {})
    try:
        described = json.loads(metadata[HUGGING_FACE])
        for name, kind in SCORE_COLUMNS.items():
            dtype = "float32" if kind == pa.float32() else "string"
            described["info"]["features"][name] = {"dtype": dtype, "_type": "Value"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return schema
    return schema.with_metadata({**metadata, HUGGING_FACE: json.dumps(described).encode()})
