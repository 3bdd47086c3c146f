"""Files that are damaged or made to do harm, and what a reader must do with them."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import strategies as st

from helpers.alarm import worked
from penpal_fast import PenpalError, read_rows

SECONDS = 10
"""Any small file is read or refused in far less."""


@st.composite
def damaged(draw, content: bytes) -> bytes:
    """Content that was cut, or of which some bytes were replaced, removed, repeated or added."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(changed)))
        stop = min(len(changed), place + draw(st.sampled_from([0, 1, 1, 2, 8])))
        piece = draw(
            st.sampled_from([b"", b"\0", b"\xff", b"9", b"-", b" ", b"<", b'"', b"nan", bytes(changed[place:stop]) * 3])
        )
        changed[place:stop] = piece
    return bytes(changed[: draw(st.integers(0, len(changed)))] if draw(st.booleans()) else changed)


def refused(path) -> str:
    """The error of a file that must be refused, soon, and by name."""
    try:
        with worked(SECONDS):
            table = read_rows(path)
    except PenpalError as error:
        assert str(path) in str(error)
        assert str(error).removeprefix(str(path)).strip(": ")
        return str(error)
    raise AssertionError(f"it was read: {table}")


def read_or_refused(path) -> pa.Table | None:
    """The rows of a file that may be damaged, checked; None if it is refused."""
    try:
        with worked(SECONDS):
            table = read_rows(path)
    except PenpalError as error:
        assert str(path) in str(error)
        return None
    table.validate(full=True)
    return table


def strokes_of(table: pa.Table) -> list[list[list[tuple[float, float]]]]:
    """The points of the strokes of each row, over all words."""
    return [
        [[(point["x"], point["y"]) for point in stroke["points"]] for word in row for stroke in word]
        for row in table["strokes"].to_pylist()
    ]
