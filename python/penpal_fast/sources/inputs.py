"""Input files: paths, folders and globs, on this machine or elsewhere; standard input, pipes and downloads."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from penpal_fast.errors import PenpalError
from penpal_fast.files import open_regular
from penpal_fast.sources.addresses import DOWNLOADED, HIDDEN, HUB, LOCAL, is_address
from penpal_fast.sources.spool import STANDARD_INPUT, Spool, is_stream, spooled_stream

ONE_SLASH = re.compile(r"^([a-z][a-z0-9+.-]+):/(?!/)", re.IGNORECASE)

IN_MEMORY = "rows in memory are for Scorer, Reader or ArrowScorer"

logger = logging.getLogger(__name__)

Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@dataclasses.dataclass(frozen=True)
class InputFile:
    """A file of rows.

    Attributes:
        name: Absolute path, or the address as it was given; for errors, and for what the ending says.
        size: Size in bytes.
        version: Changes with the file: time of its last change, the id or hash of its content.
        inode: Device and number of the file on this machine; None elsewhere.
        spool: The temporary file with its content, if it can be read only once.
    """

    name: str
    size: int
    version: str
    inode: tuple[int, int] | None = None
    spool: Spool | None = dataclasses.field(default=None, compare=False)

    @property
    def path(self) -> Path | None:
        """Path of the file, or of its spool, on this machine; None elsewhere."""
        if self.spool:
            return self.spool.path
        return Path(self.name) if self.inode else None

    @property
    def ending(self) -> str:
        """The name in lower case, for what its ending says; of an address of the web, without its query."""
        name = self.name.lower()
        return name.partition("?")[0].partition("#")[0] if name.startswith(DOWNLOADED) else name

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check, after a block that reads the file, that the file is still the one that was listed.

        Raises:
            PenpalError: It changed, which explains any other error in the block. A file elsewhere is not checked.
        """
        try:
            yield
        except Exception:
            self._check_unchanged()
            raise
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        if self.inode is None:
            return
        try:
            same = _local(Path(self.name)) == self
        except PenpalError:
            same = False
        if not same:
            raise PenpalError(f"{self.name}: it changed while it was being read; start again when nothing writes to it")

    def open(self, *, in_order: bool) -> IO[bytes]:
        """Open the file for reading, either in order or at random places.

        Raises:
            OSError: It cannot be read.
        """
        if self.path:
            return open_regular(self.path)
        if self.name.startswith(HUB):
            from penpal_fast.sources.hub import open_file as open_on_hub

            return open_on_hub(self.name, in_order=in_order)
        from penpal_fast.sources.remote import open_file

        return open_file(self.name, in_order=in_order)


