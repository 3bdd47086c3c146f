"""Strokes as JSON in a column of texts, in any layout."""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import jiter
import numpy as np
import pyarrow as pa

from penpal_fast.layouts.layout import Converted, Layout
from penpal_fast.layouts.nested import WORDS
from penpal_fast.layouts.shape import Shape
from penpal_fast.layouts.untold import Untold

PYTHON = re.compile(rb"[\s{\[(]*[{\[(]\s*(?:u?'|None\b|True\b|False\b|\()|[:,]\s*(?:None|True|False|array\(|\(|')")
"""What Python writes and JSON has not."""

MAX_BYTES = 32 << 20
"""Maximum length of a text: parsed, it may take twenty times as much memory."""

CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError)


@dataclasses.dataclass(frozen=True)
class JsonText:
    """Strokes as JSON text.

    Attributes:
        inner: The layout of the strokes.
    """

    inner: Layout

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return shape.kind == "text"

    @property
    def name(self) -> str:
        """What `--layout` calls the layout of the strokes."""
        return self.inner.name

    @property
    def description(self) -> str:
        """What its rows are."""
        return f"JSON text of {self.inner.description}"

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        values, problems = parsed(shape.values[0])
        converted = converted_values(self.inner, values)
        return dataclasses.replace(converted, problems={**converted.problems, **problems})


def is_python(text: bytes) -> bool:
    """Whether a text that is not JSON looks like what Python's `str` writes, given its beginning."""
    return text.lstrip().startswith((b"{", b"[", b"(")) and PYTHON.search(text) is not None


def parsed(texts: pa.Array) -> tuple[list[Any], dict[int, str]]:
    """Parse texts; those that are not JSON become None and get a problem."""
    values: list[Any] = []
    problems = {}
    for row, text in enumerate(texts):
        content = text.as_buffer().to_pybytes() if text.is_valid else None
        value = None
        if content is not None and len(content) > MAX_BYTES:
            problems[row] = f"too long: the text has more than {MAX_BYTES:,} bytes"
        elif content is not None:
            try:
                value = jiter.from_json(content.removeprefix(codecs.BOM_UTF8), allow_inf_nan=True, cache_mode="keys")
            except ValueError as error:
                literals = "; it looks like Python literals: write it with json.dumps, not with str"
                problems[row] = f"not JSON: {error}{literals if is_python(content) else ''}"
        values.append(value)
    return values, problems


def arrays_of(values: list[Any]) -> Iterator[tuple[list[int], pa.Array | str]]:
    """Yield Python values as arrays, together if they are alike or else one by one, with the indices of their values.

    What Arrow cannot hold comes as what is wrong with it.
    """
    try:
        yield list(range(len(values))), pa.array(values)
    except CONVERSION_ERRORS:
        for index, value in enumerate(values):
            try:
                yield [index], pa.array([value])
            except CONVERSION_ERRORS as error:
                yield [index], f"wrong type: {str(error).splitlines()[0]}"


@np.errstate(over="ignore", invalid="ignore")
def converted_values(layout: Layout, values: list[Any]) -> Converted:
    """Convert Python values; those of another kind get a problem."""
    pieces, problems, speaking = [pa.nulls(0, WORDS)], {}, np.zeros(len(values), np.bool_)
    for indices, array in arrays_of(values):
        converted = Converted(pa.nulls(len(indices), WORDS), {}, np.zeros(len(indices), np.bool_))
        if isinstance(array, str):
            problems[indices[0]] = array
        elif layout.takes(shape := Shape.of(array)):
            converted = layout.convert(shape)
        elif shape.has_values:
            problems |= dict.fromkeys(indices, f"wrong type: these are no {layout.description}")
        else:
            converted = Untold().convert(shape)
        pieces.append(converted.rows)
        problems |= {indices[row]: problem for row, problem in converted.problems.items()}
        speaking[indices] = converted.speaking
    return Converted(pa.concat_arrays(pieces), problems, speaking)
