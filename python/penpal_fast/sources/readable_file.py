"""What readers of formats need of an input file."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Protocol


class ReadableFile(Protocol):
    """A file on this machine or elsewhere."""

    @property
    def name(self) -> str:
        """Path or address, for errors."""

    @property
    def ending(self) -> str:
        """The name in lower case, for what its ending says."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    @property
    def path(self) -> Path | None:
        """Path on this machine, if it is there."""

    def open(self, *, in_order: bool) -> IO[bytes]:
        """Open it for reading, either in order or at random places."""
