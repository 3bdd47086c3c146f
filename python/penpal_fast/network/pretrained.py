"""Where a model's files are: in this package, in a folder or on the Hugging Face hub."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from penpal_fast.errors import PenpalError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"

BUNDLED = Path(__file__).parent.parent / "pretrained"
"""Folder of the model that comes with this package."""

WEIGHTS_FILES = (WEIGHTS_FILE, "model.safetensors")
"""Names that the weights may have, the first found being used."""

REPOSITORY_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)
"""The id of a repository, and the revision it may be pinned to."""


@dataclasses.dataclass(frozen=True)
class ModelFiles:
    """The two files of a model."""

    config: Path
    weights: Path


def find_model_files(source: str | os.PathLike[str], *, revision: str | None = None) -> ModelFiles:
    """Find a model's files, downloading them to the hub's cache if need be.

    Args:
        source: A folder, or else the id of a Hugging Face repository ("owner/name" or "owner/name@revision").
        revision: Branch, tag or commit of the repository.

    Raises:
        PenpalError: Neither a folder nor a repository has the files.
    """
    try:
        is_folder = Path(source).is_dir()
    except (OSError, ValueError) as error:  # Too long for a path, or not one.
        raise PenpalError(f"no model at {os.fspath(source)[:200]!r}: {error}") from error
    if is_folder:
        return _in_folder(Path(source))
    if isinstance(source, str) and (match := REPOSITORY_ID.fullmatch(source)):
        if revision and match[2]:
            raise PenpalError(f"{source!r} names a revision already; revision={revision!r} is one too many")
        return _on_hub(match[1], revision or match[2])
    raise PenpalError(
        f"no model at {os.fspath(source)!r}: it is not a folder, nor the id of a Hugging Face repository "
        "(owner/name or owner/name@revision)"
    )


def _in_folder(folder: Path) -> ModelFiles:
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return ModelFiles(folder / CONFIG_FILE, folder / name)
    found = sorted(path.name for path in folder.iterdir())[:20]
    raise PenpalError(f"{folder}: expected {CONFIG_FILE} and {WEIGHTS_FILE}; the folder has {found or 'no files'}")


def _on_hub(repository: str, revision: str | None) -> ModelFiles:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def download(name: str) -> Path:
        return Path(hf_hub_download(repository, name, revision=revision))

    try:
        config = download(CONFIG_FILE)
        for name in WEIGHTS_FILES:
            try:
                return ModelFiles(config, download(name))
            except LocalEntryNotFoundError:
                raise
            except EntryNotFoundError:
                continue
    except Exception as error:
        at = f" at revision {revision!r}" if revision else ""
        raise PenpalError(
            f"cannot load {repository!r}{at} from the Hugging Face hub, and there is no such folder here: {error}"
        ) from error
    raise PenpalError(f"the Hugging Face repository {repository!r} has none of the files {', '.join(WEIGHTS_FILES)}")
