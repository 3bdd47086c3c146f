"""A small Hugging Face hub on this machine: the endpoints that downloading and uploading a model and reading a data set
need."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISIONS = ("main", "v1", COMMIT)

TOKEN = "hf_letmein"  # noqa: S105 - it opens nothing

Repositories = dict[str, dict[str, bytes]]
"""Id -> file name -> content."""


@contextlib.contextmanager
def local_hub(models: Repositories, datasets: Repositories | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve repositories, all at one commit; give the address and a log of requests.

    Known revisions are "main", "v1" and the commit. Whoever has the token `TOKEN` may create and change models.
    """
    requests: list[str] = []
    data = datasets or {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/api/validate-yaml":
                self._body()
                self._send_json({"errors": [], "warnings": []})
            elif path == "/api/repos/create":
                requests.append(f"POST {path}")
                self._create(json.loads(self._body()))
            elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/([^/]+)", path):
                requests.append(f"POST {path}")
                self._change(*match.groups(), self._body())
            else:
                self._answer()

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _is_known(self) -> bool:
            if self.headers.get("authorization") == f"Bearer {TOKEN}":
                return True
            self._send(401, b'{"error": "who are you?"}', {"Content-Type": "application/json"})
            return False

        def _create(self, wanted: dict[str, Any]) -> None:
            if self._is_known():
                name = f"{wanted.get('organization') or 'someone'}/{wanted['name']}"
                models.setdefault(name, {})
                self._send_json({"url": f"http://{self.headers['host']}/{name}", "name": name})

        def _change(self, name: str, verb: str, _revision: str, body: bytes) -> None:
            if not self._is_known():
                return
            if verb == "preupload":
                paths = [file["path"] for file in json.loads(body)["files"]]
                modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]
                self._send_json({"files": modes})
                return
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    models[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"http://{self.headers['host']}/{name}/commit/{COMMIT}"
            self._send_json({"success": True, "commitUrl": url, "commitOid": COMMIT})

        def _answer(self) -> None:
            requests.append(f"{self.command} {self.path}")
            path = urllib.parse.unquote(self.path.partition("?")[0])
            if match := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                is_data, name, revision, file = match.groups()
                self._resolve((data if is_data else models).get(name), revision, file)
            elif match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(\w[\w-]+)/([^/]+)(?:/(.*))?)?", path):
                name, question, revision, inner = match.groups()
                self._tell(name, data.get(name), question, revision or "main", inner or "")
            else:
                self._refuse("RepoNotFound")

        def _resolve(self, files: dict[str, bytes] | None, revision: str, file: str) -> None:
            if files is None:
                return self._refuse("RepoNotFound")
            if revision not in REVISIONS:
                return self._refuse("RevisionNotFound")
            content = files.get(file)
            if content is None:
                return self._refuse("EntryNotFound", {"X-Repo-Commit": COMMIT})
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
            if wanted := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", "")):
                first, last = map(int, wanted.groups())
                headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
                return self._send(206, content[first : last + 1], headers)
            return self._send(200, content, headers)

        def _tell(
            self, name: str, files: dict[str, bytes] | None, question: str | None, revision: str, inner: str
        ) -> None:
            if files is None:
                return self._refuse("RepoNotFound")
            if revision not in REVISIONS:
                return self._refuse("RevisionNotFound")
            if question in (None, "revision"):
                return self._send_json({"_id": "1", "id": name, "sha": COMMIT, "tags": [], "siblings": []})
            entries = _entries(files)
            if question == "paths-info":
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                wanted = json.loads(body)["paths"] if body.startswith("{") else urllib.parse.parse_qs(body)["paths"]
                return self._send_json([entry for entry in entries if entry["path"] in wanted])
            if inner and inner not in {entry["path"] for entry in entries if entry["type"] == "directory"}:
                return self._refuse("EntryNotFound")
            folder = PurePosixPath(inner)
            deep = "recursive=true" in self.path.lower()
            paths = [(entry, PurePosixPath(entry["path"])) for entry in entries]
            return self._send_json(
                [entry for entry, path in paths if (folder in path.parents if deep else folder == path.parent)]
            )

        def _send_json(self, content: Any) -> None:
            self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _refuse(self, code: str, headers: dict[str, str] | None = None) -> None:
            self._send(404, b"", {"X-Error-Code": code, "X-Error-Message": "not here", **(headers or {})})

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _entries(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The files and folders of a repository, as the hub lists them."""
    folders = {str(folder) for name in files for folder in PurePosixPath(name).parents} - {"."}
    return [
        *(
            {"type": "directory", "path": folder, "oid": _git_id(folder.encode()), "size": 0}
            for folder in sorted(folders)
        ),
        *(
            {"type": "file", "path": name, "oid": _git_id(content), "size": len(content)}
            for name, content in sorted(files.items())
        ),
    ]


def _git_id(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