def find_inputs(inputs: Inputs) -> list[InputFile]:
    """List the files of paths, folders, globs and addresses, in the order given; within each, by path.

    "-" is standard input. What can be read only once is read at once, into a temporary file. A folder stands for the
    files in it and its subfolders that `inputs_of` chooses. Names that begin with a dot or an underscore are skipped;
    a warning counts links to other folders, which are not followed.

    Raises:
        PenpalError: There are no files, a folder or file cannot be read, or a file is of another kind.
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    is_table = isinstance(given, Mapping) or hasattr(given, "columns") or hasattr(given, "column_names")
    if is_table or isinstance(given, bytes) or not isinstance(given, Iterable):
        raise PenpalError(f"inputs must be paths or addresses, got {type(inputs).__name__}; {IN_MEMORY}")
    files = []
    for item in given:
        if not isinstance(item, (str, os.PathLike)):
            raise PenpalError(f"an input must be a path or an address, got {type(item).__name__}; {IN_MEMORY}")
        try:
            files += _files_of(_given(item))
        except PenpalError:
            raise
        except (OSError, ValueError) as error:  # The name may have a null byte.
            raise PenpalError(f"{os.fspath(item)}: cannot read it: {error}") from error
    if not files:
        raise PenpalError("no input files were given; name at least one")
    return files


def _given(item: str | os.PathLike[str]) -> str:
    """Return an input as it was given; in a path, the two slashes of an address are one."""
    given = os.fspath(item)
    if isinstance(item, str) or Path(given).exists():
        return given
    return ONE_SLASH.sub(lambda found: f"{found[1]}:{'///' if found[1] == 'file' else '//'}", given)


def _files_of(given: str) -> list[InputFile]:
    if not given:
        raise PenpalError("the name of an input is empty; for the current folder, give .")
    if given.startswith(HUB):
        from penpal_fast.sources.hub import list_files

        return _not_empty([InputFile(*file) for file in list_files(given)], given)
    if is_address(given):
        return _elsewhere(given)
    if is_stream(given):
        name = "standard input" if given == STANDARD_INPUT else given
        return [_spooled(name, spooled_stream(given))]
    path = Path(given)
    if path.is_dir():
        return _not_empty(_in_folder(path), given, _first_file(path))
    if not path.exists() and glob.has_magic(given):
        matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns.
        return _not_empty(
            [file for match in matches for file in _matched(Path(match))], given, next(iter(matches), None)
        )
    return [_local(path)]


def _elsewhere(given: str) -> list[InputFile]:
    if given.startswith(LOCAL):
        from urllib.request import url2pathname

        return _files_of(url2pathname(urlsplit(given).path))
    from penpal_fast.sources.remote import download, list_files

    if given.lower().startswith(DOWNLOADED):
        return [_spooled(given, download(given))]
    return _not_empty([InputFile(*file) for file in list_files(given)], given)


def _spooled(name: str, spool: Spool) -> InputFile:
    return InputFile(name, spool.size, spool.sha256, spool=spool)


def _not_empty(found: list[InputFile], given: str, other: str | None = None) -> list[InputFile]:
    """Return the files that were found for a folder or a glob.

    Raises:
        PenpalError: None were found; the error names `other`, which was there.
    """
    if not found:
        from penpal_fast.sources.names import SHOWN_SUFFIXES

        there = f"; there is {other!r}" if other else ""
        raise PenpalError(f"{given}: there are no files whose names end with one of {SHOWN_SUFFIXES}{there}")
    return found


def _first_file(folder: Path) -> str | None:
    """Return the path of a file in a folder, hidden or not; None if there is none."""
    inside = ((Path(parent) / name for name in sorted(names)) for parent, _, names in os.walk(folder))
    return next((path.relative_to(folder).as_posix() for some in inside for path in some), None)


def _in_folder(folder: Path) -> list[InputFile]:
    from penpal_fast.sources.names import inputs_of

    found: list[str] = []
    links: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        links += [path for path in (Path(parent) / name for name in folders) if path.is_symlink()]
        found += [(Path(parent) / name).relative_to(folder).as_posix() for name in names]
    if links:
        logger.warning(
            "%s: %d links to folders are not followed, such as %s; name what they lead to, too",
            folder,
            len(links),
            min(links),
        )
    return [_local(folder / path) for path in sorted(inputs_of(str(folder), found))]


def _raise(error: OSError) -> None:
    raise error


def _matched(path: Path) -> list[InputFile]:
    if path.is_dir():
        return _in_folder(path)
    from penpal_fast.sources.names import SUFFIXES

    return [_local(path)] if path.name.lower().endswith(SUFFIXES) else []


def _local(path: Path) -> InputFile:
    try:
        path.as_posix().encode()
        status = path.stat()
    except UnicodeEncodeError as error:
        raise PenpalError(f"{path.as_posix()!r}: cannot read it: its name is not UTF-8; rename it") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        leads = f"; it is a link to {os.readlink(path)}" if path.is_symlink() else ""  # noqa: PTH115 - not followed.
        raise PenpalError(f"{path}: there is no such file{leads}") from error
    except OSError as error:
        raise PenpalError(f"{path}: cannot read it: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise PenpalError(f"{path}: cannot read it: it is not a regular file")
    inode = (status.st_dev, status.st_ino)
    return InputFile(str(path.absolute()), status.st_size, str(status.st_mtime_ns), inode)
