"""The columns of checks: what an untrusted table says of them, and checks that break their protocol."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from penpal_fast import ArrowScorer, Outcome, PenpalError
from penpal_fast.checks.check import outcomes_of
from penpal_fast.checks.columns import CHECKS_KEY, checked_schema, noted_scores, read_outcome
from penpal_fast.checks.defaults import known_scores
from penpal_fast.schema import texts_of


class Given:
    """A check that finds what it is given."""

    name = "given"
    description = "What was given."
    reads = ()
    details = {}  # noqa: RUF012
    thresholds = {"half": 0.5}  # noqa: RUF012
    identity = {}  # noqa: RUF012

    def __init__(self, scores, problems=None):
        self.outcome = Outcome(np.asarray(scores), problems or {})

    def prepare(self, _schema):
        pass

    def look(self, _rows):
        return self.outcome


ROWS = pa.table({"text": ["a", "b", "c"]})
NOTED = {"name": "given", "description": "What was given.", "thresholds": {"half": 0.5}}


def schema_with(noted, *names):
    content = noted if isinstance(noted, bytes) else json.dumps(noted).encode()
    return pa.schema([(name, pa.float64()) for name in names], metadata={CHECKS_KEY: content})


def test_a_schema_describes_its_scores():
    schema = checked_schema(ROWS.schema, [Given([])])
    (column,) = noted_scores(schema)
    assert (column.name, column.description, column.thresholds) == ("given", "What was given.", {"half": 0.5})
    assert noted_scores(checked_schema(schema, [Given([])])) == [column]
    assert noted_scores(schema.remove(schema.names.index("given"))) == []


@pytest.mark.parametrize(
    "noted",
    [
        b"\xff",
        b"[" * 100_000,
        {"given": NOTED},
        [None],
        [{"name": "given"}],
        [{**NOTED, "name": ["given"]}],
        [{**NOTED, "description": 3}],
        [{**NOTED, "description": "\ud800"}],
        [{**NOTED, "thresholds": {"\udfff": 0.5}}],
        [{**NOTED, "thresholds": [0.5]}],
        [{**NOTED, "thresholds": {"half": None}}],
        [{**NOTED, "thresholds": {"half": 1.5}}],
        [{**NOTED, "thresholds": {"half": float("nan")}}],
        [{**NOTED, "thresholds": {"half": 10**400}}],
    ],
    ids=lambda noted: str(noted)[:60],
)
def test_other_descriptions_are_ignored(noted):
    schema = schema_with(noted, "given", "quality")
    assert noted_scores(schema) == []
    assert [column.name for column in known_scores(schema)] == ["quality"]
    assert [column.name for column in noted_scores(checked_schema(schema, [Given([])]))] == ["given"]


def test_a_column_that_is_described_twice_counts_once():
    assert len(noted_scores(schema_with([NOTED] * 1000, "given"))) == 1


def test_hugging_face_features_that_are_nested_too_deep_are_kept():
    schema = ROWS.schema.with_metadata({"huggingface": b"[" * 100_000})
    assert checked_schema(schema, [Given([])]).metadata[b"huggingface"] == b"[" * 100_000


def test_a_row_that_could_not_be_read_is_bad_for_every_check():
    (outcome,) = outcomes_of([Given([0.5, np.nan, 1], {1: "dull: no ink"})], ROWS, {0: "not JSON: line 1"})
    assert np.array_equal(outcome.scores, np.array([np.nan, np.nan, 1], np.float32), equal_nan=True)
    assert outcome.problems == {0: "not JSON: line 1", 1: "dull: no ink"}


def test_a_row_without_score_and_reason_gets_a_reason():
    table = ArrowScorer(checks=[Given([0.5, np.nan, 1])])(ROWS)
    assert table["given"].to_pylist() == [0.5, None, 1]
    assert table["given_error"].to_pylist() == [None, "no score", None]


@pytest.mark.parametrize(
    ("scores", "message"),
    [([0.5], r"scores of shape \(1,\) for 3 rows"), ([0.5, 2, 1], "the score 2; scores are from 0 to 1")],
)
def test_checks_that_break_their_protocol_are_named(scores, message):
    with pytest.raises(PenpalError, match=f"the check 'given' gave {message}"):
        ArrowScorer(checks=[Given(scores)])(ROWS)


@pytest.mark.parametrize(
    "column", [pa.array(["x", None, "x"]), pa.array(["x", None, "x"], pa.large_string()), pa.array([7, None, 7])]
)
def test_texts_of_dictionaries_and_integers(column):
    expected = [None if value is None else str(value) for value in column.to_pylist()]
    assert texts_of(column) == texts_of(column.dictionary_encode()) == expected
    assert texts_of(column.dictionary_encode().slice(1)) == expected[1:]


def test_a_text_of_a_dictionary_is_made_once():
    first, _, last = texts_of(pa.array(["x" * 1000] * 3).dictionary_encode())
    assert first is last


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()], ids=str)
@pytest.mark.parametrize(
    "texts", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.int64(), None], ids=str
)
def test_outcomes_are_read_from_columns_of_any_width(kind, texts):
    scores = pa.array(np.array([0.25, 0.5, 1], kind.to_pandas_dtype()), mask=np.array([True, False, True]))
    rows = {"given": scores}
    if texts is not None:
        values = [1, None, None] if pa.types.is_integer(texts) else ["null: a", None, None]
        rows["given_error"] = pa.array(values, texts)
    outcome = read_outcome(pa.record_batch(rows), "given", "file", 0)
    assert outcome.scores.dtype == np.float32
    assert np.array_equal(outcome.scores, np.array([np.nan, 0.5, np.nan], np.float32), equal_nan=True)
    known = texts is not None and not pa.types.is_integer(texts)
    assert outcome.problems == {0: "null: a" if known else "no score", 2: "no score"}
