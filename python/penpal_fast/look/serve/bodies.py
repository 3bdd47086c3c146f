"""Request bodies, read with a size limit and checked before use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from penpal_fast.sources.json_text import parsed_json

MAX_JSON_BYTES = 8 << 20
"""About 300,000 points, which take 25 times as much memory as Python objects."""

MAX_ROW_BYTES = 4 << 20
"""The same for a single row. Python can do nothing else while it takes such a row apart, for half a second."""

BODY_SECONDS = 60
"""How long a body may take to arrive."""


class Bodies:
    """Reads the bodies of requests, with a limit on the memory of all that are being read or worked on."""

    def __init__(self, most_bytes_at_once: int) -> None:
        """Take the limit of all bodies together."""
        self._room = most_bytes_at_once

    @contextlib.asynccontextmanager
    async def read(self, request: Request, most_bytes: int) -> AsyncIterator[bytes]:
        """Read a request's body, which counts until the end of the block.

        Raises:
            HTTPException: 413 if it is longer than `most_bytes`, 408 if it takes too long, 503 if there is no room.
        """
        body = bytearray()
        try:
            await self._fill(body, request, most_bytes)
            yield bytes(body)
        finally:
            self._room += len(body)

    async def _fill(self, body: bytearray, request: Request, most_bytes: int) -> None:
        async def fill() -> None:
            async for chunk in request.stream():
                body.extend(chunk)
                self._room -= len(chunk)
                if len(body) > most_bytes:
                    raise HTTPException(413, f"the body is longer than {most_bytes:,} bytes")
                if self._room < 0:
                    raise HTTPException(503, "the server has no room for more requests; try again in a minute")

        try:
            await asyncio.wait_for(fill(), BODY_SECONDS)
        except asyncio.TimeoutError as error:
            raise HTTPException(408, f"the body took more than {BODY_SECONDS} seconds to arrive") from error


def check_declared(request: Request) -> None:
    """Make sure that a request says that it has JSON, which pages of other sites cannot say without asking.

    Raises:
        HTTPException: 415 if it does not.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise HTTPException(415, f"send JSON with the header Content-Type: application/json, not {declared!r}")


def parsed_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        HTTPException: 400 if it is not one.
    """
    try:
        content = parsed_json(body)
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON: {_reason(body, error)}") from error
    if not isinstance(content, dict):
        raise HTTPException(400, f"the body must be a JSON object, got {_kind(content)}")
    return content


def _reason(body: bytes, error: ValueError) -> str:
    """Say why a body is not JSON; the parser does not name NaN and Infinity, the usual cause."""
    try:
        parsed_json(body, infinities=True)
    except ValueError:
        return str(error)
    return "NaN and Infinity are not JSON numbers; send finite coordinates"


def field(content: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field of a JSON object.

    Raises:
        HTTPException: 400 if it is missing or of another type.
    """
    if name not in content:
        raise HTTPException(400, f"the field {name!r} is missing")
    value = content[name]
    if not isinstance(value, kind):
        raise HTTPException(400, f"the field {name!r} must be {_KINDS[kind]}, got {_kind(value)}")
    return value


_KINDS = {list: "an array", dict: "an object", str: "a string", bool: "true or false", type(None): "null"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")
