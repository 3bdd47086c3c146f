"""A small Hugging Face hub on this machine: the endpoints that downloading a file needs."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextlib.contextmanager
def local_hub(repositories: dict[str, dict[str, bytes]]) -> Iterator[tuple[str, list[str]]]:
    """Serve repositories (id -> file name -> content), all at one commit; give the address and a log of requests.

    Known revisions are "main", "v1" and the commit.
    """
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(send_body=False)

        def do_GET(self) -> None:
            self._answer(send_body=True)

        def _answer(self, *, send_body: bool) -> None:
            requests.append(f"{self.command} {self.path}")
            owner, name, verb, revision, *file = self.path.lstrip("/").split("/")
            files = repositories.get(f"{owner}/{name}")
            if verb != "resolve" or files is None:
                return self._refuse("RepoNotFound")
            if revision not in ("main", "v1", COMMIT):
                return self._refuse("RevisionNotFound")
            content = files.get("/".join(file))
            if content is None:
                return self._refuse("EntryNotFound", {"X-Repo-Commit": COMMIT})
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if send_body:
                self.wfile.write(content)
            return None

        def _refuse(self, code: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", "not here")
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

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
