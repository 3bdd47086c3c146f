"""What comes with a request: bounded, and checked before anything is done with it."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from penpal_fast.sources.json_text import parsed_json

MOST_JSON_BYTES = 8 << 20
"""Some 300,000 points; as Python objects they take 25 times as much memory."""


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Read a request's body.

    Raises:
        HTTPException: 413, it is longer than `most_bytes`.
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
        HTTPException: 413, 415 or 400; too long, not declared as JSON, or not a JSON object.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise HTTPException(415, f"send JSON with the header Content-Type: application/json, not {declared!r}")
    body = await read_body(request, MOST_JSON_BYTES)
    try:
        content = parsed_json(body)
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise HTTPException(400, f"the body must be a JSON object, got {_kind(content)}")
    return content


def field(content: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field of a JSON object.

    Raises:
        HTTPException: 400, it is missing or of another type.
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
