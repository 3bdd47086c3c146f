"""Which names are inputs: the endings of files, and addresses on the Hugging Face hub."""

from __future__ import annotations

HUB = "hf://"

PARQUET_SUFFIXES = (".parquet", ".pq")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
SUFFIXES = PARQUET_SUFFIXES + JSON_LINES_SUFFIXES

HIDDEN = (".", "_")
"""How the names of files and folders begin that are left out of folders."""


def is_readable(path: str) -> bool:
    """Whether a file in a folder is one to read, by its path in the folder."""
    hidden = any(part.startswith(HIDDEN) for part in path.split("/"))
    return not hidden and path.lower().endswith(SUFFIXES)
