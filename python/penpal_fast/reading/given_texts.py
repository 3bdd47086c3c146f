"""The texts that a reader is given: lists, Arrow, and columns of other libraries, as strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.frames import is_missing
from penpal_fast.schema import is_text, texts_of


def listed_texts(texts: Any) -> Sequence[str | None]:
    """Return texts as a list of strings, None where there is none.

    Raises:
        PenpalError: There is something else among them; the error names the row.
    """
    if isinstance(texts, (pa.Array, pa.ChunkedArray)):
        chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
        if pa.types.is_null(texts.type):
            return [None] * len(texts)
        if not is_text(texts.type):
            raise PenpalError(f"texts must be strings, got Arrow {texts.type}")
        return [text for chunk in chunks for text in texts_of(chunk)]
    is_listed = hasattr(texts, "__len__") and hasattr(texts, "__getitem__")  # Also a series of a data frame.
    is_table = hasattr(type(texts), "columns") or hasattr(type(texts), "column_names")
    if isinstance(texts, (str, bytes, Mapping)) or not is_listed or is_table or getattr(texts, "shape", None) == ():
        raise PenpalError(f"texts must be a list of texts, one for each row; got {type(texts).__name__}")
    found = [text if isinstance(text, str) else plain_text(text) for text in texts]
    for row, text in enumerate(found):
        if not (text is None or isinstance(text, str)):
            raise PenpalError(f"row {row}: the text must be a string or None, got {type(text).__name__}", row=row)
    return found


def plain_text(text: Any) -> Any:
    """Return a value of an Arrow array as Python has it, None for what data frames have where a text is missing, and
    anything else as it is."""
    if isinstance(text, pa.Scalar):
        try:
            return text.as_py()
        except UnicodeDecodeError:
            return text.as_buffer().to_pybytes().decode(errors="replace")  # As in `texts_of`.
    return None if is_missing(text) else text
