"""A server under clients that are many, slow, greedy or gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from helpers.made_lines import scrawl
from penpal_fast import Outcome, QualityCheck

uvicorn = pytest.importorskip("uvicorn", reason="the extra `look` is not installed")
import h11  # noqa: E402

from penpal_fast.look.serve import app as app_module  # noqa: E402
from penpal_fast.look.serve import bodies, connections  # noqa: E402
from penpal_fast.look.serve.app import HEAVY_BYTES, Server, application  # noqa: E402
from penpal_fast.look.serve.connections import bounded  # noqa: E402
from penpal_fast.look.serve.guard import Guard  # noqa: E402

ROW = scrawl(1, 4, 15)
SHORT = 0.4
"""Seconds in place of minutes."""


@pytest.fixture
def log():
    """What uvicorn logs."""
    return []


@pytest.fixture
def serving(log):
    """Serves applications on this machine: gives the port of each."""
    handler = logging.Handler()
    handler.emit = log.append
    logger = logging.getLogger("uvicorn.error")
    with contextlib.ExitStack() as stack:
        stack.callback(logger.removeHandler, handler)

        def start(app):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            config = bounded(app)
            config.timeout_keep_alive = 1000  # Uvicorn itself would cut idle clients off after 5 seconds.
            logger.addHandler(handler)  # Settings of uvicorn remove what was there.
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            thread.start()
            return listener.getsockname()[1]

        yield start


@pytest.fixture
def page(serving):
    return serving(application(Server([QualityCheck()])))


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def request(path, body=b"", length=None):
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return (
        f"{head}Connection: close\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body
    )


def answered(port, content):
    """The status and the body of the answer."""
    with connected(port) as client:
        client.sendall(content)
        head, _, body = rest(client).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def rest(client):
    content = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(1 << 16):
            content += piece
    return bytes(content)


SETTINGS = b"GET /settings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_the_connections_that_wait_longest_make_room(page, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 5)
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(9):
            client = stack.enter_context(connected(page))
            client.sendall(b"GET /settings HTTP/1.1\r\n")
            clients.append(client)
        assert answered(page, SETTINGS)[0] == 200
        assert [rest(client) for client in clients[:5]] == [b""] * 5
        clients[-1].sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
        assert rest(clients[-1]).startswith(b"HTTP/1.1 200")


def test_an_answer_that_a_connection_cannot_take_any_more_leaves_no_trace():
    """So it is once a client has gone on with what is no request."""

    async def answer(_scope, _receive, _send):
        raise h11.LocalProtocolError("can't handle event type Response when role=SERVER and state=MUST_CLOSE")

    scope = {"type": "http", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(answer, "localhost")(scope, None, None))


@pytest.mark.parametrize("sent", [b"", b"GET /settings HTTP/1.1\r\nX: ", SETTINGS.replace(b"close", b"keep-alive")])
def test_a_client_that_does_not_ask_is_cut_off(page, monkeypatch, sent):
    """Neither is time won by a byte now and then."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", SHORT)
    start = time.monotonic()
    with connected(page) as client, contextlib.suppress(ConnectionError):
        client.sendall(sent)
        client.settimeout(0.05)
        while time.monotonic() < start + 20:
            try:
                if not client.recv(1 << 16):
                    break
            except TimeoutError:
                client.sendall(b"x" if sent.endswith(b" ") else b"")
    assert SHORT * 0.9 < time.monotonic() - start < 20


def test_a_body_that_takes_too_long_is_refused(page, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", SHORT)
    status, body = answered(page, request("/score", b"{", length=9))
    assert status == 408
    assert b"seconds to arrive" in body


def test_a_client_that_takes_no_answer_is_cut_off(serving, monkeypatch, log):
    monkeypatch.setattr(connections, "TAKE_SECONDS", SHORT)
    ended = threading.Event()

    async def large(scope, _receive, send):
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(256):
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        ended.set()

    with connected(serving(large)) as client:
        client.sendall(SETTINGS)
        assert ended.wait(20)
        assert len(rest(client)) < 256 << 20
    assert log == []


def test_partial_bodies_share_a_bound(monkeypatch, serving):
    monkeypatch.setattr(app_module, "MAX_UPLOADED_BYTES_AT_ONCE", 30_000)
    port = serving(application(Server([QualityCheck()])))
    upload = request("/files", b"x" * 20_000)
    with connected(port) as client:
        client.sendall(request("/files", b"x" * 20_000, length=50_000))
        wait_for(lambda: answered(port, upload)[0] == 503)
        assert answered(port, SETTINGS)[0] == 200
    wait_for(lambda: answered(port, upload)[0] == 422)  # It is no Parquet file.


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_client_that_leaves_is_no_error(page, log):
    for sent in (request("/look", b"{", length=99), request("/files", b"x", length=99), SETTINGS[:-2], SETTINGS):
        with connected(page) as client:
            client.sendall(sent)
    assert answered(page, SETTINGS)[0] == 200
    time.sleep(SHORT)
    assert log == []


class Slow(QualityCheck):
    """Counts the large requests that it looks at together, which wait until they are let go."""

    def __init__(self):
        super().__init__()
        self.lock, self.let_go = threading.Lock(), threading.Event()
        self.working = self.most = 0

    def look(self, rows):
        if len(rows) > 1:
            with self.lock:
                self.working += 1
                self.most = max(self.most, self.working)
            assert self.let_go.wait(20)
            with self.lock:
                self.working -= 1
        details = {name: np.full(len(rows), None) for name in self.details}
        return Outcome(np.full(len(rows), 0.5, np.float32), {}, details)


def test_large_requests_do_not_hold_up_small_ones(serving):
    check = Slow()
    port = serving(application(Server([check])))
    large = request("/score", json.dumps({"rows": [ROW] * 2, "filler": " " * HEAVY_BYTES}).encode())
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(answered, port, large) for _ in range(6)]
        wait_for(lambda: check.working)
        assert answered(port, request("/score", json.dumps({"rows": [ROW]}).encode()))[0] == 200
        check.let_go.set()
        assert [one.result()[0] for one in waiting] == [200] * 6
    assert check.most == 1


def test_bodies_are_parsed_in_threads(page, monkeypatch):
    """The event loop has other clients to answer."""
    parsed = []

    def recorded(body):
        parsed.append(threading.current_thread().name)
        return bodies.parsed_object(body)

    monkeypatch.setattr(app_module, "parsed_object", recorded)
    assert answered(page, request("/score", json.dumps({"rows": [ROW]}).encode()))[0] == 200
    assert "worker" in parsed[0]
