"""A few rows of a file, chosen while the file is streamed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Sample:
    """The rows with the smallest keys of all offered rows; if keys are equal, the rows that came first."""

    def __init__(self, size: int) -> None:
        """Start with no rows; keep at most `size`."""
        self._size = size
        self._keys = np.empty(0, dtype=np.float64)
        self._rows: pa.Table | None = None

    def offer(self, keys: NDArray[np.float64], rows: pa.RecordBatch) -> None:
        """Offer rows with their keys, float64 [N], finite or NaN; a row whose key is NaN is never kept."""
        worst = self._keys[-1] if len(self._keys) == self._size else np.inf
        better = np.flatnonzero(keys < worst)
        if len(better) == 0:
            return
        better = better[np.argsort(keys[better], kind="stable")[: self._size]]
        offered = pa.Table.from_batches([rows.take(pa.array(better))])
        tables = [offered] if self._rows is None else [self._rows, offered]
        all_keys = np.concatenate([self._keys, keys[better]])
        kept = np.argsort(all_keys, kind="stable")[: self._size]
        self._keys = all_keys[kept]
        self._rows = pa.concat_tables(tables).take(pa.array(kept)).combine_chunks()

    def rows(self) -> pa.Table | None:
        """Return the rows, the smallest key first; None if there are none."""
        return self._rows
