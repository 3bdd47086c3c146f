"""The process that makes trials: reads a name on each line, answers with one line of JSON."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable

from hostile.adversary.trials import NotHere, Trial

MAX_MEMORY_KB = 4 << 20


def answer(name: str, make: Callable[[str], None]) -> dict[str, object]:
    """Make a trial and tell how it ended."""
    start = time.monotonic()
    try:
        make(name)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert memory < MAX_MEMORY_KB or sys.platform == "darwin", f"{memory:,} kB of memory"
    except NotHere as missing:
        return {"end": "not here", "why": str(missing)}
    except BaseException:  # noqa: BLE001 - panics and interrupts too.
        return {"end": "break", "why": traceback.format_exc()}
    return {"end": "held", "seconds": time.monotonic() - start}


def serve(make: Callable[[str], None] = lambda name: Trial.named(name).make()) -> None:
    """Answer until the input ends. What trials print goes to stderr."""
    logging.getLogger("penpal_fast").addHandler(logging.NullHandler())
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for name in sys.stdin:
            answers.write(json.dumps(answer(name.strip(), make)) + "\n")
            answers.flush()


if __name__ == "__main__":
    serve()
