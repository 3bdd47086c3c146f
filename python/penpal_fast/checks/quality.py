"""The quality check: the score that the network gives the picture of a row."""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.checks.check import Outcome
from penpal_fast.checks.model_check import ModelCheck
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.checks.usual_effects import usual_effects
from penpal_fast.engines.engine import Engine, Problem
from penpal_fast.engines.native import NativeEngine
from penpal_fast.engines.settings import Backend, Errors, check_errors, takes_mlx
from penpal_fast.errors import PenpalError, errors_about, row_error
from penpal_fast.frames import rows_of
from penpal_fast.network.config import ModelConfig, Tensors
from penpal_fast.network.pretrained import load
from penpal_fast.network.weights import fingerprint
from penpal_fast.rendering import checked_threads
from penpal_fast.schema import Table, check_strokes_column, few_texts, nulls_as_strokes
from penpal_fast.strokes import Strokes

if TYPE_CHECKING:
    from penpal_fast.network.model import QualityClassifier  # Imports MLX.

NOTE = "quality_note"
"""Column that says that a row has points far from the rest, so that its picture hardly shows the writing."""

HIDDEN_QUALITY = 0.03
"""Highest score of a row whose far points hide the writing, about what gibberish has: its picture is a bar or a speck,
which says nothing of the writing."""

ModelSource: TypeAlias = "QualityClassifier | str | os.PathLike[str] | None"


