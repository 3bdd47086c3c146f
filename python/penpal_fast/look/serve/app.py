"""The pages and endpoints of the server."""

from __future__ import annotations

import base64
import dataclasses
import json
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from penpal_fast._core import Rows
from penpal_fast.checks.check import Check, Outcome, line_width_of, outcomes_of
from penpal_fast.errors import PenpalError
from penpal_fast.look.picture import png
from penpal_fast.look.saliency import explained, scores_of
from penpal_fast.look.serve.bodies import field, read_body, read_object
from penpal_fast.look.serve.drawn_file import DrawnFile
from penpal_fast.look.serve.guard import Guard
from penpal_fast.look.serve.row_file import MOST_PAGE_ROWS, RowFile, UploadedFiles
from penpal_fast.rendering import render_strokes
from penpal_fast.strokes import words_of

MOST_ROWS = 4096
"""Rows of a request to /score."""

MOST_UPLOADED_BYTES = 64 << 20

MOST_TEXT = 1000
"""Characters of the text of a drawn row."""


@dataclasses.dataclass
class Server:
    """What the endpoints work with.

    Attributes:
        checks: Look at the rows; the page shows the first one's scores large.
        column: Name of the strokes column of opened files.
        given: The file that the server was started with, if any.
        drawn: Where drawn rows are saved, if anywhere.
        uploaded: The files that the page sent.
    """

    checks: list[Check]
    column: str = "strokes"
    given: RowFile | None = None
    drawn: DrawnFile | None = None
    uploaded: UploadedFiles = dataclasses.field(default_factory=UploadedFiles)

    async def score(self, request: Request) -> Response:
        """Score rows: {"rows": [ROW, ...]} to {"scores": [number or null, ...], "errors": [text or null, ...]}.

        These are the first check's; under "checks" are those of each check, by its name.
        """
        rows = field(await read_object(request), "rows", list)
        if len(rows) > MOST_ROWS:
            raise HTTPException(413, f"at most {MOST_ROWS:,} rows at a time, got {len(rows):,}")
        outcomes = await run_in_threadpool(self._outcomes, rows)
        checks = {check.name: _as_json(outcome) for check, outcome in zip(self.checks, outcomes, strict=True)}
        return JSONResponse({**_as_json(outcomes[0]), "checks": checks})

    def _outcomes(self, rows: list[Any]) -> list[Outcome]:
        read = Rows(rows)
        unread = {row: text for row, _, _, text in read.problems()}
        return outcomes_of(self.checks, pa.record_batch([pa.array(read.to_penpal())], names=[self.column]), unread)

    async def look(self, request: Request) -> Response:
        """Score one row and show what the network sees; {"explain": true} adds what each stroke does to the score."""
        content = await read_object(request)
        strokes = field(content, "strokes", list)
        explained = content.get("explain") is True
        return JSONResponse(await run_in_threadpool(self._looked_at, strokes, explained))

    def _looked_at(self, strokes: list[Any], with_explanation: bool) -> dict[str, Any]:
        words = words_of(strokes)
        outcomes = self._outcomes([strokes])
        scores = {
            check.name: _as_json(outcome)["scores"][0] for check, outcome in zip(self.checks, outcomes, strict=True)
        }
        answer: dict[str, Any] = {
            "picture": _data_url(png(render_strokes(strokes, line_width=line_width_of(self.checks)))),
            "score": scores[self.checks[0].name],
            "scores": scores,
        }
        if with_explanation and (score := scores_of(self.checks[0], self.column)):
            explanation = explained(words, score)
            answer["explanation"] = {"level": explanation.level, "pulls": explanation.pulls().tolist()}
        return answer

    async def settings(self, _request: Request) -> Response:
        """Tell the page what it can do."""
        return JSONResponse(
            {
                "thresholds": dict(self.checks[0].thresholds),
                "file": self.given and {"key": "given", "name": self.given.name, "rows": self.given.rows},
                "save": self.drawn and self.drawn.path.name,
                "most_uploaded_bytes": MOST_UPLOADED_BYTES,
            }
        )

    async def upload(self, request: Request) -> Response:
        """Open a Parquet file that the page sends: its bytes to {"key": text, "rows": number}."""
        body = await read_body(request, MOST_UPLOADED_BYTES)
        file = await run_in_threadpool(RowFile, body, "the uploaded file", self.column, self.checks)
        file.check_size()
        return JSONResponse({"key": self.uploaded.add(file), "rows": file.rows})

    async def rows(self, request: Request) -> Response:
        """Return a page of an opened file's rows."""
        key = request.path_params["key"]
        file = self.given if key == "given" else self.uploaded.get(key)
        if file is None:
            raise HTTPException(404, "that file is no longer open; open it again")
        start, count = _number(request, "start", 0), _number(request, "count", MOST_PAGE_ROWS)
        page = await run_in_threadpool(file.page, start, min(count, MOST_PAGE_ROWS))
        return JSONResponse({"rows": page})

    async def save(self, request: Request) -> Response:
        """Save a drawn row: {"strokes": ROW, "text": text} to {"rows": number}, the rows in the file."""
        content = await read_object(request)
        strokes, text = field(content, "strokes", list), field(content, "text", str)
        if len(text) > MOST_TEXT:
            raise HTTPException(413, f"at most {MOST_TEXT:,} characters of text, got {len(text):,}")
        if self.drawn is None:
            raise HTTPException(409, "there is no file to save to; start the server with --save FILE.parquet")
        return JSONResponse({"rows": await run_in_threadpool(self.drawn.add, strokes, text or None)})


def application(server: Server, host: str = "127.0.0.1") -> Starlette:
    """Make the ASGI application.

    Args:
        server: What the endpoints work with.
        host: Name or address that the server listens at; see `Guard`.
    """
    return Starlette(
        routes=[
            Route("/", _page),
            Route("/theme.css", _theme),
            Route("/score", server.score, methods=["POST"]),
            Route("/look", server.look, methods=["POST"]),
            Route("/settings", server.settings),
            Route("/files", server.upload, methods=["POST"]),
            Route("/files/{key}/rows", server.rows),
            Route("/drawn", server.save, methods=["POST"]),
            Mount("/static", StaticFiles(packages=[("penpal_fast.look.serve", "static")])),
        ],
        middleware=[Middleware(Guard, allowed_name=host)],
        exception_handlers={HTTPException: _refused, PenpalError: _unusable},
    )


async def _page(_request: Request) -> Response:
    return Response(_packaged("look/serve/static/page.html"), media_type="text/html")


async def _theme(_request: Request) -> Response:
    return Response(_packaged("look/theme.css"), media_type="text/css")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 The handler is registered for nothing else.
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _unusable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error).removeprefix("row 0: ")}, 422)


def _as_json(outcome: Outcome) -> dict[str, list[Any]]:
    return {
        "scores": [None if np.isnan(score) else float(score) for score in outcome.scores],
        "errors": [outcome.problems.get(row) for row in range(len(outcome.scores))],
    }


def _packaged(name: str) -> bytes:
    return resources.files("penpal_fast").joinpath(name).read_bytes()


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HTTPException(400, f"{name} must be a whole number from 0, got {json.dumps(text)}")
    return int(text)


def _data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
