"""The columns of checks: what an untrusted table says of them, and checks that break their protocol."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from helpers.arrow import views
from penpal_fast import ArrowScorer, Outcome, PenpalError
from penpal_fast.checks.check import outcomes_of
from penpal_fast.checks.columns import CHECKS_KEY, checked_schema, noted_scores, prepare, read_outcome
from penpal_fast.checks.defaults import known_scores
from penpal_fast.schema import few_texts, is_text, scores_array, texts_of


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


def test_a_schema_says_what_a_check_read():
    check = Given([])
    check.reads = ("text",)
    (column,) = noted_scores(checked_schema(ROWS.schema, [check]))
    assert column.reads == ("text",)
    (old,) = noted_scores(schema_with([NOTED], "given"))
    assert old.reads == old.details == ()


class Sized(Given):
    """The same with a detail."""

    details = {"size": pa.int8()}  # noqa: RUF012


class Size(Given):
    """A check whose scores are that detail, and whose detail is its score."""

    name = "size"
    details = {"given": pa.float32()}  # noqa: RUF012


def test_a_schema_says_which_columns_a_check_wrote():
    schema = checked_schema(ROWS.schema, [Sized([])])
    assert noted_scores(schema)[0].details == ("size",)
    again = checked_schema(schema, [Given([])])
    assert noted_scores(again)[0].details == ("size",)
    prepare([Sized([])], again)
    without = again.remove(again.names.index("size"))
    assert noted_scores(checked_schema(without, [Given([])]))[0].details == ()


def test_a_detail_of_another_check_may_be_replaced_by_scores(caplog):
    """`read` replaces the readability that `score --text --reading` wrote."""
    schema = checked_schema(ROWS.schema, [Sized([])])
    prepare([Size([])], schema)
    assert caplog.text == ""
    prepare([Size([])], ROWS.schema.append(pa.field("size", pa.int8())))
    assert "the column 'size' was not written by a check" in caplog.text
    assert "rename it to keep it" in caplog.text
    assert "--quality-column" not in caplog.text


def test_details_replace_only_columns_that_are_noted():
    schema = checked_schema(ROWS.schema.append(pa.field("size", pa.int8())), [Given([])])
    with pytest.raises(PenpalError, match="the check 'given' would replace the column 'size', which no check wrote"):
        prepare([Sized([])], schema)
    with pytest.raises(PenpalError, match="the check 'given' would replace the column 'size', which no check wrote"):
        prepare([Sized([])], schema_with([NOTED], "given", "size"))
    prepare([Sized([])], schema_with([{**NOTED, "details": ["size"]}], "given", "size"))


def test_a_check_may_replace_scores_of_another_by_details():
    schema = checked_schema(ROWS.schema, [Sized([])])
    prepare([Size([])], schema)
    other = checked_schema(schema, [Size([])])
    assert sorted(other.names) == ["given", "given_error", "size", "size_error", "text"]
    assert [(column.name, column.details) for column in noted_scores(other)] == [("size", ("given",))]
    prepare([Sized([])], other)
    back = checked_schema(other, [Sized([])])
    assert [(column.name, column.details) for column in noted_scores(back)] == [("given", ("size",))]


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
        [{**NOTED, "thresholds": {f"t{step}": 0.5 for step in range(21)}}],
        [{**NOTED, "thresholds": {"t" * 61: 0.5}}],
        [{**NOTED, "reads": "text"}],
        [{**NOTED, "reads": [3]}],
        [{**NOTED, "reads": ["\ud800"]}],
        [{**NOTED, "details": "text"}],
        [{**NOTED, "details": {"text": 1}}],
        [{**NOTED, "details": [["text"]]}],
        [{**NOTED, "details": ["\udfff"]}],
    ],
    ids=lambda noted: str(noted)[:60],
)
def test_other_descriptions_are_ignored(noted):
    schema = schema_with(noted, "given", "quality").append(pa.field("quality_error", pa.string()))
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
    table = ArrowScorer(checks=[Given([0.5, np.nan, 1], {1: ""})])(ROWS)
    assert table["given"].to_pylist() == [0.5, None, 1]
    assert table["given_error"].to_pylist() == [None, "no score", None]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([0.5], r"scores of shape \(1,\) for 3 rows"),
        ([0.5, 2, 1], "the score 2 is not from 0 to 1"),
        (["a", "b", "c"], "scores must be float32: "),
    ],
)
def test_scores_that_break_the_protocol_are_refused(scores, message):
    with pytest.raises(PenpalError, match=f"the check 'given': {message}"):
        ArrowScorer(checks=[Given(scores)])(ROWS)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (None, "look must return an Outcome, not NoneType"),
        ((np.ones(3), {}), "look must return an Outcome, not tuple"),
        (Outcome(np.ones(3), None), "problems and details of an Outcome must be dicts"),
        (Outcome(np.full(3, np.nan), {1: 5}), "a problem must be text, got 5"),
        (Outcome(np.full(3, np.nan), {1: "\ud800"}), "a problem must be text, got "),
        (Outcome(np.ones(3), {}), "the outcome lacks the details 'size'"),
        (Outcome(np.ones(3), {}, {"size": pa.array([1])}), "1 details 'size' for 3 rows"),
        (Outcome(np.ones(3), {}, {"size": pa.array(["a"] * 3)}), "the details 'size' are not of type int8: "),
        (Outcome(np.ones(3), {}, {"size": [1000] * 3}), "the details 'size' are not of type int8: "),
        (Outcome(np.ones(3), {}, {"size": 1}), "the details 'size' are not of type int8: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_outcomes_that_break_the_protocol_are_refused(outcome, message):
    check = Given([])
    check.details, check.outcome = {"size": pa.int8()}, outcome
    with pytest.raises(PenpalError, match=f"the check 'given': {message}"):
        ArrowScorer(checks=[check])(ROWS)


@pytest.mark.parametrize(
    "sizes",
    [[1, 2, 3], np.array([1, 2, 3]), pa.array([1, 2, 3]), pa.chunked_array([[1], [2, 3]])],
    ids=lambda sizes: type(sizes).__name__,
)
@pytest.mark.parametrize("rows", [ROWS, ROWS.to_batches()[0]], ids=["table", "batch"])
def test_details_may_be_what_arrow_converts(rows, sizes):
    check = Given([1, 1, 1])
    check.details = {"size": pa.int8()}
    check.outcome = Outcome(np.ones(3), {}, {"size": sizes})
    scored = ArrowScorer(checks=[check])(rows)
    assert scored.schema.field("size").type == pa.int8()
    assert scored["size"].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": 5}, "the name of a check must be text, got 5 from Given"),
        ({"name": ""}, "the name of a check must be text, got ''"),
        ({"description": None}, "the check 'given': description must be text, got None"),
        ({"description": "\ud800"}, "the check 'given': description must be text"),
        ({"reads": "text"}, "the check 'given': reads must be a tuple of column names, got 'text'"),
        ({"details": {"size": "float"}}, "the check 'given': details must be Arrow types by column name"),
        ({"thresholds": {"half": 1.5}}, "the check 'given': thresholds must be numbers from 0 to 1 by name"),
        ({"thresholds": {"half": float("nan")}}, "the check 'given': thresholds must be numbers from 0 to 1"),
        ({"thresholds": {"half": "0.5"}}, "the check 'given': thresholds must be numbers from 0 to 1"),
        ({"thresholds": {"t" * 61: 0.5}}, "the check 'given': there may be 20 thresholds, with names of up to 60"),
        ({"thresholds": None}, "the check 'given': thresholds must be numbers from 0 to 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_checks_with_wrong_settings_are_refused(settings, message):
    check = Given([1, 1, 1])
    vars(check).update(settings)
    with pytest.raises(PenpalError, match=message):
        ArrowScorer(checks=[check])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checks": []}, "checks is empty"),
        ({"checks": Given([])}, "checks must be a list of checks, got .*Given"),
        ({"checks": "quality"}, "checks must be a list of checks, got 'quality'"),
        ({"checks": [Given]}, r"checks has the class Given; give an instance, Given\(\.\.\.\)"),
        ({"checks": ["quality"]}, "checks has 'quality', which is not a check"),
        ({"checks": [Given([])], "model": "x"}, "give either checks or model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_of_checks_is_refused(arguments, message):
    with pytest.raises(PenpalError, match=message):
        ArrowScorer(**arguments)


def test_checks_are_prepared_once_for_rows_of_the_same_schema():
    prepared = []
    check = Given([1, 1, 1])
    check.prepare = prepared.append
    scorer = ArrowScorer(checks=[check])
    described = ROWS.replace_schema_metadata({"origin": "tests"})
    schemas = [scorer(rows).schema for rows in (ROWS, ROWS, described, described, ROWS)]
    assert len(prepared) == 3
    assert [b"origin" in schema.metadata for schema in schemas] == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (pa.float16(), "float16"),
        (pa.float64(), "float64"),
        (pa.int8(), "int8"),
        (pa.bool_(), "bool"),
        (pa.date32(), "date32"),
        (pa.timestamp("us", "UTC"), "timestamp[us, tz=UTC]"),
        (pa.large_string(), "large_string"),
        (pa.list_(pa.int64()), None),
        (pa.struct([("a", pa.int64())]), None),
        (pa.dictionary(pa.int32(), pa.string()), None),
    ],
    ids=str,
)
def test_hugging_face_features_describe_all_details_or_are_left_out(kind, dtype):
    check = Given([])
    check.details = {"more": kind}
    features = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}}}}
    metadata = checked_schema(
        ROWS.schema.with_metadata({"huggingface": json.dumps(features), "origin": "tests"}), [check]
    ).metadata
    assert metadata[b"origin"] == b"tests"
    if dtype is None:
        assert b"huggingface" not in metadata
    else:
        found = json.loads(metadata[b"huggingface"])["info"]["features"]
        assert found["more"] == {"dtype": dtype, "_type": "Value"}
        assert found["given"] == {"dtype": "float32", "_type": "Value"}


@pytest.mark.parametrize(
    "column", [pa.array(["x", None, "x"]), pa.array(["x", None, "x"], pa.large_string()), pa.array([7, None, 7])]
)
def test_texts_of_dictionaries_and_integers(column):
    expected = [None if value is None else str(value) for value in column.to_pylist()]
    assert texts_of(column) == texts_of(column.dictionary_encode()) == expected
    assert texts_of(column.dictionary_encode().slice(1)) == expected[1:]


def test_texts_of_views():
    texts = ["x", None, "longer than twelve letters", "x"]
    column = pa.array(texts, views())
    for found in (column, column.dictionary_encode()):
        assert is_text(found.type)
        assert texts_of(found) == texts
        assert texts_of(found.slice(2)) == texts[2:]
    assert read_outcome(
        pa.record_batch({"given": pa.array([None, 0.5, None, 1.0]), "given_error": column}), "given", "file", 0
    ).problems == {0: "x", 2: "longer than twelve letters"}


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


@pytest.mark.parametrize(
    "texts", [{}, {0: "a"}, {8: "tail"}, {3: "", 1: "né", 2: "x" * 100}, dict.fromkeys(range(9), "y")]
)
def test_few_texts(texts):
    found = few_texts(texts, 9)
    found.validate(full=True)
    assert found.equals(pa.array([texts.get(row) for row in range(9)], pa.string()))
    assert len(few_texts({}, 0)) == 0


@pytest.mark.parametrize("scores", [[], [0.5], [np.nan, 0.25], [np.nan] * 9, [0.0, 1.0] * 9])
def test_scores_are_null_where_they_are_nan(scores):
    found = scores_array(np.array(scores, np.float32))
    found.validate(full=True)
    assert found.to_pylist() == [None if np.isnan(score) else score for score in scores]