def score_of(log_odds: float) -> float:
    """Return the score, in [0, 1], that has these log-odds."""
    return float(1 / (1 + np.exp(-np.float64(log_odds))))


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
            model: A model, or what `QualityClassifier.from_pretrained` takes; None for the bundled model.
            backend: Engine that runs the network: "mlx"; "native", in Rust on the processor; or "auto": MLX if there is
                a GPU that works, and otherwise native. They agree within 1e-3 on logits.
            threads: Number of threads; None for one for each processor.
            batch_size: Rows that go through MLX at a time; None for what suits the device. A row takes about 2.5 MB of
                memory. The native engine has no batches.

        Raises:
            PenpalError: The model cannot be loaded or a setting is out of range.
        """
        uses_mlx = takes_mlx(backend, batch_size)
        if getattr(model, "training", False):
            raise PenpalError("the model is in training mode, and scoring would change it; call model.eval() first")
        count = self._threads = checked_threads(threads)
        self._config, tensors = _config_and_tensors(model)
        self._fingerprint = fingerprint(self._config.to_json(), tensors)
        self._batch_size = batch_size
        self._engine: Engine
        self._native = functools.cache(lambda: NativeEngine(self._config, tensors, threads=count))
        if uses_mlx:
            self._backend = "mlx"
            self._engine = _mlx_engine(self._config, tensors, count, batch_size)
        else:
            self._backend = "native"
            self._engine = self._native()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied.

        Raises:
            TypeError: Always; it says what to do.
        """
        raise TypeError("a Scorer cannot be pickled or copied; make one in each process, or use ArrowScorer(model)")

    @property
    def line_width(self) -> float:
        """Width in pixels of the lines that the network sees."""
        return self._config.line_width

    @property
    def identity(self) -> dict[str, Any]:
        """What the scores depend on: the model's fingerprint, the engine and the batch size."""
        batch_size = self._batch_size if self._backend == "mlx" else None
        return {"model": self._fingerprint, "backend": self._backend, "batch_size": batch_size}

    def score(self, rows: Any, *, errors: Errors = "raise", column: str = "strokes") -> NDArray[np.float32]:
        """Score rows.

        Args:
            rows: Sequence of rows, or an Arrow array, chunked array, record batch or table; or a data frame of pandas
                or Polars, or a Hugging Face dataset.
            column: Name of the strokes column of a table.
            errors: What to do with a bad row: "raise", or "null" for a score of NaN.

        Returns:
            float32 [N] in [0, 1].

        Raises:
            PenpalError: A row is bad and `errors` is "raise"; the error names the first one.
        """
        check_errors(errors)
        quality, problems, _ = self._scored(Rows(rows_of(rows, column), column))
        if problems and errors == "raise":
            raise row_error(*problems[0])
        return quality

    def outcome(self, rows: Any) -> Outcome:
        """Score rows like `score` with `errors="null"`, and say what is wrong with each bad row."""
        read = Rows(nulls_as_strokes(rows))
        quality, problems, notes = self._scored(read)
        return Outcome(quality, {row: text for row, _, _, text in problems}, {NOTE: few_texts(notes, len(read))})

    def _scored(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem], dict[int, str]]:
        """Score rows, and return what is wrong with bad ones, and the notes of good ones."""
        quality, problems = self._engine.score(rows)
        notes = rows.notes(self._threads)
        hidden = [row for row, _, hides_writing in notes if hides_writing]
        if hidden:
            quality = quality.copy()
            quality[hidden] = np.minimum(quality[hidden], np.float32(HIDDEN_QUALITY))
        return quality, problems, {row: text for row, text, _ in notes}

    def judged(self, strokes: Strokes, log_odds: float) -> tuple[float, str | None]:
        """Return the score of a row with these log-odds, as `score` does, and its note if it has one."""
        score = score_of(log_odds)
        for _, note, hides_writing in Rows([strokes]).notes(1):
            return min(score, HIDDEN_QUALITY) if hides_writing else score, note
        return score, None

    def log_odds_without(self, strokes: Strokes, parts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the log-odds of a row, and of what is left in place without each of its parts, float32 [1 + P].

        Args:
            strokes: The row's strokes, each with points, float64 [N, 2].
            parts: The part of each stroke, from 0 to P - 1, int64 [S].
        """
        whole = self.log_odds([strokes])
        return np.concatenate([whole, self._native().part_logits(Rows([strokes]), 0, parts.tolist())])

    def log_odds(self, rows: list[Strokes]) -> NDArray[np.float32]:
        """Return the log-odds of rows, float32 [N].

        Raises:
            PenpalError: A row is bad.
        """
        found, problems = self._native().logits(Rows(rows))
        if problems:
            raise row_error(*problems[0])
        return found

    def usual_effects(self, level: str, parts: int) -> tuple[float, float]:
        """Return the range of the effects that parts of clean lines usually have, in log-odds."""
        return usual_effects(level, parts)


def _mlx_engine(config: ModelConfig, tensors: Tensors, threads: int, batch_size: int | None) -> Engine:
    from penpal_fast.engines.mlx import MlxEngine
    from penpal_fast.engines.mlx_thread import run_on_mlx_thread
    from penpal_fast.network.model import QualityClassifier

    # A copy, even of a model that was given: its arrays belong to the thread that computes.
    copy = run_on_mlx_thread(lambda: QualityClassifier.from_tensors(config, tensors))
    return MlxEngine(copy, threads=threads, batch_size=batch_size)


def _config_and_tensors(model: ModelSource) -> tuple[ModelConfig, Tensors]:
    if model is None or isinstance(model, (str, os.PathLike)):
        return load(model)
    if not (hasattr(model, "config") and hasattr(model, "tensors")):
        raise PenpalError(f"a model is a folder, an id or a QualityClassifier; got {type(model).__name__}")
    return model.config, model.tensors()


def score(rows: Any, *, errors: Errors = "raise", column: str = "strokes") -> NDArray[np.float32]:
    """Score rows with the bundled model; see `Scorer.score`. The model is loaded once."""
    return default_scorer().score(rows, errors=errors, column=column)


@functools.cache
def default_scorer() -> Scorer:
    """Return the scorer with the bundled model, which is loaded at first use."""
    return Scorer()


class QualityCheck(ModelCheck[Scorer]):
    """The score of `Scorer` as a check. It is made at first use, and again in each process that receives a copy."""

    model_kind = "scorer"
    name = "quality"
    description = (
        "How a line looks: 0 is corrupted, 1 is legible and human-looking. It does not say whether the line matches "
        "its text. With the bundled model, lenient (0.3) keeps 95 % of clean synthetic lines and drops what is broken; "
        "above it, a line must look human too."
    )
    thresholds = THRESHOLDS

    def __init__(
        self,
        model: ModelSource = None,
        *,
        column: str = "strokes",
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
        scorer: Scorer | None = None,
        drop_first_point: bool = False,
        name: str | None = None,
    ) -> None:
        """Take the name of the strokes column, and either a scorer or what `Scorer` takes.

        With `drop_first_point`, rows are scored as `without_first_points` returns them. `name` is that of the column of
        scores, in place of `quality`; those beside it are `NAME_error` and `NAME_note`.
        """
        if name is not None:
            self.name = name
        make = functools.partial(Scorer, model, backend=backend, threads=threads, batch_size=batch_size)
        super().__init__(make, scorer, column=column, drop_first_point=drop_first_point)
        self.reads = (column,)

    @property
    def details(self) -> dict[str, pa.DataType]:
        """The column that says why a good row may be scored too low."""
        return {f"{self.name}_note": pa.string()}

    @property
    def scorer(self) -> Scorer:
        """The scorer, made at first use."""
        return self.model

    @property
    def line_width(self) -> float:
        """Width in pixels of the lines that the network sees."""
        return self.scorer.line_width

    def log_odds_without(self, strokes: Strokes, parts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score the parts of a row; see `Scorer.log_odds_without`."""
        return self.scorer.log_odds_without(strokes, parts)

    def log_odds(self, rows: list[Strokes]) -> NDArray[np.float32]:
        """Score rows; see `Scorer.log_odds`."""
        return self.scorer.log_odds(rows)

    def judged(self, strokes: Strokes, log_odds: float) -> tuple[float, str | None]:
        """Return the score of a row and its note; see `Scorer.judged`."""
        return self.scorer.judged(strokes, log_odds)

    def usual_effects(self, level: str, parts: int) -> tuple[float, float]:
        """Return what is usual for parts of clean lines; see `Scorer.usual_effects`."""
        return self.scorer.usual_effects(level, parts)

    def prepare(self, schema: pa.Schema) -> None:
        """Make sure that a schema has the strokes column."""
        check_strokes_column(schema, *self.reads)

    def look(self, rows: Table) -> Outcome:
        """Score rows."""
        (column,) = self.reads
        with errors_about(f"column {column!r}"):
            found = self.scorer.outcome(self.strokes(rows))
        (note,) = self.details
        return dataclasses.replace(found, details={note: found.details[NOTE]})
