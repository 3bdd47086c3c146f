"""Strokes to pictures: the Rust renderer writes into memory of NumPy, of MLX or of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penpal_fast._core import MAX_THREADS, Rows
from penpal_fast.anchors import check_anchors
from penpal_fast.arrow_streams import read_whole
from penpal_fast.canvas import CANVAS_SHAPE, LINE_WIDTH
from penpal_fast.errors import PenpalError, row_error
from penpal_fast.interrupts import raise_if_from_handler

if TYPE_CHECKING:
    import mlx.core as mx
    from numpy.typing import NDArray

MAX_BATCH_ROWS = 1 << 16
"""Maximum number of rows that `render_batch` takes. A picture has 256 KiB."""


def render_strokes(strokes: Any, *, line_width: float = LINE_WIDTH) -> NDArray[np.float32]:
    """Render one row.

    Args:
        strokes: Words of strokes or strokes, as nested lists, dicts or [N, 2] NumPy arrays, or an Arrow list scalar.
            y grows downward.
        line_width: Width of a line in pixels, above 0 and at most 256.

    Returns:
        float32 [256, 256, 1], 0 for background and 1 for ink.

    Raises:
        PenpalError: The row has no points, a coordinate that is null, NaN or infinite, or is not made of strokes.
    """
    canvas = np.empty((1, *CANVAS_SHAPE), dtype=np.float32)
    check_anchors([strokes])
    _render(Rows([strokes]), canvas, line_width=line_width, threads=1)
    return canvas[0]


def render_batch(rows: Any, *, line_width: float = LINE_WIDTH, threads: int | None = None) -> mx.array:
    """Render rows into one MLX array, written in place.

    MLX keeps the memory of a batch for the next one, once it is freed: `set_cache_limit` of MLX is raised by the size
    of the batch where it is too low, to 1 GiB (4,096 rows) at most. `mx.clear_cache()` frees the memory.

    Args:
        rows: Sequence of rows, or an Arrow array, chunked array, record batch or table with a column "strokes".
        line_width: Width of a line in pixels, above 0 and at most 256.
        threads: Number of threads; None for one for each processor. The pictures do not depend on it.

    Returns:
        float32 MLX array [B, 256, 256, 1]. Do not keep a view of it across an operation that changes it in place.

    Raises:
        PenpalError: A row is bad, which the error names, or there are more than 65,536 rows.
    """
    from penpal_fast.engines.mlx_memory import writable_canvases

    rows = read_whole(rows)
    _check_batch(_claimed(rows))
    check_anchors(rows)
    prepared = Rows(rows)
    _check_batch(len(prepared))
    array, view = writable_canvases(len(prepared))
    _render(prepared, view, line_width=line_width, threads=threads)
    return array


def render_into(rows: Any, out: Any, *, line_width: float = LINE_WIDTH, threads: int | None = None) -> None:
    """Render rows into memory of the caller.

    Args:
        rows: As for `render_batch`.
        out: Writable C-contiguous float32 buffer of shape [B, 256, 256, 1], where B is the number of rows: a NumPy
            array, an evaluated MLX array, a memoryview or anything else with the buffer protocol.
        line_width: Width of a line in pixels, above 0 and at most 256.
        threads: Number of threads; None for one for each processor.

    Raises:
        PenpalError: The buffer has another shape, type or layout or is read-only; or a row is bad: its picture is
            then blank, and the others are rendered.
    """
    rows = read_whole(rows)
    if (claimed := _claimed(rows)) > MAX_BATCH_ROWS:  # More than a buffer has room for takes long to read.
        _checked_buffer(out, claimed)
    check_anchors(rows)
    prepared = Rows(rows)
    _render(prepared, _checked_buffer(out, len(prepared)), line_width=line_width, threads=threads)


def _claimed(rows: Any) -> int:
    """Return how many rows there are before they are read; 0 where that is not known."""
    try:
        return len(rows)
    except Exception as error:  # noqa: BLE001 - of a stranger's `__len__`
        raise_if_from_handler(error)
        return 0  # `Rows` says what is wrong.


def _check_batch(count: int) -> None:
    if count > MAX_BATCH_ROWS:
        raise PenpalError(
            f"{count} rows are too many for one batch; render at most {MAX_BATCH_ROWS}, which take 16 GiB"
        )


def _render(rows: Rows, out: NDArray[np.float32], *, line_width: float, threads: int | None) -> None:
    problems = rows.render_into(out, 0, line_width, checked_threads(threads))
    if problems:
        raise row_error(*problems[0])


def checked_threads(threads: int | None) -> int:
    """Check a number of threads, and return it with 0 for one for each processor.

    Raises:
        PenpalError: It is not None and not from 1 to 1024.
    """
    if threads is None:
        return 0
    if not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS:
        raise PenpalError(
            f"threads must be from 1 to {MAX_THREADS}, or None for one for each processor; got {threads!r}"
        )
    return threads


def _checked_buffer(out: Any, count: int) -> NDArray[np.float32]:
    shape = (count, *CANVAS_SHAPE)
    try:
        buffer = memoryview(out)
    except (TypeError, ValueError, BufferError) as error:
        found = f"{type(out).__name__}: {error}"
        raise PenpalError(f"out must be a float32 buffer of shape {shape}, got {found}") from error
    if buffer.format not in ("f", "<f", "=f", "@f"):
        raise PenpalError(f"out must hold float32, got the buffer format {buffer.format!r}")
    if buffer.shape != shape:
        raise PenpalError(f"out must have the shape {shape}, one picture for each row; got {buffer.shape}")
    if buffer.readonly:
        raise PenpalError("out must be writable; it is read-only")
    if not buffer.c_contiguous:
        raise PenpalError("out must be C-contiguous; pass a fresh array, not a transposed or strided view")
    return np.asarray(buffer)
