"""Models on the Hugging Face hub: a repository with the model's files and a model card."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.network.config import ModelConfig
from penpal_fast.network.pretrained import REPOSITORY_ID

CARD = "README.md"

LIBRARY = "penpal-fast"

TAGS = ("handwriting", "online-handwriting", "pen-strokes", "data-filtering", "quality-assurance", "mlx")

TEXT = """
# {name}

Scores a line of pen strokes from 0 (corrupted, illegible) to 1 (legible, human-looking): a residual network
(channels {channels}) over a 256 x 256 picture of the line, at a line width of {line_width:g} pixels.

```python
from penpal_fast import Scorer

Scorer("{repository}").score([[[(0, 9), (4, 0), (8, 9)], [(2, 5), (6, 5)]]])
```

```sh
penpal-fast score lines.parquet -o scored.parquet --model {repository}
```

The model is `config.json` and `weights.safetensors`. What it was trained on, and how well it tells good lines from bad
ones, is not known to the program that wrote this card: please add it.
"""


def model_card(repository: str, config: ModelConfig, *, license: str | None, tags: Sequence[str]) -> str:  # noqa: A002
    """Return a model card: what the hub shows beside a model, as metadata, and how to use it."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        library_name=LIBRARY,
        license=license,
        pipeline_tag="image-classification",
        tags=list(dict.fromkeys([*TAGS, *tags])),
    )
    text = TEXT.format(
        name=repository.partition("/")[2],
        channels=" / ".join(map(str, config.channels)),
        line_width=config.line_width,
        repository=repository,
    )
    return f"---\n{data.to_yaml()}\n---\n{text}"


def push(
    repository: str,
    save: Callable[[Path], None],
    card: Callable[[], str],
    *,
    private: bool | None,
    revision: str | None,
    message: str,
    token: str | None,
    create_pr: bool,
) -> str:
    """Write a model into a folder and upload it in one commit, with a card unless the repository has one.

    Returns:
        Address of the commit.

    Raises:
        PenpalError: `repository` is not an id, or the hub refuses or cannot be reached.
    """
    match = REPOSITORY_ID.fullmatch(repository) if isinstance(repository, str) else None
    if match is None or match[2]:
        raise PenpalError(f"{repository!r} is not the id of a Hugging Face repository; write owner/name")
    from huggingface_hub import HfApi

    with tempfile.TemporaryDirectory(prefix="penpal-") as folder:
        save(Path(folder))
        try:
            hub = HfApi(token=token)
            hub.create_repo(repository, private=private, exist_ok=True)
            if revision is not None and not hub.revision_exists(repository, revision):
                hub.create_branch(repository, branch=revision, exist_ok=True)
            if not hub.file_exists(repository, CARD, revision=revision):
                (Path(folder) / CARD).write_text(card(), encoding="utf-8")
            commit = hub.upload_folder(
                repo_id=repository,
                folder_path=folder,
                commit_message=message,
                revision=revision,
                create_pr=create_pr,
            )
        except Exception as error:
            raise_if_from_handler(error)
            raise PenpalError(
                f"cannot upload to {repository!r} on the Hugging Face hub: {error}; `hf auth login` or token= says who "
                "you are"
            ) from error
    return str(commit.commit_url)
