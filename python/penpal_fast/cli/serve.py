"""The command `penpal-fast serve`."""

from __future__ import annotations

import ipaddress
import socket
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import Terminated, readable_errors, say, stopped_by_sigterm, warn
from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.extras import needs_extra
from penpal_fast.startup import ending_at_once

EXPOSED = (
    "warning: others who can reach this address can use the page: it has no login and no encryption. They see the rows "
    "of INPUT and add rows to --save. Leave --host out to accept only this machine."
)


def serve(
    source: Annotated[
        str | None,
        typer.Argument(metavar="INPUT", help="File, folder or glob whose rows the page shows, as `score` takes it."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(callback=options.parquet_name, help="Parquet file to which drawn rows are added.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default accepts only this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free port.", min=0, max=65535)] = 8000,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: Annotated[
        bool, typer.Option("--drop-first-point", help=f"{options.DROPPED_POINT} Drawn rows stay as they are.")
    ] = False,
    model: options.Model = None,
    reader: options.ReaderOption = None,
) -> None:
    """Run `penpal-fast serve`; see `COMMANDS` for the beginning of its help."""
    with readable_errors(), stopped_by_sigterm():
        with needs_extra("look"), ending_at_once():
            import uvicorn

            from penpal_fast.look.serve.app import Server, application
            from penpal_fast.look.serve.connections import bounded
            from penpal_fast.look.serve.drawn_file import DrawnFile
            from penpal_fast.look.serve.source_rows import SourceRows
            from penpal_fast.reading.reader import Reader

        if not host.strip():
            raise UsageError("--host is empty; name an address to listen on, such as 127.0.0.1")
        if save and save.parent.is_dir():  # `DrawnFile` says what else is wrong.
            _check_writable(save)
        checks = options.checks_of(model, column)
        given = None
        if source is not None:
            given = SourceRows(source, column, checks, layout, drop_first_point=drop_first_point)
        server = Server(
            checks=checks,
            reader=Reader(reader),
            column=column,
            given=given,
            drawn=DrawnFile(save) if save else None,
        )
        with _listening(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            say(f"open http://{shown}:{listener.getsockname()[1]}/ in a browser; Ctrl-C stops")
            if not ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback:
                warn(EXPOSED)
            try:
                uvicorn.Server(bounded(application(server, host))).run(sockets=[listener])
            except Terminated:
                raise
            except KeyboardInterrupt:
                say("stopped")


def _check_writable(path: Path) -> None:
    """Make sure that a file can be written beside others in its folder, before a row is drawn."""
    from penpal_fast.files import checked_target

    try:
        with tempfile.TemporaryFile(dir=checked_target(path).parent):
            pass
    except OSError as error:
        raise PenpalError(f"{path}: cannot write it: {error.strerror}; choose another --save") from error


def _listening(host: str, port: int) -> socket.socket:
    """Listen on an address. asyncio turns off Nagle's delay of 40 ms only if the protocol is given as TCP."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PenpalError(f"cannot listen on {host}, port {port}: {error.strerror}; choose another --port") from error
    return listener
