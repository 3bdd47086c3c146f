"""What passes from readers to the scorer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


@dataclasses.dataclass(frozen=True)
class Batch:
    """Rows as they were read.

    Attributes:
        data: The rows.
        problems: What is wrong with rows that could not be read, by row index in the batch; their strokes are null.
    """

    data: pa.RecordBatch
    problems: dict[int, str] = dataclasses.field(default_factory=dict)


class Source(Protocol):
    """A file of rows that can be read more than once."""

    path: Path
    schema: pa.Schema
    rows: int

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield the rows in order, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        ...
