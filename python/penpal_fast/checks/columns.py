"""The columns of checks: which columns a check adds, how a schema describes them, how outcomes go in and come out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast import kernels as pc
from penpal_fast.checks.check import NO_REASON, Check, Outcome, are_few
from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.schema import (
    Table,
    extended_schema,
    few_texts,
    has_texts,
    is_text,
    plain_texts,
    scores_array,
    texts_of,
)

logger = logging.getLogger(__name__)

CHECKS_KEY = b"penpal_fast.checks"
"""Key of the schema's metadata that describes the columns of scores; see `ScoreColumn`."""

QUALITY = "quality"
"""Name of the one check whose column an option names."""

ENGINE_SETTINGS = ("backend", "batch_size")
"""Parts of a check's identity that change its scores by rounding only."""


@dataclasses.dataclass(frozen=True)
class ScoreColumn:
    """How a table describes a column of scores, so that a report does not need the check.

    Attributes:
        name: Name of the column and of the check.
        description: What the scores mean.
        thresholds: Named thresholds, the lowest first.
        reads: Columns that the check looked at; empty where an older version wrote the description.
        details: Further columns that the check wrote, also in an earlier run; empty where an older version wrote the
            description.
        made_by: Hash of what the scores depend on, but for the engine; empty where an older version wrote the
            description, or where the check does not say.
    """

    name: str
    description: str
    thresholds: dict[str, float]
    reads: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    made_by: str = ""

    @property
    def columns(self) -> list[str]:
        """All columns that the check wrote."""
        return [self.name, error_column(self.name), *self.details]


def error_column(name: str) -> str:
    """Name of the column that says why a row has no score."""
    return f"{name}_error"


def akin(check: Check) -> tuple[str, ...]:
    """Names of checks that may have written the columns of this one: its own, and what it calls akin."""
    return (check.name, *getattr(check, "akin", ()))


def check_columns(check: Check) -> dict[str, pa.DataType]:
    """Columns that a check adds, with their types."""
    return {check.name: pa.float32(), error_column(check.name): pa.string(), **check.details}


def added_columns(checks: Sequence[Check]) -> dict[str, pa.DataType]:
    """Columns that checks add, with their types."""
    return {name: kind for check in checks for name, kind in check_columns(check).items()}


def check_added(checks: Sequence[Check]) -> None:
    """Make sure that checks add different columns.

    Raises:
        UsageError: Two add the same.
    """
    names = [name for check in checks for name in (check.name, error_column(check.name), *check.details)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"the checks add the same columns twice: {', '.join(twice)}; rename one of each")


def check_read(checks: Sequence[Check]) -> None:
    """Make sure that no check reads a column that the checks add.

    Raises:
        UsageError: One does.
    """
    added = added_columns(checks)
    for check in checks:
        if read := sorted(set(check.reads) & added.keys()):
            raise UsageError(
                f"the check {check.name!r} cannot read the column {read[0]!r}, which the checks write; rename it"
            )


def prepare(checks: Sequence[Check], schema: pa.Schema, *, replaced: Collection[str] = ()) -> None:
    """Make sure that checks can look at rows of a schema and that their columns can be added to it.

    A check's details may replace only columns that a check wrote, as the schema says or the scores beside them. If its
    scores replace a column of someone else, a warning says so, unless its name is among `replaced`.

    Raises:
        PenpalError: A column is missing, of the wrong type, or would be replaced.
    """
    check_added(checks)
    check_read(checks)
    written = {name for column in noted_scores(schema) for name in column.columns}
    for check in checks:
        # JSON lines and data frames have lost what their schema said.
        if any(name not in written and is_ours(schema, name) for name in akin(check)):
            written |= {check.name, *check.details}
        if taken := [name for name in check.details if name in schema.names and name not in written]:
            raise PenpalError(
                f"the check {check.name!r} would replace the column {taken[0]!r}, which no check wrote; rename it"
            )
        is_known = check.name in written or check.name in replaced or is_ours(schema, check.name)
        if check.name in schema.names and not is_known:
            logger.warning(
                "the column %r was not written by a check, so it is not taken for scores; the scores replace it%s",
                check.name,
                _how_to_keep(check),
            )
        check.prepare(schema)


def _how_to_keep(check: Check) -> str:
    """Say how a column with the name of a check can be kept."""
    if getattr(type(check), "name", None) != QUALITY:
        return "; rename it to keep it"
    return (
        f". --quality-column NAME (quality_column=) gives them another name, and in a filter {check.name!r} there "
        "takes the column as it is"
    )


def score_column(check: Check) -> ScoreColumn:
    """Describe the scores of a check."""
    thresholds = {name: float(value) for name, value in check.thresholds.items()}
    return ScoreColumn(check.name, check.description, thresholds, tuple(check.reads), tuple(check.details))


def made_by(check: Check) -> str:
    """Return a hash that differs for checks whose scores differ by more than rounding; empty if a check has none."""
    identity = getattr(check, "identity", None)
    if not isinstance(identity, dict):
        return ""
    scores = {name: value for name, value in identity.items() if name not in ENGINE_SETTINGS}
    try:
        return hashlib.sha256(json.dumps(scores, sort_keys=True, allow_nan=False).encode()).hexdigest()[:32]
    except (TypeError, ValueError, RecursionError):
        return ""


