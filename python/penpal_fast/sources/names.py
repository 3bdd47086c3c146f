"""Names of inputs: endings of files, and addresses on the Hugging Face hub."""

from __future__ import annotations

HUB = "hf://"

PARQUET_SUFFIXES = (".parquet", ".pq")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
SUFFIXES = PARQUET_SUFFIXES + JSON_LINES_SUFFIXES

HIDDEN = (".", "_")
"""Start of the names of files and folders that are skipped in a folder."""


def is_readable(path: str) -> bool:
    """Whether a file in a folder is an input, by its path in the folder."""
    hidden = any(part.startswith(HIDDEN) for part in path.split("/"))
    return not hidden and path.lower().endswith(SUFFIXES)
