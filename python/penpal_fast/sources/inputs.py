"""Which files are read: paths, folders and globs, on this machine or on the Hugging Face hub."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from penpal_fast.errors import PenpalError
from penpal_fast.sources.names import HIDDEN, HUB, SUFFIXES, is_readable

Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@dataclasses.dataclass(frozen=True)
class InputFile:
    """A file of rows.

    Attributes:
        name: Absolute path, or address on the hub.
        size: Bytes.
        version: Changes when the file does: time of its last change, or the hub's id of its content.
        place: Device and inode on this machine, None on the hub.
    """

    name: str
    size: int
    version: str
    place: tuple[int, int] | None = None

    @property
    def path(self) -> Path | None:
        """Where the file is on this machine, None if it is on the hub."""
        return None if self.name.startswith(HUB) else Path(self.name)

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Make sure that the file on this machine is, after a block that reads it, the one that was listed.

        Raises:
            PenpalError: It is not; whatever else failed in the block, this is why.
        """
        try:
            yield
        except Exception:
            self._check_unchanged()
            raise
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        if self.path is None:
            return
        try:
            same = _local(self.path) == self
        except PenpalError:
            same = False
        if not same:
            raise PenpalError(f"{self.name}: it was changed while it was read; start again once it stays as it is")

    def open(self, *, in_order: bool) -> IO[bytes]:
        """Open the file for reading, mostly in order or here and there.

        Raises:
            OSError: It cannot be read.
        """
        if self.path:
            return self.path.open("rb")
        from penpal_fast.sources.hub import open_file

        return open_file(self.name, in_order=in_order)


def find_inputs(inputs: Inputs) -> list[InputFile]:
    """List the files of paths, folders, globs and hub addresses, in the order given; within each, by path.

    A folder stands for all Parquet files and JSON lines in it and its folders whose names do not begin with a dot or an
    underscore.

    Raises:
        PenpalError: There are none, a folder or file cannot be read, or a file is of another kind.
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    files = []
    for item in given:
        try:
            files += _files_of(os.fspath(item))
        except PenpalError:
            raise
        except (OSError, ValueError) as error:  # No file's name has a null byte.
            raise PenpalError(f"{os.fspath(item)}: cannot read it: {error}") from error
    if not files:
        raise PenpalError("no input files")
    return files


def _files_of(given: str) -> list[InputFile]:
    if given.startswith(HUB):
        from penpal_fast.sources.hub import list_files

        return some([InputFile(file.address, file.size, file.version) for file in list_files(given)], given)
    path = Path(given)
    if path.is_dir():
        return some([_local(path / inner) for inner in _in_folder(path)], given)
    if not path.exists() and glob.has_magic(given):
        return some([file for match in sorted(glob.glob(given, recursive=True)) for file in _matched(match)], given)  # noqa: PTH207
    return [_local(path)]


def some(found: list[InputFile], given: str) -> list[InputFile]:
    """Return what was found for a folder or a glob.

    Raises:
        PenpalError: Nothing was.
    """
    if not found:
        raise PenpalError(f"{given}: there are no files whose names end with one of {', '.join(SUFFIXES)}")
    return found


def _in_folder(folder: Path) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in names]
    return sorted(path for path in found if is_readable(path) and (folder / path).is_file())


def _raise(error: OSError) -> None:
    raise error


def _matched(match: str) -> list[InputFile]:
    path = Path(match)
    if path.is_dir():
        return [_local(path / inner) for inner in _in_folder(path)]
    return [_local(path)] if path.name.lower().endswith(SUFFIXES) else []


def _local(path: Path) -> InputFile:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PenpalError(f"{path}: there is no such file") from error
    except OSError as error:
        raise PenpalError(f"{path}: cannot read it: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise PenpalError(f"{path}: there is no such file")
    if not path.name.lower().endswith(SUFFIXES):
        raise PenpalError(f"{path}: the name must end with one of {', '.join(SUFFIXES)}")
    place = (status.st_dev, status.st_ino)
    return InputFile(str(path.absolute()), status.st_size, str(status.st_mtime_ns), place)
