"""Trained models: found in this package, in a folder or on the Hugging Face hub, then read and checked."""

from __future__ import annotations

import os
import re
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.network.bounds import check_bounds
from penpal_fast.network.checkpoint import sanitize
from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.weights import read_tensors

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"

BUNDLED = Path(__file__).parent.parent / "pretrained"
"""Folder of the bundled model."""

WEIGHTS_FILES = (WEIGHTS_FILE, "model.safetensors")
"""Accepted names of the weights; the first that is found is used."""

REPOSITORY_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)
"""The id of a repository, and the revision if it is pinned."""


def load(source: str | os.PathLike[str] | None = None, *, revision: str | None = None) -> tuple[ModelConfig, Tensors]:
    """Load a model: its configuration, and exactly the tensors of a `QualityClassifier` of that configuration.

    Args:
        source: None for the bundled model, a folder, or the id of a Hugging Face repository ("owner/name" or
            "owner/name@revision").
        revision: Branch, tag or commit of the repository; None for its main branch.

    Raises:
        PenpalError: The files are not found, cannot be read, or do not describe a network that gives every picture a
            score in bounded time.
    """
    config_file, weights_file = find_files(BUNDLED if source is None else source, revision)
    tensors, config = read_tensors(weights_file), ModelConfig.from_file(config_file)
    config, tensors = sanitize(tensors, config, source=str(weights_file))
    check_bounds(config, tensors, source=str(weights_file))
    return config, tensors


def find_files(source: str | os.PathLike[str], revision: str | None) -> tuple[Path, Path]:
    """Return the paths of the configuration and the weights; the hub's files are downloaded to its cache."""
    try:
        is_folder = Path(source).is_dir()
    except (OSError, ValueError) as error:  # The name is too long or not a path.
        raise PenpalError(f"no model at {os.fspath(source)[:200]!r}: {error}") from error
    if is_folder:
        return _in_folder(Path(source))
    if isinstance(source, str) and (match := REPOSITORY_ID.fullmatch(source)):
        if revision and match[2]:
            raise PenpalError(f"{source!r} names a revision already; remove it, or revision={revision!r}")
        return _on_hub(match[1], revision or match[2])
    raise PenpalError(
        f"no model at {os.fspath(source)!r}: it is neither a folder nor the id of a Hugging Face repository "
        "(owner/name or owner/name@revision)"
    )


def find_record(source: str, name: str) -> Path | None:
    """Return the path of a further file of a model, None if it has none; see `find_files` for the source."""
    if Path(source).is_dir():
        path = Path(source) / name
        return path if path.is_file() else None
    match = REPOSITORY_ID.fullmatch(source)
    if match is None:
        return None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return Path(hf_hub_download(match[1], name, revision=match[2]))
    except EntryNotFoundError:
        return None
    except Exception as error:
        raise PenpalError(f"cannot load {name} of {source!r} from the Hugging Face hub: {error}") from error


def _in_folder(folder: Path) -> tuple[Path, Path]:
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / CONFIG_FILE, folder / name
    found = sorted(path.name for path in folder.iterdir())[:20]
    content = f"it has {', '.join(found)}" if found else "the folder is empty"
    raise PenpalError(f"{folder}: expected {CONFIG_FILE} and {WEIGHTS_FILE}; {content}")


def _on_hub(repository: str, revision: str | None) -> tuple[Path, Path]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def download(name: str) -> Path:
        return Path(hf_hub_download(repository, name, revision=revision))

    try:
        config = download(CONFIG_FILE)
        for name in WEIGHTS_FILES:
            try:
                return config, download(name)
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
