"""Files elsewhere, by address: whatever fsspec opens (`s3://`, `gs://`, `memory://`), and downloads (`https://`)."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import IO, Any, cast

import fsspec

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.sources.file_systems import Known, inputs_inside, inputs_matched, is_glob, opened
from penpal_fast.sources.spool import Spool

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
"""Extras of this package for protocols."""

SILENCE_SECONDS = 60
"""How long a server may send nothing."""

VERSIONS = ("ETag", "etag", "md5Hash", "checksum", "generation", "LastModified", "last_modified", "mtime", "created")
"""Where file systems say what changes with a file, the surest first."""


def download(address: str) -> Spool:
    """Fetch a file of a web server.

    Raises:
        PenpalError: The server does not answer, or has no such file.
    """
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "penpal-fast"})  # noqa: S310 - DOWNLOADED
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as answer:  # noqa: S310
            length = answer.headers.get("Content-Length")
            spool = Spool(answer, address)
    except urllib.error.HTTPError as error:
        raise PenpalError(f"{address}: cannot download it: the server says {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise_if_from_handler(error)
        raise PenpalError(f"{address}: cannot download it: {getattr(error, 'reason', None) or error}") from error
    if length is not None and length.isdigit() and spool.size != int(length):
        raise PenpalError(f"{address}: cannot download it: {spool.size:,} of {int(length):,} bytes came")
    return spool


def list_files(address: str) -> list[tuple[str, int, str]]:
    """List the files of the address of a file, folder or glob, by path.

    Returns:
        Address, size in bytes and version of each file.

    Raises:
        PenpalError: There is no such file, or the file system's package is missing.
    """
    try:
        files, path = _file_system(address)
        listed = _listed(files, path, address)
        return [(name, int(found["size"]), _version(found)) for name, found in listed]
    except PenpalError as error:
        raise PenpalError(f"{address}: {error}") from error
    except FileNotFoundError as error:
        raise PenpalError(f"{address}: there is no such file") from error
    except Exception as error:  # Each file system has errors of its own.
        raise_if_from_handler(error)
        raise PenpalError(f"{address}: cannot list it: {error}") from error


def open_file(address: str, *, in_order: bool) -> IO[bytes]:
    """Open a file for reading, either in order or at random places.

    Raises:
        OSError: It cannot be read.
    """
    try:
        files, path = _file_system(address)
        return opened(files, path, in_order=in_order)
    except (OSError, PenpalError):
        raise
    except Exception as error:
        raise_if_from_handler(error)
        raise OSError(str(error)) from error


def _file_system(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    protocol = address.partition("://")[0].rpartition("::")[2].lower()
    try:
        return cast("tuple[Any, str]", fsspec.core.url_to_fs(address))
    except ImportError as error:
        extra = EXTRAS.get(protocol)
        advice = f"pip install 'penpal-fast[{extra}]'" if extra else str(error)
        raise PenpalError(f"reading {protocol}:// needs a package that is not installed: {advice}") from error
    except ValueError as error:
        raise PenpalError(f"cannot read it: {error}") from error


def _listed(files: Any, path: str, address: str) -> list[tuple[str, Known]]:
    """Return addresses and what is known of them."""
    if is_glob(path):
        found = inputs_matched(files, path)
        return [(files.unstrip_protocol(name), found[name]) for name in sorted(found, key=files.unstrip_protocol)]
    if files.isfile(path):
        return [(address, files.info(path))]
    found = files.find(path, detail=True)
    # A folder exists if there are files in it; some file systems do not say so.
    if not found and not files.exists(path):
        raise FileNotFoundError
    inside = inputs_inside(found, path.rstrip("/"), address)
    return [(f"{address.rstrip('/')}/{name}", found[inside[name]]) for name in sorted(inside)]


def _version(found: Known) -> str:
    return next((str(found[key]) for key in VERSIONS if found.get(key)), "")
