"""Names of inputs: endings of files."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from penpal_fast.sources.addresses import HIDDEN
from penpal_fast.sources.formats.known import FORMATS
from penpal_fast.sources.suffixes import CSV_SUFFIXES, JSON_SUFFIXES, PACKED, TABLE_SUFFIXES

RARE_SUFFIXES = tuple(suffix for one in FORMATS if not one.is_common for suffix in one.suffixes)
COMMON_SUFFIXES = (
    *JSON_SUFFIXES,
    *CSV_SUFFIXES,
    *(suffix for one in FORMATS if one.is_common for suffix in one.suffixes),
)
"""Endings of files that stand in many folders beside the data, such as `dataset_info.json`."""

SUFFIXES = tuple(dict.fromkeys((*TABLE_SUFFIXES, *RARE_SUFFIXES, *COMMON_SUFFIXES)))

SHOWN_SUFFIXES = (
    f"{', '.join(suffix for suffix in SUFFIXES if not suffix.endswith(PACKED[1:]))} "
    "(JSON, JSON lines and CSV also with .gz or .zst)"
)
"""The endings, for errors."""

logger = logging.getLogger(__name__)


def inputs_of(folder: str, paths: Iterable[str]) -> list[str]:
    """Choose the files of a folder that are inputs, by their paths in the folder.

    They are the tables (Parquet, JSON lines) if there are any, else the files of rarer formats if there are any, else
    those with common suffixes: what stands beside the data is not taken for data. If this leaves out files of rarer
    formats, a warning says how many.
    """
    seen = [path for path in paths if not any(part.startswith(HIDDEN) for part in path.split("/"))]
    tables, rare, common = (
        [path for path in seen if path.lower().endswith(suffixes)]
        for suffixes in (TABLE_SUFFIXES, RARE_SUFFIXES, COMMON_SUFFIXES)
    )
    if tables and rare:
        logger.warning(
            "%s: %d files of other formats than Parquet and JSON lines are left out, such as %s; to read them, name "
            "them with a glob",
            folder,
            len(rare),
            rare[0],
        )
    return tables or rare or common
