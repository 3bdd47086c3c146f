"""Requests to the live page: any bodies, heads in pieces, clients that leave. It goes on answering, and right."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import random
import socket
import tempfile
import threading
from pathlib import Path

import pyarrow.parquet as pq

from hostile.adversary.material import GOOD, any_row, damaged, good_scores, scorer, write_parquet
from hostile.adversary.trials import NotHere
from penpal_fast import QualityCheck, Reader

WAIT = 60
"""Seconds in which the page must answer."""

HEADERS = [
    b"Content-Type: application/json",
    b"Content-Type: text/plain",
    b"Transfer-Encoding: chunked",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Expect: 100-continue",
    b"Upgrade: websocket\r\nConnection: Upgrade",
    b"Host: example.org",
    b"Host: localhost",
    b"Origin: http://example.org",
    b"Range: bytes=5-1",
    b"X: " + b"x" * 20_000,
    b"\xff\xfe: \x00",
    b"Connection: keep-alive",
]

PATHS = [
    "/",
    "/settings",
    "/static/../page.html",
    "/static/%2e%2e/app.py",
    "/static/%00",
    "/files/given/rows?start=0&count=99999999",
    "/files/given/rows?start=%F0&count=-1",
    "/files/none/rows",
    "/%ff",
    "//",
    "/score?" + "x" * 5000,
]


def trial(chance: random.Random, _folder: Path) -> None:
    """Send requests of all kinds, some at once, and look whether the page still answers right."""
    page = _page()
    threads = [
        threading.Thread(target=_sent, args=(page, _request(page, chance), random.Random(chance.random())))
        for _ in range(12)
    ]
    for some in (threads[:4], threads[4:]):
        for thread in some:
            thread.start()
        for thread in some:
            thread.join()
    row = chance.randrange(len(GOOD))
    content = _answer(page.port, "/score", {"rows": [GOOD[row], [], GOOD[row]]})
    assert content["scores"] == [good_scores()[row], None, good_scores()[row]]
    saved = _answer(page.port, "/drawn", {"strokes": GOOD[0], "text": "a"})
    assert saved["rows"] == pq.read_metadata(page.saved).num_rows
    assert page.said == [], page.said
    assert page.broken == [], page.broken


class _Page:
    """The page on a port of this machine, and what uvicorn logs."""

    def __init__(self) -> None:
        try:
            import uvicorn

            from penpal_fast.look.serve.app import Server, application
            from penpal_fast.look.serve.connections import bounded
            from penpal_fast.look.serve.drawn_file import DrawnFile
            from penpal_fast.look.serve.source_rows import SourceRows
        except ImportError as error:
            raise NotHere(f"the extra `look` is not installed: {error}") from error
        self.said: list[str] = []
        self.broken: list[bytes] = []
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        write_parquet(folder / "given.parquet", GOOD, 7)
        self.saved = folder / "drawn.parquet"
        checks = [QualityCheck(scorer=scorer())]
        server = Server(
            checks,
            given=SourceRows(str(folder / "given.parquet"), "strokes", checks),
            drawn=DrawnFile(self.saved),
            reader=Reader(backend="native", threads=1),
        )
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        serving = uvicorn.Server(bounded(application(server)))
        handler = logging.Handler(logging.ERROR)  # Requests that are none are warnings.
        handler.emit = lambda record: self.said.append(handler.format(record))  # type: ignore[method-assign]
        logging.getLogger("uvicorn.error").addHandler(handler)  # The settings of uvicorn remove what was there.
        threading.Thread(target=lambda: asyncio.run(serving.serve([listener])), daemon=True).start()


@functools.cache
def _page() -> _Page:
    return _Page()


def _post(path: str, body: bytes, *headers: bytes) -> bytes:
    head = [f"POST {path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *headers]
    if not headers:
        head += [b"Content-Type: application/json"]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])


def _request(page: _Page, chance: random.Random) -> bytes:
    kind = chance.randrange(5)
    if kind == 0:
        head = f"{chance.choice(('GET', 'PUT', 'HEAD', 'POST', 'X' * 3000))} {chance.choice(PATHS)} HTTP/1.1"
        return b"\r\n".join([head.encode(), *chance.sample(HEADERS, chance.randrange(4)), b"", b""])
    if kind == 1:
        content = page.saved.parent.joinpath("given.parquet").read_bytes()
        return _post("/files", damaged(content, chance) if chance.random() < 0.8 else content)
    body = json.dumps(_body(chance), ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    body = damaged(body, chance) if chance.random() < 0.5 else body
    request = _post(chance.choice(("/score", "/look", "/read", "/drawn")), body)
    if kind == 2:
        return damaged(request, chance)
    if kind == 3:
        return _post("/score", body, *chance.sample(HEADERS, 2))
    return request


def _body(chance: random.Random) -> object:
    values = [any_row(chance), None, 7, 1e308, "ink", "\ud800", {}, [[[[[[]]]]]], [[[{"x": 0, "y": 1}]]], True]
    rows = [chance.choice(values) for _ in range(chance.randrange(4))]
    body = {
        "rows": chance.choice([rows, rows, chance.choice(values)]),
        "strokes": chance.choice([any_row(chance), chance.choice(values)]),
        "text": chance.choice(["a bee", "", None, "\ud800", "x" * 2000, 7, "\u202e"]),
        "explain": chance.choice([True, False, 1]),
    }
    return body if chance.random() < 0.9 else chance.choice(values)


def _sent(page: _Page, request: bytes, chance: random.Random) -> None:
    """Send a request whole or in pieces, and stay or leave."""
    with (
        contextlib.suppress(ConnectionError, TimeoutError),
        socket.create_connection(("127.0.0.1", page.port)) as client,
    ):
        client.settimeout(2)
        end = len(request) if chance.random() < 0.7 else chance.randrange(len(request) + 1)
        while request and end > 0:
            piece = chance.choice((end, 1 + end // 3))
            client.sendall(request[:piece])
            request, end = request[piece:], end - piece
        if chance.random() < 0.3:
            return
        with contextlib.suppress(OSError):  # The page may have closed the connection already.
            client.shutdown(socket.SHUT_WR)
        answer = client.recv(1 << 16)
        if answer.startswith(b"HTTP/1.1 5") and not answer.startswith(b"HTTP/1.1 503"):
            page.broken.append(request + answer)


def _answer(port: int, path: str, body: object) -> dict[str, object]:
    """Return what the page answers to a request that is as it should be."""
    content = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as client:
        client.sendall(_post(path, json.dumps(body).encode()))
        while piece := client.recv(1 << 16):
            content += piece
    assert content.startswith(b"HTTP/1.1 200"), bytes(content[:2000])
    return json.loads(content.partition(b"\r\n\r\n")[2])
