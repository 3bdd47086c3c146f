"""The endpoints of the server."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from penpal_fast._core import Rows
from penpal_fast.checks.check import Check, line_width_of, outcomes_of
from penpal_fast.checks.columns import prepare
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.errors import PenpalError
from penpal_fast.look.effects import explaining
from penpal_fast.look.explanation import explained
from penpal_fast.look.picture import data_url
from penpal_fast.look.row_reading import MAX_TEXT, read_row
from penpal_fast.look.serve.bodies import MAX_JSON_BYTES, MAX_ROW_BYTES, Bodies, check_declared, field, parsed_object
from penpal_fast.look.serve.drawn_file import DrawnFile
from penpal_fast.look.serve.guard import Guard
from penpal_fast.look.serve.source_rows import MAX_PAGE_ROWS, SourceRows
from penpal_fast.look.serve.upload import Upload, opened_upload
from penpal_fast.reading.reader import Reader
from penpal_fast.rendering import render_strokes
from penpal_fast.schema import strokes_type
from penpal_fast.strokes import words_of

LOOK = Path(__file__).parent.parent
STATIC = LOOK / "serve" / "static"

MAX_ROWS = 4096
"""Rows of one request to /score."""

MAX_UPLOADED_BYTES, MAX_UPLOADED_FILES = 64 << 20, 4

MAX_JSON_BYTES_AT_ONCE, MAX_UPLOADED_BYTES_AT_ONCE = 64 << 20, 128 << 20
"""Bodies that are being read or worked on, of all requests together."""

Result = TypeVar("Result")

HEAVY_BYTES = 256 << 10
"""Requests with larger bodies are worked on one after another, so that they do not hold up the others. So are files."""

MAX_WORKERS = 4
"""Other requests that are worked on at a time."""


@dataclasses.dataclass
class Server:
    """The endpoints and what they work with.

    Attributes:
        checks: The checks, at least one, which read only strokes. The page shows the score of the first in large type.
        column: Name of the strokes column in opened files.
        given: The file that the server was started with, if any.
        drawn: The file that drawn rows are saved to, if any.
        reader: Reads what is drawn, and compares it with a text; None for a page that only scores.
        uploaded: The latest files that the page has sent, by a key that cannot be guessed.
    """

    checks: list[Check]
    column: str = "strokes"
    given: SourceRows | None = None
    drawn: DrawnFile | None = None
    reader: Reader | None = None
    uploaded: dict[str, Upload] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make sure that the checks can score drawn rows.

        Raises:
            PenpalError: A check reads a column that drawn rows do not have.
        """
        for check in self.checks:
            if others := sorted(set(check.reads) - {self.column}):
                columns = ", ".join(map(repr, others))
                raise PenpalError(
                    f"the page has only strokes, but the check {check.name!r} reads {columns}; leave it out"
                )
        prepare(self.checks, pa.schema([(self.column, strokes_type(pa.float64()))]))
        self._bodies = Bodies(MAX_JSON_BYTES_AT_ONCE)
        self._uploads = Bodies(MAX_UPLOADED_BYTES_AT_ONCE)
        self._heavy, self._light = asyncio.Semaphore(1), asyncio.Semaphore(MAX_WORKERS)

    async def _answered(
        self, request: Request, answer: Callable[[dict[str, Any]], Any], most_bytes: int = MAX_JSON_BYTES
    ) -> Response:
        """Read a JSON object from a request and answer it. A thread parses it and makes the answer."""
        check_declared(request)
        async with self._bodies.read(request, most_bytes) as body:
            is_heavy = len(body) > HEAVY_BYTES
            return await self._worked(lambda: JSONResponse(answer(parsed_object(body))), is_heavy=is_heavy)

    async def _worked(self, work: Callable[[], Result], *, is_heavy: bool) -> Result:
        """Work in a thread, when it is this request's turn."""
        async with self._heavy if is_heavy else self._light:
            return await run_in_threadpool(work)

    async def score(self, request: Request) -> Response:
        """Score rows: {"rows": [ROW, ...]} to {"scores": [number or null, ...], "errors": [text or null, ...]}.

        These are the results of the first check. "checks" has the results of each check, by its name.
        """
        return await self._answered(request, self._scored)

    def _scored(self, content: dict[str, Any]) -> dict[str, Any]:
        rows = field(content, "rows", list)
        if len(rows) > MAX_ROWS:
            raise HTTPException(413, f"at most {MAX_ROWS:,} rows at a time, got {len(rows):,}")
        results = self._results(rows)
        return {**results[self.checks[0].name], "checks": results}

    def _results(self, rows: list[Any]) -> dict[str, dict[str, list[Any]]]:
        """Return the scores and errors of rows, by the name of the check."""
        read = Rows(rows)
        unread = {row: text for row, _, _, text in read.problems()}
        batch = pa.record_batch([pa.array(read.to_penpal())], names=[self.column])
        return {
            check.name: {
                "scores": [None if np.isnan(score) else float(score) for score in outcome.scores],
                "errors": [outcome.problems.get(row) for row in range(len(rows))],
            }
            for check, outcome in zip(self.checks, outcomes_of(self.checks, batch, unread), strict=True)
        }

    async def look(self, request: Request) -> Response:
        """Score one row, return its picture and read it; {"explain": true} adds what each stroke does to the score.

        "checks" lists the name, score and error of each check, in order. "read" is what `read` answers, with the row's
        "text" if there is one; null without a reader.
        """
        return await self._answered(request, self._looked_at, MAX_ROW_BYTES)

    def _looked_at(self, content: dict[str, Any]) -> dict[str, Any]:
        strokes, text = field(content, "strokes", list), _text(content)
        words = words_of(strokes)
        results = self._results([strokes])
        answer: dict[str, Any] = {
            "picture": data_url(render_strokes(strokes, line_width=line_width_of(self.checks))),
            "score": results[self.checks[0].name]["scores"][0],
            "checks": [
                {"name": name, "score": result["scores"][0], "error": result["errors"][0]}
                for name, result in results.items()
            ],
            "read": self.reader and read_row(self.reader, words, text).as_dict(),
        }
        if content.get("explain") is True and (scorer := explaining(self.checks[0], self.column)):
            explanation = explained(words, scorer)
            answer["explanation"] = {"level": explanation.level, "pulls": explanation.pulls().tolist()}
        return answer

    async def read(self, request: Request) -> Response:
        """Read one row, and compare it with a text if there is one: {"strokes": ROW, "text": text or null}.

        The answer has what `RowReading` has: "reading", "readability", "match", "letters", "problem" and
        "text_problem". Spans count the strokes that have points.
        """
        return await self._answered(request, self._read, MAX_ROW_BYTES)

    def _read(self, content: dict[str, Any]) -> dict[str, Any]:
        strokes, text = field(content, "strokes", list), _text(content)
        if self.reader is None:
            raise HTTPException(409, "this server has no reader")
        return read_row(self.reader, words_of(strokes), text).as_dict()

    async def settings(self, _request: Request) -> Response:
        """Return what the page needs to know: thresholds, the given file, where rows are saved, limits.

        "reader" has the thresholds of match and readability; it is null without a reader.
        """
        return JSONResponse(
            {
                "thresholds": dict(self.checks[0].thresholds),
                "reader": self.reader and {"thresholds": THRESHOLDS},
                "file": self.given and {"key": "given", "name": self.given.name, "rows": self.given.rows},
                "save": self.drawn and self.drawn.path.name,
                "most_uploaded_bytes": MAX_UPLOADED_BYTES,
            }
        )

    async def upload(self, request: Request) -> Response:
        """Open a file that the page sends: its content to {"key": text, "rows": number}.

        It may be of any format that `score` reads. The query's "name" is the file's, of which the ending counts.
        """
        name = request.query_params.get("name", "")
        async with self._uploads.read(request, MAX_UPLOADED_BYTES) as body:
            file = await self._worked(lambda: opened_upload(body, name, self.column, self.checks), is_heavy=True)
        key = secrets.token_urlsafe(12)
        self.uploaded[key] = file
        if len(self.uploaded) > MAX_UPLOADED_FILES:
            del self.uploaded[next(iter(self.uploaded))]
        return JSONResponse({"key": key, "rows": file.rows.rows})

    async def rows(self, request: Request) -> Response:
        """Return some rows of an opened file: {"rows": [...]}; see `SourceRows.page`."""
        key = request.path_params["key"]
        upload = self.uploaded.get(key)
        file = self.given if key == "given" else upload.rows if upload else None
        if file is None:
            raise HTTPException(404, "the file is no longer open; open it again")
        start, count = _number(request, "start", 0), _number(request, "count", MAX_PAGE_ROWS)
        is_heavy = file.is_read_from_its_beginning
        return await self._worked(lambda: _page(file, start, min(count, MAX_PAGE_ROWS)), is_heavy=is_heavy)

    async def save(self, request: Request) -> Response:
        """Save a drawn row: {"strokes": ROW, "text": text} to {"rows": number}, the number of rows in the file."""
        return await self._answered(request, self._saved, MAX_ROW_BYTES)

    def _saved(self, content: dict[str, Any]) -> dict[str, Any]:
        strokes, text = field(content, "strokes", list), field(content, "text", str)
        if len(text) > MAX_TEXT:
            raise HTTPException(413, f"at most {MAX_TEXT:,} characters of text, got {len(text):,}")
        if self.drawn is None:
            raise HTTPException(409, "there is no file to save to; start the server with --save FILE.parquet")
        return {"rows": self.drawn.add(strokes, text or None)}


