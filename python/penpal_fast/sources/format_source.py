"""Files of the formats in `formats/` as streams of record batches."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from xml.parsers.expat import ExpatError

import pyarrow as pa
from pyarrow import ipc

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.sharing import MAX_TIMES, may_share, pieces, shared_bytes, too_much
from penpal_fast.schema import with_texts
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.formats.format import Content, Format, Options
from penpal_fast.sources.formats.ink import INK
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.memory import MIN_BATCH_BYTES, average_row_bytes, held_bytes, limited, usual_row_bytes

DAMAGE = (OSError, EOFError, ValueError, OverflowError, pa.ArrowException, zlib.error, zipfile.BadZipFile, ExpatError)
"""What libraries raise for files that are damaged or of another kind."""

MANY_SHARED_BYTES = 1 << 30
"""Rows of a file that share their parts may claim this many bytes together, or so many times its size."""


class FormatSource:
    """A file of one of the formats; see `Source`.

    Attributes:
        read_as: What the reader of the format read the strokes as, where it had a choice.
    """

    begins_anywhere = False
    is_text = False
    has_strokes = True

    def __init__(self, file: InputFile, kind: Format, options: Options) -> None:
        """Read the file once, for its columns and the number of its rows.

        Raises:
            PenpalError: The file cannot be read, or is of another kind.
        """
        self.file = file
        self._options = options
        self._kind = kind
        if not file.size:
            raise PenpalError(f"{file.name}: the file is empty")
        with self._problems():
            content = self._opened()
            self.schema: pa.Schema = content.schema
            _check_names(self.schema)
            self.is_ink: bool = bool(self.schema.equals(INK))
            digest = hashlib.sha256()
            runs, shared = [], 0
            for batch in content.batches():
                claimed = shared_bytes(batch)
                shared += claimed
                if shared > MANY_SHARED_BYTES and shared > MAX_TIMES * file.size:
                    raise too_much(shared, file.size)
                runs.append((len(batch), held_bytes(batch) + claimed))
                digest.update(_content(batch))
            self.rows = sum(rows for rows, _ in runs)
            self.row_bytes = usual_row_bytes(runs)
            self.read_as: Sequence[str] = list(content.read_as)
        self.fingerprint = digest.hexdigest()

    def take_as_texts(self, names: Collection[str]) -> None:
        """Take columns for texts; see `Source`."""
        self.schema = with_texts(self.schema, names)

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the rows from `start` on in order, with all columns, at most `rows` at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        most_bytes = max(MIN_BATCH_BYTES, rows * self.row_bytes)
        with self._problems():
            for batch in self._opened().batches():
                average = average_row_bytes(len(batch), held_bytes(batch))
                step = rows if average <= self.row_bytes else limited(most_bytes // average, rows)
                for first in range(min(start, len(batch)), len(batch), step):
                    yield from map(Batch, pieces(batch.slice(first, step), most_bytes))
                start = max(start - len(batch), 0)

    def _opened(self) -> Content:
        return self._kind.open(self.file, self._options)

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as error:  # Of a length that a damaged file has.
            raise PenpalError(
                f"{self.file.name}: cannot read this {self._kind.name} file: it claims more than memory holds"
            ) from error
        except DAMAGE as error:
            reason = str(error) or "it ends early"
            raise PenpalError(f"{self.file.name}: cannot read this {self._kind.name} file: {reason}") from error


def _content(batch: pa.RecordBatch) -> pa.Buffer:
    """Return all that a batch holds; what `RecordBatch.serialize` returns lacks its dictionaries."""
    if not any(may_share(field.type) for field in batch.schema):
        return batch.serialize()
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


def _check_names(fields: Iterable[pa.Field]) -> None:
    """Make sure that all names are UTF-8: PyArrow decodes a name when it is asked for it.

    Raises:
        UnicodeDecodeError: One is not.
    """
    for field in fields:
        _ = field.name
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        _check_names(kind.field(index) for index in range(kind.num_fields))
