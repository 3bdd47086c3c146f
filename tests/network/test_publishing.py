"""Uploading to the Hugging Face hub, with a local server in its place.

huggingface_hub reads the hub's address at import, so each case runs in its own process.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from huggingface_hub import ModelCard

from helpers.hub_server import COMMIT, TOKEN, local_hub

PUSH = """
import sys
from penpal_fast import PenpalError, QualityClassifier, Scorer
try:
    model = QualityClassifier.from_pretrained()
    print(model.push_to_hub({repository!r}, {settings}))
    print(Scorer({repository!r}, backend="native").identity == Scorer(backend="native").identity)
except PenpalError as error:
    print("PenpalError:", error)
"""


@pytest.fixture
def hub():
    models = {}
    with local_hub(models) as (address, requests):
        yield address, models, requests


def push(hub, tmp_path, repository="someone/mine", settings="", token=TOKEN):
    environment = {
        "HF_ENDPOINT": hub[0],
        "HF_HOME": str(tmp_path),
        "PATH": "",
        "PYTHONPATH": ":".join(sys.path),
        "HF_HUB_DISABLE_XET": "1",
        **({"HF_TOKEN": token} if token else {}),
    }
    code = PUSH.format(repository=repository, settings=settings)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_uploaded_and_found_again(hub, tmp_path):
    assert push(hub, tmp_path).split() == [f"{hub[0]}/someone/mine/commit/{COMMIT}", "True"]
    assert sorted(hub[1]["someone/mine"]) == ["README.md", "config.json", "weights.safetensors"]
    assert sum("/commit/" in request for request in hub[2]) == 1


def test_the_card_has_what_the_hub_shows(hub, tmp_path):
    push(hub, tmp_path, settings='license="mit", tags=["cursive"]')
    card = ModelCard(hub[1]["someone/mine"]["README.md"].decode())
    assert (card.data.library_name, card.data.license) == ("penpal-fast", "mit")
    assert {"handwriting", "cursive"} <= set(card.data.tags)
    assert 'Scorer("someone/mine")' in card.text


def test_a_card_that_is_there_is_kept(hub, tmp_path):
    hub[1]["someone/mine"] = {"README.md": b"# By hand\n"}
    push(hub, tmp_path)
    assert hub[1]["someone/mine"]["README.md"] == b"# By hand\n"


def test_who_may_not_upload_is_told(hub, tmp_path):
    for token in (None, "hf_wrong"):
        answer = push(hub, tmp_path, token=token)
        assert answer.startswith("PenpalError: cannot upload to 'someone/mine' on the Hugging Face hub: ")
    assert hub[1] == {}


@pytest.mark.parametrize("repository", ["mine", "a/b/c", "a/b@main", ""])
def test_what_is_no_repository_is_refused(hub, tmp_path, repository):
    assert "is not the id of a Hugging Face repository; write owner/name" in push(hub, tmp_path, repository)
    assert hub[2] == []