def application(server: Server, host: str = "127.0.0.1") -> Starlette:
    """Make the ASGI application.

    Args:
        server: The endpoints.
        host: Name or address that the server listens on; see `Guard`.
    """
    return Starlette(
        routes=[
            Route("/", _file(STATIC / "page.html")),
            Route("/theme.css", _file(LOOK / "theme.css")),
            Route("/score", server.score, methods=["POST"]),
            Route("/look", server.look, methods=["POST"]),
            Route("/read", server.read, methods=["POST"]),
            Route("/settings", server.settings),
            Route("/files", server.upload, methods=["POST"]),
            Route("/files/{key}/rows", server.rows),
            Route("/drawn", server.save, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, allowed_name=host)],
        exception_handlers={HTTPException: _refused, PenpalError: _unusable, ClientDisconnect: _left},
    )


def _text(content: dict[str, Any]) -> str | None:
    """Return the text of a request, which it need not have."""
    return None if content.get("text") is None else field(content, "text", str)


def _file(path: Path) -> Callable[[Request], Response]:
    return lambda _request: FileResponse(path)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for this type only.
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _unusable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PenpalError)  # noqa: S101 - the handler is registered for this type only.
    return JSONResponse({"error": error.problem}, 422)


async def _left(_request: Request, _error: Exception) -> Response:
    """Answer a client that has left, which nobody sees."""
    return Response(status_code=400)


def _page(file: SourceRows, start: int, count: int) -> Response:
    """Return rows as JSON. They are written one by one: other threads wait while Python writes JSON."""
    rows = ",".join(json.dumps(row, allow_nan=False) for row in file.page(start, count))
    return Response(f'{{"rows": [{rows}]}}', media_type="application/json")


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HTTPException(400, f"{name} must be a whole number from 0, got {json.dumps(text)}")
    return int(text)
