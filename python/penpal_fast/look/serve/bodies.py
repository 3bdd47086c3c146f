"""Request bodies, read with a size limit and checked before use."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from penpal_fast.sources.json_text import parsed_json

MOST_JSON_BYTES = 8 << 20
"""About 300,000 points, which take 25 times as much memory as Python objects."""


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Read a request's body.

    Raises:
        HTTPException: 413 if it is longer than `most_bytes`.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413, f"the body is longer than {most_bytes:,} bytes")
    return bytes(body)


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object from a request.

    Raises:
        HTTPException: 413 if it is too long, 415 if it is not declared as JSON, 400 if it is not a JSON object.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise HTTPException(415, f"send JSON with the header Content-Type: application/json, not {declared!r}")
    body = await read_body(request, MOST_JSON_BYTES)
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
