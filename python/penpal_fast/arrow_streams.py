"""Streams of Arrow whose rows may come from Python."""

from __future__ import annotations

import sys
from typing import Any

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler


def read_whole(data: Any) -> Any:
    """Return what a stream of PyArrow holds as a table, and anything else as it is.

    Through Arrow's C interface, an interrupt of the Python code that yields the rows would be a mere text.

    Raises:
        PenpalError: The stream cannot be read.
    """
    pa = sys.modules.get("pyarrow")  # Rows of Python need no PyArrow.
    if pa is None or not isinstance(data, pa.RecordBatchReader):
        return data
    try:
        return data.read_all()
    except Exception as error:
        raise_if_from_handler(error)
        raise PenpalError(f"cannot read the Arrow data: {error}") from error
