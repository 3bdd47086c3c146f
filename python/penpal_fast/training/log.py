"""The log of a training: an entry for each checkpoint, a JSON object on each line."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from penpal_fast.files import replaced_atomically


class Log:
    """The entries in a file. It appears whole, so that a kill leaves no part of an entry."""

    def __init__(self, path: Path) -> None:
        """Take the path of the file, which need not exist."""
        self._path = path

    def add(self, entry: dict[str, Any]) -> None:
        """Add an entry."""
        entries = [*self._entries(), entry]
        with replaced_atomically(self._path) as aside:
            aside.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")

    def has(self, fields: dict[str, Any]) -> bool:
        """Whether there is an entry with these fields."""
        return any(entry.items() >= fields.items() for entry in self._entries())

    def clear(self) -> None:
        """Forget all entries."""
        self._path.unlink(missing_ok=True)

    def _entries(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        entries = []
        for line in self._path.read_text(encoding="utf-8", errors="replace").split("\n"):
            with contextlib.suppress(ValueError):  # Earlier versions left a part of a line after a kill.
                entries.append(json.loads(line))
        return [entry for entry in entries if isinstance(entry, dict)]
