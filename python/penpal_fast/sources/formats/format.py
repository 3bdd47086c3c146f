"""What a file format is: its name, the endings of its files, and how one of them is opened.

How to add one: write a file beside this one that ends with a `Format`, and add it to `known.py`. A format of ink alone
needs only a function that yields the rows of a file; see `ink.py`, and `xopp.py` for an example.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from penpal_fast.sources.readable_file import ReadableFile


@dataclasses.dataclass(frozen=True)
class Options:
    """What a caller chooses about files of all formats.

    Attributes:
        each_path: Whether each path of a drawing (SVG) is a row; else the whole drawing is one.
        layout: Name of the layout of strokes, if it is known; see `layouts`.
    """

    each_path: bool = False
    layout: str | None = None


class Content(Protocol):
    """The rows of an opened file.

    Attributes:
        read_as: Layouts that the reader of the format chose among, to be told to the user; empty if there is no choice.
            Complete once all rows were read.
    """

    read_as: Sequence[str]

    @property
    def schema(self) -> pa.Schema:
        """The columns."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order; the same on every call.

        Raises:
            PenpalError: The file is damaged. OSError, ValueError and errors of Arrow become one, with the file's name.
        """


@dataclasses.dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: What people call it.
        suffixes: Endings of the names of its files, in lower case.
        open: Opens a file. It may raise what `Content.batches` may.
        begins: Whether a file begins as those of this format do, given its first bytes. It tells apart formats that
            share a suffix, so the reader itself still has to refuse other files.
        is_common: Whether the suffixes are those of many other files too, which stand in folders beside the data.
    """

    name: str
    suffixes: tuple[str, ...]
    open: Callable[[ReadableFile, Options], Content]
    begins: Callable[[bytes], bool] = lambda _start: True
    is_common: bool = False
