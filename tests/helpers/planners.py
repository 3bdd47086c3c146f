"""Planners of synthetic lines for tests, which other processes can import."""

from __future__ import annotations

import os
import time


class Killed:
    """Plans no line: its process ends, as if it were killed."""

    seed = 1

    def lines(self, _part, _generator):
        """End the process."""
        os._exit(9)


class Slow:
    """Plans for a minute."""

    seed = 1

    def lines(self, _part, _generator):
        """Wait, and say that it was begun."""
        time.sleep(60)
