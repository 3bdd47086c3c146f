"""The thresholds of a filter: which checks have one, and which of them have to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import error_column, is_ours, is_score, made_by, noted_origin
from penpal_fast.checks.defaults import default_threshold, known_scores
from penpal_fast.checks.text_match import TextCheck, check_compared_text
from penpal_fast.checks.thresholds import threshold_of
from penpal_fast.errors import PenpalError, UsageError, errors_about
from penpal_fast.sources.batch import Source

Thresholds = Mapping[str, str | float]
"""Thresholds by the name of the check, each a number or a name."""


def wanted_thresholds(
    first: Check, threshold: str | float | None, text_threshold: str | float | None, thresholds: Thresholds | None
) -> Thresholds:
    """Return the thresholds that a filter's arguments ask for: that of the first check, and that of the texts.

    Raises:
        PenpalError: There are none, or two for the same check, or the first check has no default one.
    """
    if thresholds is not None:
        for argument, value, name in (
            ("threshold", threshold, first.name),
            ("text_threshold", text_threshold, TextCheck.name),
        ):
            if value is not None:
                raise PenpalError(f"give either {argument} or thresholds; thresholds[{name!r}] is the same")
        if not isinstance(thresholds, Mapping):
            raise PenpalError(f"thresholds must be a dict of thresholds by check, got {type(thresholds).__name__}")
        if not thresholds:
            raise PenpalError("thresholds is empty; give the threshold of at least one check")
        return thresholds
    texts = {} if text_threshold is None else {TextCheck.name: text_threshold}
    if first.name in texts:
        if threshold is not None:
            raise UsageError(f"threshold and text_threshold are both for the check {first.name!r}; give one of them")
        return texts
    if threshold is None:
        threshold = default_threshold(first.name, first.thresholds)
    if threshold is None:
        choices = "".join(f" or {name!r} ({value})" for name, value in first.thresholds.items())
        raise PenpalError(f"give a threshold for the check {first.name!r}: threshold= a number from 0 to 1{choices}")
    return {first.name: threshold, **texts}


def check_origin(sources: Sequence[Source], check: Check) -> None:
    """Make sure that scores that inputs have come from a check, or its model and settings.

    Raises:
        PenpalError: They do not, or do not say.
    """
    for source in sources:
        if noted_origin(source.schema, check.name) != made_by(check):
            raise PenpalError(
                f"{source.file.name}: its {check.name} was not made with drop_first_point by this model; score again "
                "with --rescore (rescore=True)"
            )


def check_rescored(rescore: bool | Collection[str], names: Collection[str]) -> None:
    """Make sure that checks to run again are those of a filter.

    Args:
        rescore: Whether all run, or the names of those that do.
        names: Names of the checks that can run and have a threshold.

    Raises:
        PenpalError: It is something else, or names another check.
    """
    if isinstance(rescore, bool):
        return
    if isinstance(rescore, str) or not isinstance(rescore, Collection):
        raise PenpalError(f"rescore must be True, False or a list of names of checks, got {rescore!r}")
    if unknown := [name for name in rescore if name not in names]:
        known = ", ".join(map(repr, names)) or "none"
        raise PenpalError(f"rescore has {unknown[0]!r}; the checks that can run and have a threshold are {known}")


def check_text(sources: Sequence[Source], text: str | None) -> None:
    """Make sure that the text match that inputs have was made with the column `text`; None for any.

    Raises:
        PenpalError: It was made with another column.
    """
    for source in sources:
        with errors_about(source.file.name):
            check_compared_text(known_scores(source.schema), text, "compare again with --rescore (rescore=True)")


def has_scores(
    schema: pa.Schema,
    name: str,
    available: Mapping[str, Check],
    rescored: bool | Collection[str] = False,
    trusted: Collection[str] = (),
) -> bool:
    """Whether a schema has the scores of a check. If not, the check has to run.

    Args:
        schema: The columns of the inputs.
        name: Name of the check.
        available: The checks that can run, by name.
        rescored: Whether checks run although there are scores, or the names of those that do.
        trusted: Names of columns that are taken for scores whoever wrote them; else a check must have written them.

    Raises:
        PenpalError: There are no scores and no check, or the column is not of scores.
    """
    again = name in rescored if isinstance(rescored, Collection) else rescored
    if name in available and (again or name not in schema.names):
        return False
    if name not in schema.names:
        raise PenpalError(f"there is no score column {name!r}, and no check of this name to compute it")
    for column in (name, error_column(name)):
        if schema.names.count(column) > 1:
            raise PenpalError(f"there is more than one column {column!r}; keep one of them")
    if not is_score(schema, name):
        kind = schema.field(name).type
        advice = "score again with --rescore (rescore=True)" if name in available else "name a column of scores"
        raise PenpalError(f"the column {name!r} is of type {kind}, not of scores; {advice}")
    return name in trusted or name not in available or is_ours(schema, name)


def threshold_number(name: str, value: str | float, check: Check | None, sources: Sequence[Source]) -> float:
    """Turn a wanted threshold into a number, by the names that the check has, or else those in the inputs.

    Raises:
        PenpalError: It is neither a number from 0 to 1 nor such a name, or the inputs disagree.
    """
    if check:
        with errors_about(f"the check {name!r}"):
            return threshold_of(value, check.thresholds)
    limits = {}
    for source in sources:
        named = next((score.thresholds for score in known_scores(source.schema) if score.name == name), {})
        with errors_about(f"{source.file.name}: the check {name!r}"):
            limits[source.file.name] = threshold_of(value, named)
    (first, limit), *others = limits.items()
    for file, other in others:
        if other != limit:
            raise PenpalError(
                f"the threshold {value!r} of {name!r} is {limit} in {first} and {other} in {file}; give a number"
            )
    return limit
