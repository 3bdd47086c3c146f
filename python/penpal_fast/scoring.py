"""Rows of strokes to scores: the renderer and the network, working at the same time."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import mlx.core as mx
import numpy as np
import pyarrow as pa

from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError
from penpal_fast.mlx_memory import writable_canvases
from penpal_fast.network import QualityClassifier
from penpal_fast.rendering import checked_threads, row_error

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

Result = TypeVar("Result")

Backend = Literal["auto", "mlx"]
Errors = Literal["raise", "null"]

CPU_BATCH_SIZE = 16
"""MLX convolves a batch as one matrix product; on a CPU more rows than this no longer fit its caches."""

GPU_BATCH_SIZE = 256

QUALITY_COLUMN = "quality"
ERROR_COLUMN = "quality_error"


@dataclasses.dataclass(frozen=True)
class Scores:
    """Scores of rows, and what was wrong with the rows that have none.

    Attributes:
        quality: float32 [N] in [0, 1]; NaN for a bad row.
        problems: What is wrong with each bad row, by row index: "REASON: DETAIL".
    """

    quality: NDArray[np.float32]
    problems: dict[int, str]


class Scorer:
    """Scores rows of pen strokes from 0 (corrupted, illegible) to 1 (legible, human-looking).

    A scorer may be used from several threads; they take turns.
    """

    def __init__(
        self,
        model: QualityClassifier | str | os.PathLike[str] | None = None,
        *,
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        """Make a scorer.

        Args:
            model: A model, or what `QualityClassifier.from_pretrained` takes; None for the model of this package.
            backend: Engine that runs the network: "mlx", or "auto" for the best there is.
            threads: Number of rendering threads; None for one for each processor.
            batch_size: Rows that go through the network at a time; None for what suits the device. Memory grows by
                some 2.5 MB a row.

        Raises:
            PenpalError: The model cannot be loaded or a setting is out of range.
        """
        if backend not in get_args(Backend):
            raise PenpalError(f"backend must be one of {get_args(Backend)}, got {backend!r}")
        if batch_size is not None and not 1 <= batch_size <= 4096:
            raise PenpalError(f"batch_size must be from 1 to 4096 or None, got {batch_size}")
        self._threads = checked_threads(threads)
        self._model = model if isinstance(model, QualityClassifier) else QualityClassifier.from_pretrained(model)
        self._batch_size = batch_size or (GPU_BATCH_SIZE if mx.default_device() == mx.gpu else CPU_BATCH_SIZE)
        self._lock = threading.Lock()

    def score(self, rows: Any, *, errors: Errors = "raise") -> NDArray[np.float32]:
        """Score rows.

        Args:
            rows: Sequence of rows, or an Arrow array, chunked array, record batch or table with a column "strokes".
            errors: What to do with a bad row: "raise", or "null" for a score of NaN.

        Returns:
            float32 [N] in [0, 1].

        Raises:
            PenpalError: A row is bad and `errors` is "raise"; the error names the first one.
        """
        if errors not in get_args(Errors):
            raise PenpalError(f"errors must be one of {get_args(Errors)}, got {errors!r}")
        quality, problems = self._run(Rows(rows))
        if problems and errors == "raise":
            raise row_error(*problems[0])
        return quality

    def score_column(self, rows: Any) -> Scores:
        """Score rows as `score` does with `errors="null"`, and say what is wrong with the bad ones."""
        quality, problems = self._run(Rows(rows))
        return Scores(quality, {row: text for row, _, _, text in problems})

    def _run(self, rows: Rows) -> tuple[NDArray[np.float32], list[tuple[int, int | None, str, str]]]:
        with self._lock:
            return _on_mlx_thread(lambda: self._pipeline(rows))

    def _pipeline(self, rows: Rows) -> tuple[NDArray[np.float32], list[tuple[int, int | None, str, str]]]:
        """Render into one of two buffers while MLX evaluates the other."""
        size = min(self._batch_size, max(len(rows), 1))
        buffers = [writable_canvases(size) for _ in range(2 if len(rows) > size else 1)]
        pending: list[mx.array] = []
        problems: list[tuple[int, int | None, str, str]] = []
        for number, start in enumerate(range(0, len(rows), size)):
            count = min(size, len(rows) - start)
            array, view = buffers[number % len(buffers)]
            if number >= len(buffers):
                mx.eval(pending[number - len(buffers)])  # Its pictures are about to be overwritten.
            problems += rows.render_into(view[:count], start, self._model.config.line_width, self._threads)
            pending.append(mx.sigmoid(self._model(array[:count])))
            mx.async_eval(pending[-1])
        quality = np.concatenate([np.array(part) for part in pending]) if pending else np.empty(0, np.float32)
        quality[[row for row, *_ in problems]] = np.nan
        return quality, problems


def _on_mlx_thread(work: Callable[[], Result]) -> Result:
    """Run MLX work in the main thread as it is, and from any other thread in a short-lived one.

    MLX gives every thread streams of its own, and aborts the process if such a thread ends with its streams in place;
    cleared, they are of no more use to that thread. So each piece of work gets a thread that clears up behind itself.
    """
    if threading.current_thread() is threading.main_thread():
        return work()
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failure.append(error)
        finally:
            mx.synchronize()
            mx.clear_streams()

    thread = threading.Thread(target=run, name="penpal-mlx")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def score(rows: Any, *, errors: Errors = "raise") -> NDArray[np.float32]:
    """Score rows with the model of this package; see `Scorer.score`. The model is loaded once."""
    return _default_scorer().score(rows, errors=errors)


_default_lock = threading.Lock()
_default: list[Scorer] = []


def _default_scorer() -> Scorer:
    with _default_lock:
        if not _default:
            _default.append(Scorer())
        return _default[0]


class ArrowScorer:
    """Adds the columns `quality` (float32) and `quality_error` (string) to record batches and tables.

    A bad row has a null quality and its reason in `quality_error`; a good one has a null `quality_error`. The scorer is
    made at first use and again in each process that an ArrowScorer is sent to.
    """

    def __init__(self, *, column: str = "strokes", **settings: Any) -> None:
        """Take the name of the strokes column, and the settings of `Scorer`."""
        self._column = column
        self._settings = settings
        self._scorer: Scorer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the loaded model behind when pickled."""
        return {**self.__dict__, "_scorer": None}

    def __call__(self, data: pa.RecordBatch | pa.Table) -> Any:
        """Return the same rows with the two columns added, or replaced where they are there already.

        Raises:
            PenpalError: There is no such column, or it does not hold strokes.
        """
        if not isinstance(data, (pa.RecordBatch, pa.Table)):
            raise PenpalError(f"expected a pyarrow RecordBatch or Table, got {type(data).__name__}")
        names = data.schema.names
        if names.count(self._column) != 1:
            found = "more than one column" if self._column in names else "no column"
            raise PenpalError(f"{found} {self._column!r}; the columns are {', '.join(names)}")
        if self._scorer is None:
            self._scorer = Scorer(**self._settings)
        scores = self._scorer.score_column(data.column(self._column))
        return with_scores(data, scores)


def with_scores(data: pa.RecordBatch | pa.Table, scores: Scores) -> Any:
    """Put scores into the columns `quality` and `quality_error`."""
    texts = [scores.problems.get(row) for row in range(len(scores.quality))]
    added = {
        QUALITY_COLUMN: pa.array(scores.quality, pa.float32(), mask=np.isnan(scores.quality)),
        ERROR_COLUMN: pa.array(texts, pa.string()),
    }
    for name, values in added.items():
        position = data.schema.get_field_index(name)
        there = position >= 0
        data = data.set_column(position, name, values) if there else data.append_column(name, values)
    return data
