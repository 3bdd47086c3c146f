"""Data sets on the Hugging Face hub, which is played by a server on this machine.

The hub's address is read when huggingface_hub is imported, so what talks to it runs in a process of its own.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.hub_server import local_hub
from helpers.made_lines import scrawl
from penpal_fast import score_dataset

ROWS = [scrawl(seed, 3, 15) for seed in range(30)]


@pytest.fixture(scope="module")
def files():
    """Three Parquet files of ten rows, and the same rows as JSON lines."""
    contents = {"README.md": b"# lines", ".gitattributes": b""}
    for number in range(3):
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"strokes": column(ROWS[10 * number : 10 * number + 10])}), sink, row_group_size=4)
        contents[f"data/train-{number}.parquet"] = sink.getvalue().to_pybytes()
    contents["json/lines.jsonl.gz"] = gzip.compress("\n".join(json.dumps({"strokes": row}) for row in ROWS).encode())
    return contents


@pytest.fixture
def hub(files):
    with local_hub({}, {"someone/lines": files}) as (address, requests):
        yield address, requests


@pytest.fixture
def expected(files, tmp_path):
    folder = tmp_path / "local"
    folder.mkdir()
    for name, content in files.items():
        if name.endswith(".parquet"):
            (folder / os.path.basename(name)).write_bytes(content)  # noqa: PTH119
    score_dataset(folder, tmp_path / "expected.parquet")
    return pq.read_table(tmp_path / "expected.parquet")


def in_a_process(hub, tmp_path, *command):
    variables = {
        **os.environ,
        "HF_ENDPOINT": hub[0],
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
    }
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=variables, timeout=120)


def score(hub, tmp_path, *arguments):
    """Run the command."""
    return in_a_process(hub, tmp_path, "-m", "penpal_fast", "score", *arguments, "-o", str(tmp_path / "out.parquet"))


EACH = """
import json, sys
from penpal_fast import PenpalError, score_dataset
said = []
for number, address in enumerate(sys.argv[2:]):
    try:
        score_dataset(address, f"{sys.argv[1]}/{number}.parquet")
    except PenpalError as error:
        said.append(str(error))
    else:
        said.append(None)
print(json.dumps(said))
"""


def score_each(hub, tmp_path, addresses):
    """Score addresses into numbered files, all in one process; return the error of each, or None."""
    done = in_a_process(hub, tmp_path, "-c", EACH, str(tmp_path), *addresses)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_files_of_a_data_set_are_scored_as_local_ones(hub, tmp_path, expected):
    paths = ["/data", "/data/*.parquet", "@v1/data/train-*.parquet", "/**/*.parquet", "/data/train-1.parquet"]
    assert score_each(hub, tmp_path, [f"hf://datasets/someone/lines{path}" for path in paths]) == [None] * 5
    for number in range(4):
        assert pq.read_table(tmp_path / f"{number}.parquet").equals(expected), paths[number]
    assert pq.read_table(tmp_path / "4.parquet").equals(expected.slice(10, 10))
    # The last commit of each file, which huggingface_hub 0.30 asks for by itself.
    assert not any("expand=true" in request.lower() or "/commits/" in request for request in hub[1])


def test_json_lines(hub, tmp_path, expected):
    done = score(hub, tmp_path, "hf://datasets/someone/lines/json/lines.jsonl.gz")
    assert done.returncode == 0, done.stderr
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["quality"].to_pylist() == pytest.approx(expected["quality"].to_pylist(), abs=1e-4)


def test_a_file_that_was_changed_on_the_hub_is_refused(hub, tmp_path, files):
    target = tmp_path / "out.parquet"
    assert score(hub, tmp_path, "hf://datasets/someone/lines/data").returncode == 0
    before = target.read_bytes()
    files["data/train-1.parquet"], kept = files["data/train-2.parquet"], files["data/train-1.parquet"]
    try:
        done = score(hub, tmp_path, "hf://datasets/someone/lines/data", "--resume")
    finally:
        files["data/train-1.parquet"] = kept
    assert done.returncode == 1
    assert "was written from another input" in done.stderr
    assert target.read_bytes() == before


def test_what_cannot_be_read_is_said(hub, tmp_path):
    messages = {
        "hf://datasets/someone/nothing": "cannot list it on the Hugging Face hub",
        "hf://datasets/someone/lines@v9/data": "cannot list it on the Hugging Face hub",
        "hf://datasets/someone/lines/elsewhere": "cannot list it on the Hugging Face hub",
        "hf://datasets/someone/lines/README.md": "the name must end with one of .parquet",
        "hf://datasets/someone/lines/*.pq": "there are no files whose names end with one of .parquet",
    }
    for (address, message), error in zip(messages.items(), score_each(hub, tmp_path, messages), strict=True):
        assert error.startswith(f"{address}: ")
        assert message in error
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_hub_that_is_not_there(tmp_path):
    address = "hf://datasets/someone/lines/data"
    done = score(("http://127.0.0.1:9", []), tmp_path, address)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {address}: cannot list it on the Hugging Face hub")
