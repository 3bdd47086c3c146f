"""Trained models: found in this package, in a folder or on the Hugging Face hub, then read and checked."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.network.bounds import check_bounds
from penpal_fast.network.checkpoint import sanitize
from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.config_file import MAX_CONFIG_BYTES
from penpal_fast.network.weights import MAX_WEIGHTS_BYTES, read_tensors

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"

BUNDLED = Path(__file__).parent.parent / "pretrained"
"""Folder of the bundled model."""

WEIGHTS_FILES = (WEIGHTS_FILE, "model.safetensors")
"""Accepted names of the weights; the first that is found is used."""

REPOSITORY_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)
"""The id of a repository, and the revision if it is pinned."""

COMMIT_ID = re.compile(r"[0-9a-f]{40}")
"""A revision whose files cannot change."""


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


MAX_BYTES = {CONFIG_FILE: MAX_CONFIG_BYTES} | dict.fromkeys(WEIGHTS_FILES, MAX_WEIGHTS_BYTES)
"""Largest files that are downloaded."""

MAX_RECORD_BYTES = 1 << 20
"""Largest further file that is downloaded or read."""


def find_files(source: str | os.PathLike[str], revision: str | None) -> tuple[Path, Path]:
    """Return the paths of the configuration and the weights; the hub's files are downloaded to its cache."""
    if not isinstance(source, (str, os.PathLike)) or not os.fspath(source):
        raise PenpalError(f"a model is named by a folder or the id of a Hugging Face repository; got {source!r}")
    try:
        if Path(source).is_dir():
            return _in_folder(Path(source))
    except (OSError, ValueError) as error:  # The name is too long or not a path, or the folder may not be read.
        raise PenpalError(f"no model at {os.fspath(source)[:200]!r}: {error}") from error
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
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return _downloaded(match[1], name, match[2])
    except EntryNotFoundError:
        return None
    except Exception as error:
        raise_if_from_handler(error)
        raise PenpalError(f"cannot load {name} of {source!r} from the Hugging Face hub: {error}") from error


def _in_folder(folder: Path) -> tuple[Path, Path]:
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / CONFIG_FILE, folder / name
    found = sorted(path.name for path in folder.iterdir())[:20]
    content = f"it has {', '.join(found)}" if found else "the folder is empty"
    raise PenpalError(f"{folder}: expected {CONFIG_FILE} and {WEIGHTS_FILE}; {content}")


def _on_hub(repository: str, revision: str | None) -> tuple[Path, Path]:
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        config = _downloaded(repository, CONFIG_FILE, revision)
        for name in WEIGHTS_FILES:
            try:
                return config, _downloaded(repository, name, revision)
            except LocalEntryNotFoundError:
                raise
            except EntryNotFoundError:
                continue
    except Exception as error:
        raise_if_from_handler(error)
        at = f" at revision {revision!r}" if revision else ""
        raise PenpalError(
            f"cannot load {repository!r}{at} from the Hugging Face hub, and there is no such folder here: {error}"
        ) from error
    raise PenpalError(f"the Hugging Face repository {repository!r} has none of the files {', '.join(WEIGHTS_FILES)}")


def _downloaded(repository: str, name: str, revision: str | None) -> Path:
    """Return a file in the hub's cache; it is downloaded unless it is larger than any that is accepted."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RevisionNotFoundError

    def cached() -> Path:
        return Path(hf_hub_download(repository, name, revision=revision, local_files_only=True))

    if revision and COMMIT_ID.fullmatch(revision):
        with contextlib.suppress(LocalEntryNotFoundError):
            return cached()
    try:
        size = get_hf_file_metadata(hf_hub_url(repository, name, revision=revision)).size
    except (EntryNotFoundError, RevisionNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 - The hub cannot be reached or refuses.
        raise_if_from_handler(error)
        try:
            return cached()
        except LocalEntryNotFoundError:
            raise error from None
    most = MAX_BYTES.get(name, MAX_RECORD_BYTES)
    if size is None or size > most:
        has = "of unknown size" if size is None else f"of {size:,} bytes"
        raise PenpalError(f"{name} is {has}, and at most {most:,} are downloaded")
    return Path(hf_hub_download(repository, name, revision=revision))
