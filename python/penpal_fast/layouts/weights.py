"""What the items of an array weigh, in bytes or in numbers, counted without unpacking them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast import kernels as pc
from penpal_fast.errors import PenpalError
from penpal_fast.layouts.nested import indices_of_runs, is_list

Weights = NDArray[np.float64]

VIEWS = ("string_view", "binary_view")

TEXTS = ("string", "large_string", "binary", "large_binary")

MAX_RUN_ITEMS = 1 << 27
"""Items of an array of run ends, which take no bytes."""

VIEW_BYTES = 16
"""Bytes of the view of a text; they begin with its length as int32."""


def is_any(kind: pa.DataType, *names: str) -> bool:
    """Whether a type is one of these."""
    return any(getattr(pa.types, f"is_{name}")(kind) for name in names)


@dataclasses.dataclass(frozen=True)
class Scale:
    """How items are weighed.

    Attributes:
        fixed: What an item of a type weighs that holds no others.
        text: What a byte of a text weighs.
        join: What fields weigh together.
    """

    fixed: Callable[[pa.DataType], float]
    text: float
    join: np.ufunc

    def of(self, array: pa.Array) -> Weights:
        """Return what each item [N] of a sound array would weigh by itself.

        Raises:
            PenpalError: Run ends have more items than could be counted.
        """
        kind = array.type
        if isinstance(array, pa.ExtensionArray):
            return self.of(array.storage)
        if is_any(kind, "dictionary"):
            values = np.append(self.of(array.dictionary), 0.0)  # The last is for nulls.
            return values[pc.fill_null(array.indices.cast(pa.int64()), len(values) - 1).to_numpy(zero_copy_only=False)]
        if is_any(kind, "run_end_encoded"):
            if len(array) > MAX_RUN_ITEMS:
                raise PenpalError(f"its run ends claim {len(array):,} items; at most {MAX_RUN_ITEMS:,} are read")
            return self.of(array.values)[indices_of_runs(array)]
        if is_list(kind):
            return self._lists(array)
        if is_any(kind, "map"):
            offsets = array.offsets.to_numpy().astype(np.int64)
            first, last = offsets[0], offsets[-1]
            keys, items = (self.of(values[first:last]) for values in (array.keys, array.items))
            return np.diff(_until(self.join(keys, items))[offsets - first])
        if is_any(kind, "struct"):
            fields = [self.of(field) for field in array.flatten()]
            return self.join.reduce(fields) if fields else np.zeros(len(array))
        if is_any(kind, *VIEWS):
            return self.text * _view_lengths(array)
        if is_any(kind, *TEXTS):
            return self.text * _plain(pc.binary_length(array))
        return np.full(len(array), self.fixed(kind))

    def _lists(self, array: pa.Array) -> Weights:
        lengths = _plain(pc.list_value_length(array))
        if not pa.types.is_nested(array.type.value_type) and not is_any(
            array.type.value_type, "dictionary", *VIEWS, *TEXTS
        ):
            return lengths * self.fixed(array.type.value_type)
        starts = list_starts(array)
        stops = starts + lengths.astype(np.int64)
        has_items = lengths > 0
        if not has_items.any():
            return lengths
        first, last = starts[has_items].min(), stops[has_items].max()
        until = _until(self.of(array.values[first:last]))  # Of a slice, the values are those of the whole array.
        return until[np.where(has_items, stops - first, 0)] - until[np.where(has_items, starts - first, 0)]


def list_starts(array: pa.Array) -> NDArray[np.int64]:
    """Return where each list [N] begins in the values."""
    if is_any(array.type, "fixed_size_list"):
        return (array.offset + np.arange(len(array))) * array.type.list_size
    return array.offsets.to_numpy()[: len(array)].astype(np.int64)


def _plain(lengths: pa.Array) -> Weights:
    return pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False).astype(np.float64)


def _until(weights: Weights) -> Weights:
    """What all items before each weigh, and all together [N + 1]."""
    return np.concatenate([[0.0], np.cumsum(weights)])


def _view_lengths(array: pa.Array) -> Weights:
    if not len(array):
        return np.zeros(0)
    first = VIEW_BYTES // 4 * (array.offset + np.arange(len(array)))
    lengths = np.frombuffer(array.buffers()[1], np.int32)[first]
    return np.where(np.asarray(array.is_valid()), lengths, 0).astype(np.float64)


def _fixed_bytes(kind: pa.DataType) -> float:
    try:
        return float(kind.bit_width) / 8
    except ValueError:  # Nulls, and unions, which nothing unpacks.
        return 1 / 8


BYTES = Scale(_fixed_bytes, 1.0, np.add)
"""About how many bytes an item takes."""

NUMBERS = Scale(lambda _kind: 1.0, 0.0, np.maximum)
"""How many numbers an item has, of those fields that have the most."""
