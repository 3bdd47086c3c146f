"""Loading from the Hugging Face hub, with a local server in its place.

huggingface_hub reads the hub's address at import, so each case runs in its own process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.hub_server import COMMIT, local_hub
from penpal_fast import QualityClassifier
from penpal_fast.network.config_file import MAX_CONFIG_BYTES
from penpal_fast.network.pretrained import MAX_RECORD_BYTES
from penpal_fast.network.weights import MAX_WEIGHTS_BYTES


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    QualityClassifier().save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def hub(files):
    odd = {"config.json": files["config.json"], "model.safetensors": files["weights.safetensors"]}
    damaged = {**files, "weights.safetensors": files["weights.safetensors"][:-8]}
    dangerous = {
        "config.json": files["config.json"],
        "pytorch_model.bin": b"\x80\x04",
        "modeling.py": b"raise SystemExit(7)",
    }
    repositories = {
        "someone/quality": files,
        "some-one/odd.name": odd,
        "someone/damaged": damaged,
        "someone/code": dangerous,
        "someone/long.config": {**files, "config.json": files["config.json"] + b" " * MAX_CONFIG_BYTES},
        "someone/recorded": {**files, "training.json": b'{"recipe": {"source_prefix": 5}}'},
        "someone/long.record": {**files, "training.json": b"{}" + b" " * MAX_RECORD_BYTES},
        "someone/large": {**files, "weights.safetensors": bytes(MAX_WEIGHTS_BYTES + 1)},
    }
    with local_hub(repositories) as (address, requests):
        yield address, requests


def load(hub, tmp_path, source, *, revision=None, **environment):
    """Load a model as `said` does, and print a shape."""
    shape = f"QualityClassifier.from_pretrained({source!r}, revision={revision!r}).head.weight.shape"
    return said(hub, tmp_path, f"from penpal_fast import QualityClassifier; print({shape})", **environment)


def said(hub, tmp_path, work, **environment):
    """Work in a fresh process and return its output, or the error's text."""
    code = (
        "from penpal_fast import PenpalError\n"
        f"try: {work}\n"
        "except PenpalError as error: print(f'PenpalError: {error}')\n"
    )
    variables = {
        **os.environ,
        "HF_ENDPOINT": hub[0],
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        **environment,
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_repository(hub, tmp_path):
    assert load(hub, tmp_path, "someone/quality") == "(1, 32)"


def test_another_name_of_the_weights(hub, tmp_path):
    assert load(hub, tmp_path, "some-one/odd.name") == "(1, 32)"


@pytest.mark.parametrize("revision", ["v1", COMMIT])
def test_a_pinned_revision(hub, tmp_path, revision):
    hub[1].clear()
    assert load(hub, tmp_path, "someone/quality", revision=revision) == "(1, 32)"
    assert all(f"/resolve/{revision}/" in request for request in hub[1])


def test_a_revision_pinned_in_the_name(hub, tmp_path):
    hub[1].clear()
    assert load(hub, tmp_path, f"someone/quality@{COMMIT}") == "(1, 32)"
    assert all(f"/resolve/{COMMIT}/" in request for request in hub[1])
    assert "names a revision already" in load(hub, tmp_path, "someone/quality@v1", revision="v1")


def test_offline_uses_the_cache(hub, tmp_path):
    answer = load(hub, tmp_path, "someone/quality", HF_HUB_OFFLINE="1")
    assert answer.startswith("PenpalError: cannot load 'someone/quality' from the Hugging Face hub")
    assert load(hub, tmp_path, "someone/quality") == "(1, 32)"
    hub[1].clear()
    assert load(hub, tmp_path, "someone/quality", HF_HUB_OFFLINE="1") == "(1, 32)"
    assert hub[1] == []


@pytest.mark.parametrize(
    ("source", "revision", "message"),
    [
        ("someone/nothing", None, "cannot load 'someone/nothing' from the Hugging Face hub"),
        ("someone/quality", "v9", "cannot load 'someone/quality' at revision 'v9' from the Hugging Face hub"),
        ("someone/damaged", None, "cannot read the weights"),
        ("someone/code", None, "has none of the files weights.safetensors, model.safetensors"),
    ],
)
def test_repositories_that_cannot_be_loaded_are_refused(hub, tmp_path, source, revision, message):
    answer = load(hub, tmp_path, source, revision=revision)
    assert answer.startswith("PenpalError: ")
    assert message in answer


def test_only_configuration_and_weights_are_fetched(hub, tmp_path):
    hub[1].clear()
    load(hub, tmp_path, "someone/code")
    assert {request.rsplit("/", 1)[1] for request in hub[1]} == {
        "config.json",
        "weights.safetensors",
        "model.safetensors",
    }


@pytest.mark.parametrize(
    ("source", "name", "limit"),
    [
        ("someone/long.config", "config.json", MAX_CONFIG_BYTES),
        ("someone/large", "weights.safetensors", MAX_WEIGHTS_BYTES),
    ],
)
def test_files_that_are_too_large_are_not_downloaded(hub, tmp_path, source, name, limit):
    hub[1].clear()
    answer = load(hub, tmp_path, source)
    assert answer.startswith(f"PenpalError: cannot load '{source}' from the Hugging Face hub")
    assert f"{name} is of " in answer
    assert f"at most {limit:,} are downloaded" in answer
    assert not [request for request in hub[1] if request.startswith("GET") and request.endswith(f"/{name}")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("someone/recorded", "5"),
        ("someone/quality", "3"),  # As the model in this package.
        ("someone/long.record", "PenpalError: cannot load training.json of 'someone/long.record' from the Hugging"),
    ],
)
def test_the_record_of_a_model_is_fetched_unless_it_is_too_large(hub, tmp_path, source, expected):
    hub[1].clear()
    work = f"from penpal_fast.evaluation.held_out import prefix_of_models as of; print(of({source!r}, None))"
    assert said(hub, tmp_path, work).startswith(expected)
    fetched = [request for request in hub[1] if request.startswith("GET") and request.endswith("/training.json")]
    assert bool(fetched) == (source == "someone/recorded")


def test_a_cached_commit_is_loaded_without_the_hub(hub, tmp_path):
    assert load(hub, tmp_path, f"someone/quality@{COMMIT}") == "(1, 32)"
    hub[1].clear()
    assert load(hub, tmp_path, f"someone/quality@{COMMIT}") == "(1, 32)"
    assert hub[1] == []


def test_an_unreachable_server(tmp_path):
    answer = load(("http://127.0.0.1:9", []), tmp_path, "someone/quality")
    assert answer.startswith("PenpalError: cannot load 'someone/quality' from the Hugging Face hub")
