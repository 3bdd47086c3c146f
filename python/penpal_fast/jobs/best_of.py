"""The best row of each group: of all rows that share a value."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError
from penpal_fast.schema import is_text, listed_columns, texts_of

LONGEST_VALUE = 64
"""Longer texts are known by their hash, so that memory does not grow with their length."""

KEPT_BYTES = "surrogateescape"
"""How bytes that are not UTF-8 are decoded, so that texts stay as different as they are."""

NO_GROUP = -1
NO_RANK = -1.0
"""Below all ranks, which are from 0 to 1."""


def check_group_column(schema: pa.Schema, column: str) -> None:
    """Make sure that a schema has exactly one column of this name, and that rows can be grouped by it.

    Raises:
        PenpalError: There is no such column, or several, or it holds neither texts nor numbers.
    """
    count = schema.names.count(column)
    if count != 1:
        found = "more than one column" if count else "no column"
        raise PenpalError(
            f"{found} {column!r}; name the one whose values rows share with --best-of or best_of=\n"
            + listed_columns(schema)
        )
    kind = schema.field(column).type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    kinds = (
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_null,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_fixed_size_binary,
    )
    if not (is_text(kind, integers=True) or any(is_kind(plain) for is_kind in kinds)):
        raise PenpalError(
            f"rows cannot be grouped by the column {column!r}, which is of type {kind}; name a column of texts or "
            f"numbers\n{listed_columns(schema)}"
        )


class BestRows:
    """The best row of each group, from the values and ranks of all rows in order.

    Of rows with the same rank, the first is the best. A row without a value, null or NaN, is a group of its own. The
    memory depends on the number of groups, not of rows.
    """

    def __init__(self) -> None:
        """Start without rows."""
        self._numbers: dict[Any, int] = {}
        self._alone = 0
        self._seen = 0
        self._ranks = np.empty(0)
        self._rows = np.empty(0, np.int64)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self._numbers) + self._alone

    def add(self, values: pa.Array, ranks: NDArray[np.float64]) -> None:
        """Look at the next rows.

        Args:
            values: The value that rows of a group share, [N].
            ranks: How good each row is, from 0 to 1, [N]; NaN for a row that may not be chosen.
        """
        groups = self._groups_of(values)
        self._alone += int((groups == NO_GROUP).sum())
        self._grow()
        running = np.flatnonzero((groups != NO_GROUP) & ~np.isnan(ranks))
        # Sorting is stable: of equal ranks, the first row comes first.
        ordered = running[np.lexsort((-ranks[running], groups[running]))]
        best = ordered[np.diff(groups[ordered], prepend=NO_GROUP) != 0]
        better = best[ranks[best] > self._ranks[groups[best]]]
        self._ranks[groups[better]] = ranks[better]
        self._rows[groups[better]] = self._seen + better
        self._seen += len(values)

    def chosen(self, values: pa.Array, first: int) -> NDArray[np.bool_]:
        """Whether rows that were looked at are the best of their group, or a group of their own.

        Args:
            values: Their values, [N].
            first: Number of the first of them, of all rows.
        """
        rows = np.arange(first, first + len(values))
        groups = self._groups_of(values)
        return np.asarray((groups == NO_GROUP) | (self._rows[groups] == rows) if len(self._rows) else groups < 0)

    def _groups_of(self, values: pa.Array) -> NDArray[np.int64]:
        """Number the values, [N]; new ones get the next numbers."""
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        used, places = np.unique(indices, return_inverse=True)
        distinct = _values(encoded.dictionary.take(pa.array(used[used >= 0])))
        numbers = [NO_GROUP] * (len(used) - len(distinct)) + [self._number(value) for value in distinct]
        return np.array(numbers, np.int64)[places] if numbers else np.empty(0, np.int64)

    def _number(self, value: Any) -> int:
        if value is None or value != value:
            return NO_GROUP
        if isinstance(value, (str, bytes)) and len(value) > LONGEST_VALUE:
            content = value if isinstance(value, bytes) else value.encode(errors=KEPT_BYTES)
            value = (type(value), hashlib.blake2b(content, digest_size=16).digest())
        return self._numbers.setdefault(value, len(self._numbers))

    def _grow(self) -> None:
        """Make room for new groups, twice as much each time."""
        missing = len(self._numbers) - len(self._ranks)
        if missing > 0:
            more = max(missing, len(self._ranks))
            self._ranks = np.concatenate([self._ranks, np.full(more, NO_RANK)])
            self._rows = np.concatenate([self._rows, np.full(more, -1)])


def _values(values: pa.Array) -> list[Any]:
    return texts_of(values, errors=KEPT_BYTES) if is_text(values.type) else values.to_pylist()
