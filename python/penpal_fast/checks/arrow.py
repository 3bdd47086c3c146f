"""Checks of Arrow data: a record batch or table comes in, and the same with the checks' columns goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from penpal_fast.checks.check import Check, outcomes_of
from penpal_fast.checks.columns import checked_schema, prepare, with_outcomes
from penpal_fast.checks.quality import Backend, ModelSource, QualityCheck
from penpal_fast.errors import PenpalError


class ArrowScorer:
    """Adds the columns of checks to record batches and tables: by default `quality` (float32) and `quality_error`.

    A bad row has a null score and its reason in the column of errors; a good row has a null there. The model is loaded
    at first use, and again in each process that an ArrowScorer is sent to.
    """

    def __init__(
        self,
        model: ModelSource = None,
        *,
        column: str = "strokes",
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
        checks: Sequence[Check] | None = None,
    ) -> None:
        """Take the arguments of `Scorer` and the name of the strokes column, or checks instead."""
        quality = QualityCheck(model, column=column, backend=backend, threads=threads, batch_size=batch_size)
        self._checks = [quality] if checks is None else list(checks)

    def __call__(self, data: Any) -> Any:
        """Return the same rows with the columns added; columns of the same names are replaced.

        Data frames of other libraries that support the Arrow interface, such as Polars, come back as a PyArrow table.

        Raises:
            PenpalError: A column that a check reads is missing, or of the wrong type.
        """
        if not isinstance(data, (pa.RecordBatch, pa.Table)) and hasattr(data, "__arrow_c_stream__"):
            data = pa.table(data)
        if not isinstance(data, (pa.RecordBatch, pa.Table)):
            raise PenpalError(f"expected a pyarrow RecordBatch or Table, got {type(data).__name__}")
        prepare(self._checks, data.schema)
        outcomes = outcomes_of(self._checks, data, {})
        return with_outcomes(data, self._checks, outcomes, checked_schema(data.schema, self._checks))