def noted_origin(schema: pa.Schema, name: str) -> str:
    """Return `made_by` of the check whose scores a schema describes under a name; empty if it does not say."""
    return next((column.made_by for column in noted_scores(schema) if column.name == name), "")


def checked_schema(schema: pa.Schema, checks: Sequence[Check]) -> pa.Schema:
    """Append the columns of checks to a schema, and describe the scores in its metadata.

    Columns of the same names are replaced.
    """
    added = added_columns(checks)
    extended = extended_schema(schema, added)
    noted = json.dumps([dataclasses.asdict(column) for column in _described(schema, checks, added)]).encode()
    return extended.with_metadata({**(extended.metadata or {}), CHECKS_KEY: noted})


def _described(schema: pa.Schema, checks: Sequence[Check], added: Collection[str]) -> list[ScoreColumn]:
    """Describe the scores of a schema with added columns: what is left of earlier checks, and the checks."""
    noted = {column.name: column for column in noted_scores(schema)}
    kept = {
        name: tuple(detail for detail in column.details if detail in schema.names and detail not in added)
        for name, column in noted.items()
    }
    given = {check.name: dataclasses.replace(score_column(check), made_by=made_by(check)) for check in checks}
    return [
        dataclasses.replace(column, details=(*(given[name].details if name in given else ()), *kept.get(name, ())))
        for name, column in {**noted, **given}.items()
        if name in given or name not in added  # A detail that replaces scores is no score.
    ]


def noted_scores(schema: pa.Schema) -> list[ScoreColumn]:
    """Return the columns of scores that a schema describes and has; none if it describes them in another way."""
    try:
        noted = [_noted_column(column) for column in json.loads((schema.metadata or {})[CHECKS_KEY])]
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
        return []
    described = {column.name: column for column in noted}
    return [described[name] for name in schema.names if name in described and is_score(schema, name)]


def _noted_column(noted: Any) -> ScoreColumn:
    """Read the description of one column, which may come from an untrusted file."""
    thresholds = {name: float(value) for name, value in noted["thresholds"].items()}
    reads, details, origin = noted.get("reads", []), noted.get("details", []), noted.get("made_by", "")
    if not (isinstance(reads, list) and isinstance(details, list)):
        raise TypeError("reads or details is not a list of columns")
    column = ScoreColumn(noted["name"], noted["description"], thresholds, tuple(reads), tuple(details), origin)
    # Half a surrogate pair is not text.
    "".join([column.name, column.description, *thresholds, *reads, *details, origin]).encode()
    if not all(0 <= value <= 1 for value in thresholds.values()):
        raise ValueError("a threshold is not from 0 to 1")
    if not are_few(thresholds):
        raise ValueError("too many thresholds, or one with a long name")
    return column


def with_outcomes(rows: Table, checks: Sequence[Check], outcomes: Sequence[Outcome], schema: pa.Schema) -> Any:
    """Put outcomes into the columns of their checks.

    Args:
        rows: A record batch or a table.
        checks: The checks.
        outcomes: What each check found in the rows.
        schema: `checked_schema` of the rows' schema and the checks, made once for all batches.
    """
    added = added_columns(checks)
    kept = [rows.column(index) for index, name in enumerate(rows.schema.names) if name not in added]
    arrays = [array for pair in zip(checks, outcomes, strict=True) for array in _arrays(*pair)]
    return type(rows).from_arrays([*kept, *arrays], schema=schema)


def _arrays(check: Check, outcome: Outcome) -> list[pa.Array]:
    errors = few_texts(outcome.problems, len(outcome.scores))
    return [scores_array(outcome.scores), errors, *(outcome.details[name] for name in check.details)]


def is_ours(schema: pa.Schema, name: str) -> bool:
    """Whether a schema has exactly one column of this name, and a check wrote it.

    The schema describes it; or the column of errors is beside it, as in JSON lines and in files of libraries that drop
    what a schema says.
    """
    if not is_score(schema, name):
        return False
    if any(column.name == name for column in noted_scores(schema)):
        return True
    errors = error_column(name)
    return schema.names.count(errors) == 1 and (
        is_text(schema.field(errors).type) or bool(pa.types.is_null(schema.field(errors).type))
    )


def is_score(schema: pa.Schema, name: str) -> bool:
    """Whether a schema has exactly one column of this name, and it is of a floating type."""
    return schema.names.count(name) == 1 and bool(pa.types.is_floating(schema.field(name).type))


def read_outcome(rows: pa.RecordBatch, name: str, where: str, first: int) -> Outcome:
    """Read a check's scores and problems from its columns.

    Args:
        rows: Rows with the column `name`, and perhaps the column of its errors.
        name: Name of the check.
        where: Name of the file, for errors.
        first: Number of the first row in the file, for errors.

    Raises:
        PenpalError: A score is not from 0 to 1; the error names the row.
    """
    scores = pc.cast(rows.column(name), pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    if len(wrong := np.flatnonzero((scores < 0) | (scores > 1))):
        raise PenpalError(f"{where}, row {first + wrong[0]}: {name} is {scores[wrong[0]]:g}; scores are from 0 to 1")
    bad = np.flatnonzero(np.isnan(scores))
    texts: list[str | None] = [None] * len(bad)
    if has_texts(rows.schema, errors := error_column(name)):
        texts = texts_of(plain_texts(rows.column(errors)).take(pa.array(bad)))
    return Outcome(scores, {row: text or NO_REASON for row, text in zip(bad.tolist(), texts, strict=True)})
