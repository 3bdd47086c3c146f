"""Names of inputs: what tells an address from a path, and what is hidden."""

from __future__ import annotations

import re

HUB = "hf://"
LOCAL = "file://"
DOWNLOADED = ("http://", "https://")

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+(::[a-z][a-z0-9+.-]*)*://", re.IGNORECASE)
"""Start of an address."""

HIDDEN = (".", "_")
"""Start of the names of files and folders that are skipped in a folder."""


def is_address(given: str) -> bool:
    """Whether something is an address and no path."""
    return ADDRESS.match(given) is not None
