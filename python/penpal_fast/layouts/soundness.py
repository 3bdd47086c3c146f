"""Arrays whose offsets lead where they should; their texts may be any bytes, as in files of other programs."""

from __future__ import annotations

import pyarrow as pa

from penpal_fast.layouts.nested import is_list

BYTES = {"string": pa.binary(), "large_string": pa.large_binary()}


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
    kind = _type_with_bytes(array.type)
    try:
        return None if kind.equals(array.type) else array.view(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _type_with_bytes(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.binary_view()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_type_with_bytes(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_type_with_bytes(kind.key_type), _type_with_bytes(kind.item_type))
    if is_list(kind):
        inner = kind.value_field.with_type(_type_with_bytes(kind.value_type))
        if pa.types.is_fixed_size_list(kind):
            return pa.list_(inner, kind.list_size)
        if pa.types.is_large_list(kind):
            return pa.large_list(inner)
        return pa.list_(inner) if pa.types.is_list(kind) else kind
    return BYTES.get(str(kind), kind)
