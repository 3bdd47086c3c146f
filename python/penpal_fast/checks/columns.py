"""The columns of checks: which they add, and how outcomes are put into them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from penpal_fast.checks.check import Check, Outcome, Table
from penpal_fast.errors import PenpalError
from penpal_fast.schema import extended_schema

CHECKS_KEY = b"penpal_fast.checks"
"""Key of the schema's metadata that names the checks whose columns are in a table; see `ScoreColumn`."""


@dataclasses.dataclass(frozen=True)
class ScoreColumn:
    """What a table says of a column of scores, so that reports need not know the check.

    Attributes:
        name: Name of the column and of the check.
        description: What the scores mean.
        thresholds: Named thresholds, the lowest first.
    """

    name: str
    description: str
    thresholds: dict[str, float]


NO_REASON = "no score"
"""What is wrong with a row whose score and error are both null."""


def error_column(name: str) -> str:
    """Name of the column that says why a row has no score of a check."""
    return f"{name}_error"


def check_columns(check: Check) -> dict[str, pa.DataType]:
    """Columns that a check adds, with their types."""
    return {check.name: pa.float32(), error_column(check.name): pa.string(), **check.details}


def added_columns(checks: Sequence[Check]) -> dict[str, pa.DataType]:
    """Columns that checks add, with their types."""
    return {name: kind for check in checks for name, kind in check_columns(check).items()}


def prepare(checks: Sequence[Check], schema: pa.Schema) -> None:
    """Make sure that checks can look at rows of a schema, and that none replaces a column that is looked at.

    Raises:
        PenpalError: A column is missing, of the wrong type, or would be replaced.
    """
    names = [name for check in checks for name in check_columns(check)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PenpalError(f"two checks add the same columns: {', '.join(twice)}")
    for check in checks:
        if replaced := sorted(set(check.reads) & set(names)):
            raise PenpalError(
                f"the check {check.name!r} cannot read the column {replaced[0]!r}, which the checks write; rename it"
            )
        check.prepare(schema)


def score_column(check: Check) -> ScoreColumn:
    """Describe the scores of a check."""
    return ScoreColumn(check.name, check.description, dict(check.thresholds))


def checked_schema(schema: pa.Schema, checks: Sequence[Check]) -> pa.Schema:
    """Put the columns of checks at the end of a schema, in place of any of their names, and describe their scores."""
    extended = extended_schema(schema, added_columns(checks))
    described = {column.name: column for column in [*noted_scores(schema), *map(score_column, checks)]}
    noted = json.dumps([dataclasses.asdict(column) for column in described.values()]).encode()
    return extended.with_metadata({**(extended.metadata or {}), CHECKS_KEY: noted})


def noted_scores(schema: pa.Schema) -> list[ScoreColumn]:
    """Return the columns of scores that a schema describes and has."""
    try:
        noted = json.loads((schema.metadata or {})[CHECKS_KEY])
        columns = [
            ScoreColumn(
                str(column["name"]),
                str(column["description"]),
                {str(name): float(value) for name, value in column["thresholds"].items()},
            )
            for column in noted
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []
    return [column for column in columns if is_score(schema, column.name)]


def with_outcomes(rows: Table, checks: Sequence[Check], outcomes: Sequence[Outcome]) -> Any:
    """Put outcomes into the columns of their checks; see `checked_schema`."""
    schema = checked_schema(rows.schema, checks)
    kept = [rows.column(index) for index, name in enumerate(rows.schema.names) if name not in added_columns(checks)]
    added = [array for pair in zip(checks, outcomes, strict=True) for array in _arrays(*pair)]
    return type(rows).from_arrays([*kept, *added], schema=schema)


def _arrays(check: Check, outcome: Outcome) -> list[pa.Array]:
    scores = pa.array(outcome.scores, pa.float32(), mask=np.isnan(outcome.scores))
    errors = pa.array([outcome.problems.get(row) for row in range(len(scores))], pa.string())
    return [scores, errors, *(outcome.details[name].cast(kind) for name, kind in check.details.items())]


def is_score(schema: pa.Schema, name: str) -> bool:
    """Whether a schema has one column of this name, of a floating type."""
    return schema.names.count(name) == 1 and bool(pa.types.is_floating(schema.field(name).type))


def read_outcome(rows: pa.RecordBatch, name: str, where: str, first: int) -> Outcome:
    """Read a check's scores and problems from its columns; see `with_outcomes`.

    Args:
        rows: Rows with the column `name`, and perhaps that of its errors.
        name: Name of the check.
        where: Name of the file, for errors.
        first: Number of the first row in the file, for errors.

    Raises:
        PenpalError: A score is not from 0 to 1.
    """
    scores = read_scores(rows.column(name), name, where, first)
    bad = np.flatnonzero(np.isnan(scores))
    errors = _texts(rows, error_column(name))
    texts = pa.nulls(len(bad)) if errors is None else errors.take(pa.array(bad))
    problems = {int(row): text or NO_REASON for row, text in zip(bad, texts.to_pylist(), strict=True)}
    return Outcome(scores, problems)


def read_scores(column: pa.Array, name: str, where: str, first: int) -> NDArray[np.float32]:
    """Return a column of scores as float32 [N], NaN for null; see `read_outcome`.

    Raises:
        PenpalError: A score is not from 0 to 1.
    """
    scores: NDArray[np.float32] = pc.cast(column, pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    if len(wrong := np.flatnonzero((scores < 0) | (scores > 1))):
        raise PenpalError(f"{where}, row {first + wrong[0]}: {name} is {scores[wrong[0]]:g}; scores are from 0 to 1")
    return scores


def _texts(rows: pa.RecordBatch, name: str) -> pa.Array | None:
    """The column of this name, if there is one and it holds texts."""
    if rows.schema.names.count(name) != 1:
        return None
    column = rows.column(name)
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return column if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else None
