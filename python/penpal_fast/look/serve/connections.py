"""Connections of the server: how many there are, and how long each may wait."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from penpal_fast.look.serve.guard import MAX_HEAD_BYTES

MAX_CONNECTIONS = 100
"""Connections that are open at a time."""

HEAD_SECONDS = 15
"""From the start of a connection, or the end of an answer, to the end of the headers of the next request."""

SHUTDOWN_SECONDS = 3
"""How long Ctrl-C waits for requests that are being answered."""

TAKE_SECONDS = 120
"""How long the rest of an answer may wait for a client to take it."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with bounds that uvicorn lacks.

    Uvicorn's `limit_concurrency` counts connections, but leaves them open, and its `timeout_keep_alive` starts with the
    first answer and ends with the next byte. Here a connection that is one too many replaces the one that has waited
    longest for its request; if all are being answered, it is closed. A client that is too slow is cut off.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """Take what uvicorn gives a protocol."""
        super().__init__(*arguments, **settings)
        self._timer: asyncio.TimerHandle | None = None
        self._allowed: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and make room for it."""
        super().connection_made(transport)
        self._watch()
        opened = [cast("BoundedProtocol", one) for one in self.connections]
        opened = [one for one in opened if not one.transport.is_closing()]
        if len(opened) > MAX_CONNECTIONS:
            waiting = {one: one._timer.when() for one in opened if one._timer is not None}
            min(waiting, key=waiting.__getitem__).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        super().connection_lost(exc)
        self._allow(None)

    def data_received(self, data: bytes) -> None:
        """Read a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait until the client has taken what was sent."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Send more."""
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Give the client its time for what it has to do next: take an answer, or send the head of a request.

        The time for the body of a request is given where it is read.
        """
        is_answered = self.cycle is not None and not self.cycle.response_complete
        if self.flow.write_paused:
            self._allow(TAKE_SECONDS)
        else:
            self._allow(None if is_answered else HEAD_SECONDS)

    def _allow(self, seconds: float | None) -> None:
        """Cut the client off after this time, which runs on if it is the same as before; None for no end."""
        if seconds == self._allowed:
            return
        self._allowed = seconds
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


def bounded(app: ASGIApp) -> uvicorn.Config:
    """Return the settings with which uvicorn serves an application within these bounds."""
    settings = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",  # Connections that become WebSockets would have no bounds.
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        server_header=False,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    return settings


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether a record is something else than the trace of a request that was cut off at the end."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
