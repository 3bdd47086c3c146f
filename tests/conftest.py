"""Settings and data for all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from helpers.paths import ROOT

# Matrix products as small as the tests' gain nothing from more threads, and lose much on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A shell's background jobs ignore Ctrl-C, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def example_file() -> Path:
    """The example lines of the repository."""
    return ROOT / "examples" / "lines.parquet"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real handwriting, which is not part of the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real handwriting (../shared/data) is not part of the repository")
    return folder
