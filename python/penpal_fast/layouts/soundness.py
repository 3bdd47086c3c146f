"""Arrays whose offsets lead where they should; their texts may be any bytes, as in files of other programs."""

from __future__ import annotations

import pyarrow as pa

from penpal_fast.layouts.nested import mapped_type

BYTES = {"string_view": pa.binary_view(), "string": pa.binary(), "large_string": pa.large_binary()}


def check_sound(values: pa.Array | pa.ChunkedArray) -> None:
    """Make sure that an array can be read: PyArrow refuses a whole array for one text that is not UTF-8.

    Raises:
        pyarrow.ArrowInvalid: It is broken.
    """
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
        try:
            chunk.validate(full=True)
        except pa.ArrowInvalid:
            if (plain := _with_bytes(chunk)) is None:
                raise
            plain.validate(full=True)


def _with_bytes(array: pa.Array) -> pa.Array | None:
    """Return an array with bytes in place of texts; None if it has no texts that can be seen so."""
    if pa.types.is_dictionary(array.type):
        values = _with_bytes(array.dictionary)
        return None if values is None else pa.DictionaryArray.from_arrays(array.indices, values, safe=False)
    kind = mapped_type(array.type, lambda kind: BYTES.get(str(kind), kind))
    try:
        return None if kind.equals(array.type) else array.view(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
