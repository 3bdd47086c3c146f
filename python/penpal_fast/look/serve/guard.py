"""Keeps other sites' pages away from a server that only the person at this machine is to use."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    """Refuses requests for another host's name and requests that another site's page makes.

    A page elsewhere can send requests to this server, and can make a name of its own point here. The first is seen by
    the header Origin, the second by the header Host: it must be an address, `localhost`, or a name that was allowed.
    """

    def __init__(self, app: ASGIApp, allowed_name: str) -> None:
        """Guard an application; `allowed_name` is the name that the server was told to listen at."""
        self._app = app
        self._allowed_names = {"localhost", allowed_name.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reason = self._refusal(Headers(scope=scope))
        app = self._app if reason is None else JSONResponse({"error": reason}, 403)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

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
