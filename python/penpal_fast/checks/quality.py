"""Rows of strokes to scores, on the engine that suits the machine."""

from __future__ import annotations

import dataclasses
import os
import threading
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from penpal_fast._core import ACCEPTED_TYPES, Rows
from penpal_fast.engines.gpu import gpu_answers
from penpal_fast.engines.native import NativeEngine
from penpal_fast.errors import PenpalError, row_error
from penpal_fast.network.pretrained import BUNDLED, find_model_files
from penpal_fast.network.weights import fingerprint, load
from penpal_fast.rendering import checked_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penpal_fast.engines.engine import Engine
    from penpal_fast.network.config import ModelConfig, Tensors
    from penpal_fast.network.model import QualityClassifier

    ModelSource = QualityClassifier | str | os.PathLike[str] | None

Backend = Literal["auto", "mlx", "native"]
Errors = Literal["raise", "null"]

SCORE_COLUMNS = {"quality": pa.float32(), "quality_error": pa.string()}
"""Columns that scoring adds, with their types."""


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

    A scorer may be used from several threads.
    """

    def __init__(
        self,
        model: ModelSource = None,
        *,
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        """Make a scorer.

        Args:
            model: A model, or what `QualityClassifier.from_pretrained` takes; None for the model of this package.
            backend: Engine that runs the network: "mlx"; "native", in Rust on the processor; or "auto": MLX where a GPU
                answers, else native. They agree within 1e-3 on logits.
            threads: Number of threads; None for one for each processor.
            batch_size: Rows that go through MLX at a time; None for what suits the device. Memory grows by some 2.5 MB
                a row. The native engine has no batches.

        Raises:
            PenpalError: The model cannot be loaded or a setting is out of range.
        """
        if backend not in get_args(Backend):
            raise PenpalError(f"backend must be one of {get_args(Backend)}, got {backend!r}")
        if batch_size is not None and not (isinstance(batch_size, int) and 1 <= batch_size <= 4096):
            raise PenpalError(f"batch_size must be from 1 to 4096 or None, got {batch_size!r}")
        if getattr(model, "training", False):
            raise PenpalError("the model is in training mode, where scoring would change it: call model.eval() first")
        count = checked_threads(threads)
        self._config, tensors = _config_and_tensors(model)
        self._fingerprint = fingerprint(self._config, tensors)
        self._batch_size = batch_size
        self._engine: Engine
        if backend == "mlx" or (backend == "auto" and gpu_answers()):
            self._backend = "mlx"
            self._engine = _mlx_engine(_module(model), count, batch_size)
        else:
            self._backend = "native"
            self._engine = NativeEngine(self._config, tensors, threads=count)

    @property
    def line_width(self) -> float:
        """Width in pixels of the lines that the network sees."""
        return self._config.line_width

    @property
    def identity(self) -> dict[str, Any]:
        """What the scores depend on: the model's fingerprint, the engine and its batch size."""
        batch_size = self._batch_size if self._backend == "mlx" else None
        return {"model": self._fingerprint, "backend": self._backend, "batch_size": batch_size}

    def score(self, rows: Any, *, errors: Errors = "raise", column: str = "strokes") -> NDArray[np.float32]:
        """Score rows.

        Args:
            rows: Sequence of rows, or an Arrow array, chunked array, record batch or table.
            column: Name of the strokes column of a record batch or table.
            errors: What to do with a bad row: "raise", or "null" for a score of NaN.

        Returns:
            float32 [N] in [0, 1].

        Raises:
            PenpalError: A row is bad and `errors` is "raise"; the error names the first one.
        """
        if errors not in get_args(Errors):
            raise PenpalError(f"errors must be one of {get_args(Errors)}, got {errors!r}")
        quality, problems = self._engine.score(Rows(rows, column))
        if problems and errors == "raise":
            raise row_error(*problems[0])
        return quality

    def score_column(self, rows: Any) -> Scores:
        """Score rows as `score` does with `errors="null"`, and say what is wrong with the bad ones."""
        quality, problems = self._engine.score(Rows(_null_rows_as_strokes(rows)))
        return Scores(quality, {row: text for row, _, _, text in problems})


def _module(model: ModelSource) -> QualityClassifier:
    from penpal_fast.network.model import QualityClassifier

    return model if isinstance(model, QualityClassifier) else QualityClassifier.from_pretrained(model)


def _mlx_engine(model: QualityClassifier, threads: int, batch_size: int | None) -> Engine:
    from penpal_fast.engines.mlx import MlxEngine

    return MlxEngine(model, threads=threads, batch_size=batch_size)


def _config_and_tensors(model: ModelSource) -> tuple[ModelConfig, Tensors]:
    if model is None or isinstance(model, (str, os.PathLike)):
        return load(find_model_files(BUNDLED if model is None else model))
    return model.config, model.tensors()


