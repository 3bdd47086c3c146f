"""The few rows of a file that are shown, kept while the file streams by."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Sample:
    """The rows with the smallest keys among all that were offered; of equal keys, the first offered."""

    def __init__(self, size: int) -> None:
        """Start with no rows; keep `size` of them at most."""
        self._size = size
        self._keys = np.empty(0, dtype=np.float64)
        self._rows: pa.Table | None = None

    def offer(self, keys: NDArray[np.float64], rows: pa.RecordBatch) -> None:
        """Offer rows with their keys, float64 [N]; a row with the key NaN is not taken."""
        worst = self._keys.max() if len(self._keys) == self._size else np.inf
        better = np.flatnonzero((keys < worst) | (np.isinf(worst) & ~np.isnan(keys)))
        if len(better) == 0:
            return
        better = better[np.argsort(keys[better], kind="stable")[: self._size]]
        offered = pa.Table.from_batches([rows.take(pa.array(better))])
        every = offered if self._rows is None else pa.concat_tables([self._rows, offered])
        every_key = np.concatenate([self._keys, keys[better]])
        kept = np.argsort(every_key, kind="stable")[: self._size]
        self._keys = every_key[kept]
        self._rows = every.take(pa.array(kept)).combine_chunks()

    def rows(self) -> pa.Table | None:
        """Return the rows, the smallest key first; None without any."""
        return self._rows
