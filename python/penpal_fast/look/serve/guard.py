"""Protection of the server from the pages of other sites."""

from __future__ import annotations

import contextlib
import ipaddress
from urllib.parse import urlsplit

from h11 import LocalProtocolError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_HEAD_BYTES = 16 << 10
"""The request line and the headers of a request."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Guard:
    """Refuses requests from pages of other sites, and requests for other host names.

    A page of another site can send requests to this server: the header Origin shows this. It can also make its own host
    name point to this machine (DNS rebinding): the header Host shows this, so Host must be an IP address, `localhost`
    or the allowed name.
    """

    def __init__(self, app: ASGIApp, allowed_name: str) -> None:
        """Guard an application; `allowed_name` is the name that the server listens on."""
        self._app = app
        self._allowed_names = {"localhost", allowed_name.lower()} - {""}  # Without the header Host, the name is empty.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reason = self._refusal(Headers(scope=scope))
        app = self._app if reason is None else JSONResponse({"error": reason}, 403)
        # The protocol's own limit holds only for headers that come in pieces.
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD_BYTES:
            app = JSONResponse({"error": f"the headers have more than {MAX_HEAD_BYTES:,} bytes"}, 431)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        # A client that goes on with what is no request cannot be answered: its connection is closed.
        with contextlib.suppress(LocalProtocolError):
            await app(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if not self._is_allowed(host):
            return f"this server does not answer for the host {host!r}; open it by its address or as localhost"
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return f"pages of {origin!r} may not use this server"
        return None

    def _is_allowed(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._allowed_names
        return True
