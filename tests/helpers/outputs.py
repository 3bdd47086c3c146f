"""What a job has written."""

from __future__ import annotations

import json
from pathlib import Path


def content(path: Path) -> dict[str, bytes]:
    """The bytes of an output, a file or a folder; its manifest without the time that the job took."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = {file.name: file.read_bytes() for file in path.iterdir()}
    manifest = json.loads(files["_manifest.json"])
    manifest["summary"].pop("seconds")
    return {**files, "_manifest.json": json.dumps(manifest).encode()}
