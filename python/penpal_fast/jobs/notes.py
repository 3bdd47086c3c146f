"""What jobs note in the metadata of the Parquet files that they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.sources.parquet_footer import ParquetFooter


def noted(path: Path, key: bytes) -> Any:
    """Return the JSON that a Parquet file has under a key; None if it has none or is damaged."""
    try:
        with path.open("rb") as file:
            return json.loads((ParquetFooter(file).described().metadata.metadata or {})[key])
    except (OSError, PenpalError, pa.ArrowException, ValueError, TypeError, KeyError, RecursionError):
        return None
