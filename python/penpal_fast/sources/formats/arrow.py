"""Arrow IPC, as files and as streams, and Feather, which is the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa
from pyarrow import ipc

from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.arrow_claims import check_claims
from penpal_fast.sources.formats.format import Content, Format, Options
from penpal_fast.sources.readable_file import ReadableFile

FILE_MAGIC = b"ARROW1"
FEATHER_1_MAGIC = b"FEA1"


class _ArrowContent:
    """The batches of an IPC file or stream, checked: a damaged one may have offsets that lead anywhere."""

    read_as: Sequence[str] = ()

    def __init__(self, file: ReadableFile) -> None:
        self._file = file
        with file.open(in_order=True) as opened:
            self._start = opened.read(len(FILE_MAGIC))
        with file.open(in_order=False) as opened:
            check_claims(opened, file.name, is_file=self._is_file)
        with self._opened() as opened:
            self.schema: pa.Schema = self._reader(opened).schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self._opened() as opened:
            reader = self._reader(opened)
            found = map(reader.get_batch, range(reader.num_record_batches)) if self._is_file else iter(reader)
            for batch in found:
                batch.validate(full=True)
                yield batch

    @property
    def _is_file(self) -> bool:
        return self._start == FILE_MAGIC

    def _opened(self) -> IO[bytes]:
        return self._file.open(in_order=not self._is_file)

    def _reader(self, opened: IO[bytes]) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
        return ipc.open_file(opened) if self._is_file else ipc.open_stream(opened)


def _open(file: ReadableFile, _options: Options) -> Content:
    with file.open(in_order=True) as opened:
        start = opened.read(len(FEATHER_1_MAGIC))
    if not start:
        raise PenpalError("it is empty")
    if start == FEATHER_1_MAGIC:
        raise PenpalError("it is Feather of version 1, which has no nested columns; write version 2")
    return _ArrowContent(file)


def check_unpacked(file: ReadableFile, most_bytes: int) -> None:
    """Make sure that a file does not claim to hold more than this many bytes.

    Raises:
        PenpalError: It does, or is damaged.
    """
    with file.open(in_order=False) as opened:
        is_file = opened.read(len(FILE_MAGIC)) == FILE_MAGIC
        opened.seek(0)
        check_claims(opened, file.name, is_file=is_file, most_bytes=most_bytes)


ARROW = Format("Arrow IPC or Feather", (".arrow", ".arrows", ".ipc", ".feather"), _open)