def score(rows: Any, *, errors: Errors = "raise", column: str = "strokes") -> NDArray[np.float32]:
    """Score rows with the model of this package; see `Scorer.score`. The model is loaded once."""
    return default_scorer().score(rows, errors=errors, column=column)


_default_lock = threading.Lock()
_default: list[Scorer] = []


def default_scorer() -> Scorer:
    """Return the scorer with the model of this package, loaded at first use."""
    with _default_lock:
        if not _default:
            _default.append(Scorer())
        return _default[0]


class ArrowScorer:
    """Adds the columns `quality` (float32) and `quality_error` (string) to record batches and tables.

    A bad row has a null quality and its reason in `quality_error`; a good one has a null `quality_error`. The scorer is
    made at first use and again in each process that an ArrowScorer is sent to.
    """

    def __init__(
        self,
        model: ModelSource = None,
        *,
        column: str = "strokes",
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        """Take the name of the strokes column, and what `Scorer` takes."""
        self._column = column
        self._model = model
        self._settings: dict[str, Any] = {"backend": backend, "threads": threads, "batch_size": batch_size}
        self._scorer: Scorer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the loaded model behind when pickled."""
        return {**self.__dict__, "_scorer": None}

    def __call__(self, data: pa.RecordBatch | pa.Table) -> Any:
        """Return the same rows with the two columns added, or replaced where they are there already.

        Data frames of other libraries that speak Arrow, such as Polars, come back as a PyArrow table.

        Raises:
            PenpalError: There is no such column, or it does not hold strokes.
        """
        if not isinstance(data, (pa.RecordBatch, pa.Table)) and hasattr(data, "__arrow_c_stream__"):
            data = pa.table(data)
        if not isinstance(data, (pa.RecordBatch, pa.Table)):
            raise PenpalError(f"expected a pyarrow RecordBatch or Table, got {type(data).__name__}")
        check_strokes_column(data.schema, self._column)
        if self._scorer is None:
            self._scorer = Scorer(self._model, **self._settings)
        scores = self._scorer.score_column(data.column(self._column))
        return with_scores(data, scores)


TYPE_TEXT_LENGTH = 100


def check_strokes_column(schema: pa.Schema, column: str) -> None:
    """Make sure that a schema has one column of this name, with strokes, which the scores will not replace.

    Raises:
        PenpalError: It has not; the error lists the columns and the types that strokes may have.
    """
    if column in SCORE_COLUMNS:
        raise PenpalError(f"the strokes cannot be in the column {column!r}, which is for the scores; rename it")
    count = schema.names.count(column)
    if count != 1:
        found = "more than one column" if count else "no column"
        raise PenpalError(
            f"{found} {column!r}; name the one with the strokes with --column or column=\n{_columns(schema)}"
        )
    kind = schema.field(column).type
    try:
        Rows(_null_rows_as_strokes(pa.array([], kind)))
    except (PenpalError, pa.ArrowException) as error:
        raise PenpalError(f"the column {column!r} does not hold strokes\n{_columns(schema)}") from error


def _null_rows_as_strokes(rows: Any) -> Any:
    """Give a column of nothing but nulls, which has no type of its own, the type of strokes."""
    if isinstance(rows, (pa.Array, pa.ChunkedArray)) and pa.types.is_null(rows.type):
        return rows.cast(pa.list_(pa.list_(pa.list_(pa.float32()))))
    return rows


def _columns(schema: pa.Schema) -> str:
    lines = [f"  {field.name}: {_shortened(str(field.type))}" for field in schema]
    return "\n".join(["the columns are" if lines else "there are no columns", *lines, f"strokes are {ACCEPTED_TYPES}"])


def _shortened(text: str) -> str:
    return text if len(text) <= TYPE_TEXT_LENGTH else f"{text[: TYPE_TEXT_LENGTH - 3]}..."


def scored_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema with the score columns at its end, in place of any columns of their names."""
    kept = [field for field in schema if field.name not in SCORE_COLUMNS]
    added = [pa.field(name, kind) for name, kind in SCORE_COLUMNS.items()]
    return pa.schema([*kept, *added], metadata=schema.metadata)


def with_scores(data: pa.RecordBatch | pa.Table, scores: Scores) -> Any:
    """Put scores into the columns `quality` and `quality_error`."""
    kept = [data.column(index) for index, name in enumerate(data.schema.names) if name not in SCORE_COLUMNS]
    return type(data).from_arrays([*kept, *score_arrays(scores)], schema=scored_schema(data.schema))


def score_arrays(scores: Scores) -> list[pa.Array]:
    """Return the arrays of the columns `quality` and `quality_error`."""
    texts = [scores.problems.get(row) for row in range(len(scores.quality))]
    quality = pa.array(scores.quality, pa.float32(), mask=np.isnan(scores.quality))
    return [quality, pa.array(texts, pa.string())]
