"""The checks of the reader on Arrow data."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from helpers.arrow import column, views
from helpers.made_lines import scrawl
from penpal_fast import ArrowScorer, PenpalError, QualityCheck, ReadabilityCheck, TextCheck
from penpal_fast.checks.columns import noted_scores

ROWS = column([*(scrawl(seed, 5, 20) for seed in range(4)), None])
TEXTS = ["so", "and", None, "so", "so"]
TABLE = pa.table({"strokes": ROWS, "text": TEXTS, "prompt": TEXTS[::-1]})


def values(scores):
    """Scores as a column has them, with None for NaN."""
    return [None if score != score else score for score in scores.tolist()]


def test_texts_are_compared_only_if_they_are_named(reader, reader_folder):
    names = ["strokes", "text", "prompt", "quality", "quality_error", "quality_note"]
    assert ArrowScorer()(TABLE).column_names == names
    found = ArrowScorer(text="prompt", reader=reader_folder)(TABLE)
    assert found.column_names == [*names, "text_match", "text_match_error"]
    assert found["text_match"].to_pylist() == values(reader.match(ROWS, TEXTS[::-1], errors="null"))
    assert found["text_match_error"].to_pylist() == [
        None,
        None,
        "no text: the text is null",
        None,
        "null: the row is null",
    ]


def test_texts_may_be_strings_of_polars(reader, reader_folder):
    expected = reader.match(ROWS.slice(0, 2), TEXTS[:2]).tolist()
    texts = pa.array(TEXTS, views())
    assert reader.match(ROWS.slice(0, 2), texts.slice(0, 2)).tolist() == expected
    for kind in (texts, texts.dictionary_encode()):
        found = ArrowScorer(text="text", reader=reader_folder)(pa.table({"strokes": ROWS, "text": kind}))
        assert found["text_match"].to_pylist()[:3] == [*expected, None]
        assert found.schema.field("text").type == kind.type


def test_readings_with_texts_and_without(reader):
    readings = [*reader.read(ROWS.slice(0, 4)), None]
    found = ArrowScorer(text="text", reading=True, reader=reader)(TABLE)
    assert found.column_names[6:] == ["text_match", "text_match_error", "reading", "readability"]
    assert found["reading"].to_pylist() == readings
    alone = ArrowScorer(reading=True, reader=reader)(TABLE.select(["strokes"]))
    assert alone.column_names[4:] == ["readability", "readability_error", "reading"]
    assert alone["readability"].to_pylist() == values(reader.readability(ROWS, errors="null"))
    assert alone["reading"].to_pylist() == readings


def test_batches_and_copies_give_the_same(reader_folder):
    scorer = ArrowScorer(text="text", reader=reader_folder, threads=1)
    found = scorer(TABLE)
    (batch,) = TABLE.to_batches()
    assert pa.Table.from_batches([scorer(batch)]).equals(found)
    assert pickle.loads(pickle.dumps(scorer))(TABLE).equals(found)  # noqa: S301


def test_the_schema_describes_the_scores(reader):
    found = noted_scores(ArrowScorer(text="text", reader=reader)(TABLE).schema)
    assert [score.name for score in found] == ["quality", "text_match"]
    assert found[1].thresholds == {"lenient": 0.3, "balanced": 0.5, "strict": 0.7}


@pytest.mark.parametrize("settings", [{"text": "text"}, {"reading": True}, {"reader": "somewhere"}])
def test_checks_and_their_settings_are_not_given_both(settings):
    with pytest.raises(PenpalError, match=rf"give either checks or {next(iter(settings))}; .* TextCheck"):
        ArrowScorer(checks=[QualityCheck()], **settings)


def test_a_reader_without_anything_to_read_is_refused():
    with pytest.raises(PenpalError, match="a reader was given, and nothing to read"):
        ArrowScorer(reader="somewhere")


def test_a_missing_or_other_column_is_named():
    with pytest.raises(PenpalError, match="no column 'label'; name the one with the texts"):
        ArrowScorer(text="label")(TABLE)
    with pytest.raises(PenpalError, match="the column 'strokes' does not hold texts"):
        ArrowScorer(text="strokes")(TABLE)


def test_what_is_wrong_with_texts_names_their_column(reader):
    rows = pa.table({"strokes": ROWS, "text": pa.array([1, 2, 3, 4, 5])})
    with pytest.raises(PenpalError, match="column 'text': texts must be strings, got Arrow int64"):
        TextCheck(reader=reader).look(rows)


@pytest.mark.parametrize("make", [TextCheck, ReadabilityCheck])
def test_a_check_with_a_reader_cannot_be_pickled(reader, make):
    with pytest.raises(TypeError, match="give it the reader's settings instead"):
        pickle.dumps(make(reader=reader))


def test_the_identity_is_that_of_the_reader(reader, reader_folder):
    assert TextCheck(model=reader_folder, backend="native").identity == reader.identity
    assert ReadabilityCheck(reader=reader).identity == reader.identity
