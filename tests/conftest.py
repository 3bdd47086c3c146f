"""Settings and data for all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from helpers.paths import ROOT
from helpers.readers import write_reader
from penpal_fast import Reader, Scorer

# More threads slow down matrix products as small as those of the tests, most of all on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A shell's background jobs ignore Ctrl-C, and the programs that tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    """The scorer of the bundled model, without MLX."""
    return Scorer(backend="native")


@pytest.fixture(scope="session")
def reader_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader with random weights, which reads without sense, but always the same."""
    return write_reader(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="session")
def reader(reader_folder: Path) -> Reader:
    """That reader, without MLX."""
    return Reader(reader_folder, backend="native")


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
