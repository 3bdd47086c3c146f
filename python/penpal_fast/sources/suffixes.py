"""Endings of the names of tables."""

from __future__ import annotations

PACKED = ("", ".gz", ".zst")
"""Endings that say how a file of text is compressed, if it is."""

PARQUET_SUFFIXES = (".parquet", ".pq")
JSON_LINES_SUFFIXES = tuple(suffix + packed for suffix in (".jsonl", ".ndjson") for packed in PACKED)
JSON_SUFFIXES = tuple(".json" + packed for packed in PACKED)
CSV_SUFFIXES = tuple(suffix + packed for suffix in (".csv", ".tsv") for packed in PACKED)
TABLE_SUFFIXES = PARQUET_SUFFIXES + JSON_LINES_SUFFIXES
