"""Texts of every kind beside rows of every kind: what the output file says of them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column, stored_views
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, Reader, TextCheck, score_dataset
from penpal_fast.checks.columns import noted_scores

ROW = scrawl(3, 9, 30)

TEXTS = {
    "plain": ("and so on", None),
    "null": (None, "no text: the text is null"),
    "empty": ("", "empty text: the text has no letters"),
    "spaces": (" \t\u00a0\n ", "empty text: the text has no letters"),
    "curly": ("\u201cdon\u2019t\u201d \u2013 caf\u00e9", None),
    "one letter in four unknown": ("ab*c", None),
    "one letter in three unknown": ("a*b", "unreadable text: letters that are not in the reader's alphabet: '*'"),
    "Chinese": ("\u624b\u5199", "unreadable text: it has Chinese, Japanese or Korean letters"),
    "Arabic": ("\u062e\u0637", "unreadable text: it is written from right to left"),
    "Hebrew in English": ("the \u05d0 word", "unreadable text: it is written from right to left"),
    "Cyrillic": ("\u0440\u0443\u043a\u0430", "unreadable text: letters that are not in the reader's alphabet: "),
    "emoji": ("\U0001f600", "unreadable text: letters that are not in the reader's alphabet: '\U0001f600'"),
    "emoji at the end": ("and so on \U0001f600", None),
    "null byte": ("\0\0", "unreadable text: "),
}
"""Texts, and how their problem begins, or None if there is a match."""

LONG = {"longer than the ink": "a word and more " * 20, "100,000 letters": "many " * 20_000}

QUALITY = ["quality", "quality_error", "quality_note"]


def scored(table, tmp_path, **settings):
    """The table as a job writes it."""
    pq.write_table(table, tmp_path / "lines.parquet")
    score_dataset(tmp_path / "lines.parquet", tmp_path / "out.parquet", **settings)
    return pq.read_table(tmp_path / "out.parquet")


def test_each_text_has_a_match_or_a_reason(tmp_path, scorer, reader):
    texts = [text for text, _ in TEXTS.values()]
    table = pa.table({"strokes": column([ROW] * len(texts)), "text": texts})
    found = scored(table, tmp_path, scorer=scorer, reader=reader, text="text")
    assert found.column_names == [
        "strokes",
        "text",
        *QUALITY,
        "text_match",
        "text_match_error",
    ]
    assert found["text"].to_pylist() == texts
    rows = zip(TEXTS, found["text_match"].to_pylist(), found["text_match_error"].to_pylist(), strict=True)
    for name, match, error in rows:
        problem = TEXTS[name][1]
        if problem is None:
            assert error is None, name
            assert 0 < match <= 1, name
        else:
            assert match is None, name
            assert error.startswith(problem), name
    assert len(set(found["quality"].to_pylist())) == 1
    assert found["quality_error"].null_count == len(texts)


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_text_that_the_ink_is_too_short_for_does_not_match(tmp_path, scorer, reader, text):
    table = pa.table({"strokes": column([ROW, ROW]), "text": [text, "so"]})
    found = scored(table, tmp_path, scorer=scorer, reader=reader, text="text")
    match = found["text_match"].to_pylist()
    assert match[0] == 0 < match[1]
    assert found["text_match_error"].null_count == 2


def test_the_match_is_that_of_the_reader(tmp_path, scorer, reader):
    rows = [scrawl(seed, 3, 20) for seed in range(12)]
    texts = [f"line {row}" for row in range(12)]
    found = scored(
        pa.table({"strokes": column(rows), "text": texts}),
        tmp_path,
        scorer=scorer,
        reader=reader,
        text="text",
        reading=True,
    )
    assert found.column_names[2:] == [
        *QUALITY,
        "text_match",
        "text_match_error",
        "reading",
        "readability",
    ]
    assert found["text_match"].to_pylist() == reader.match(column(rows), texts).tolist()
    assert found["reading"].to_pylist() == reader.read(column(rows))
    assert found["readability"].to_pylist() == reader.readability(column(rows)).tolist()
    assert len(set(found["text_match"].to_pylist())) > 6


def test_bad_rows_have_their_own_problem(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW, None, [], ROW, None]), "text": ["so", "so", None, None, None]})
    found = scored(table, tmp_path, scorer=scorer, reader=reader, text="text", reading=True)
    assert [value is None for value in found["quality"].to_pylist()] == [False, True, True, False, True]
    assert [value is None for value in found["text_match"].to_pylist()] == [False, True, True, True, True]
    reasons = [error and error.partition(":")[0] for error in found["text_match_error"].to_pylist()]
    assert reasons == [None, "null", "no points", "no text", "null"]
    for name in ("reading", "readability"):
        assert [value is None for value in found[name].to_pylist()] == [False, True, True, False, True]


def test_ink_that_is_too_long_to_read_still_has_a_quality(tmp_path, scorer, reader):
    strokes = [[(3.0 * number, 0.0), (3.0 * number + 1, 10.0)] for number in range(3000)]
    table = pa.table({"strokes": column([strokes, ROW]), "text": ["so", "so"]})
    found = scored(table, tmp_path, scorer=scorer, reader=reader, text="text", reading=True)
    assert found["quality"].null_count == 0
    assert found["text_match_error"][0].as_py().startswith("too long to read: ")
    for name in ("text_match", "reading", "readability"):
        assert [value is None for value in found[name].to_pylist()] == [True, False]


def test_a_readable_row_without_text_has_a_reading(tmp_path, scorer, reader):
    rows = [ROW, None]
    found = scored(pa.table({"strokes": column(rows)}), tmp_path, scorer=scorer, reader=reader, reading=True)
    assert found.column_names[1:] == [
        "quality",
        "quality_error",
        "quality_note",
        "readability",
        "readability_error",
        "reading",
    ]
    assert found["reading"].to_pylist() == [*reader.read(column(rows[:1])), None]
    assert found["readability"].to_pylist() == [*reader.readability(column(rows[:1])).tolist(), None]
    assert found["readability_error"].to_pylist() == [None, "null: the row is null"]


KINDS = {
    "large": lambda texts: pa.array(texts, pa.large_string()),
    "views": lambda texts: pa.array(texts, stored_views()),
    "dictionary": lambda texts: pa.array(texts).dictionary_encode(),
    "dictionary of large": lambda texts: pa.array(texts, pa.large_string()).dictionary_encode(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_the_type_of_texts_does_not_matter(tmp_path, scorer, reader, kind, output):
    rows, texts = [scrawl(seed, 3, 20) for seed in range(4)], ["so", None, "", "so"]
    table = pa.table({"strokes": column(rows), "text": KINDS[kind](texts)})
    pq.write_table(table, tmp_path / "lines.parquet")
    score_dataset(tmp_path / "lines.parquet", tmp_path / output, scorer=scorer, reader=reader, text="text")
    found = pq.read_table(tmp_path / output)
    expected = reader.match(column([rows[0], rows[3]]), ["so", "so"]).tolist()
    assert found["text_match"].to_pylist() == [expected[0], None, None, expected[1]]
    assert found["text"].to_pylist() == texts


def test_texts_that_are_all_null(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW, None]), "text": pa.nulls(2)})
    found = scored(table, tmp_path, scorer=scorer, reader=reader, text="text")
    assert found["text_match_error"].to_pylist() == ["no text: the text is null", "null: the row is null"]
    assert found["quality"].to_pylist()[0] is not None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (None, r"lines\.parquet: no column 'text'; name the one with the texts with --text or text="),
        ([1, 2], r"lines\.parquet: the column 'text' does not hold texts but int64"),
        ([["a"], ["b"]], r"lines\.parquet: the column 'text' does not hold texts but list<"),
        ([b"a", b"b"], r"lines\.parquet: the column 'text' does not hold texts but binary"),
    ],
    ids=["missing", "numbers", "lists", "bytes"],
)
def test_a_column_without_texts_is_named_with_the_others(tmp_path, scorer, reader, texts, message):
    columns = {"strokes": column([ROW, ROW])} | ({} if texts is None else {"text": texts})
    with pytest.raises(PenpalError, match=message) as caught:
        scored(pa.table(columns), tmp_path, scorer=scorer, reader=reader, text="text")
    assert "the columns are\n  strokes: list<" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.parquet"]


def test_two_columns_of_texts_are_refused(tmp_path, scorer, reader):
    table = pa.table([column([ROW]), pa.array(["a"]), pa.array(["b"])], names=["strokes", "text", "text"])
    with pytest.raises(PenpalError, match="more than one column 'text'"):
        scored(table, tmp_path, scorer=scorer, reader=reader, text="text")


def test_texts_are_not_compared_unless_they_are_named(tmp_path, scorer):
    table = pa.table({"strokes": column([ROW]), "text": ["so"]})
    assert scored(table, tmp_path, scorer=scorer).column_names == [
        "strokes",
        "text",
        "quality",
        "quality_error",
        "quality_note",
    ]


def test_another_column_can_have_the_texts(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW, ROW]), "text": [None, None], "prompt": ["so", None]})
    found = scored(table, tmp_path, scorer=scorer, reader=reader, text="prompt")
    assert found["text_match"].to_pylist() == [*reader.match(column([ROW]), ["so"]).tolist(), None]


def test_json_lines(tmp_path, scorer, reader):
    good = [[list(point) for point in stroke] for stroke in ROW]
    lines = [
        json.dumps({"strokes": good, "text": "so"}),
        json.dumps({"strokes": good, "text": 7}),
        json.dumps({"strokes": good}),
        json.dumps({"strokes": "ink", "text": "so"}),
        "{broken",
    ]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    score_dataset(tmp_path / "lines.jsonl", tmp_path / "out.parquet", scorer=scorer, reader=reader, text="text")
    found = pq.read_table(tmp_path / "out.parquet")
    expected = reader.match(column([ROW, ROW]), ["so", "7"])
    np.testing.assert_allclose(found["text_match"].to_pylist()[:2], expected, atol=1e-6)
    reasons = [error and error.partition(":")[0] for error in found["text_match_error"].to_pylist()]
    assert reasons == [None, None, "no text", "wrong type", "not JSON"]


def test_both_checks_are_counted(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW, ROW, None]), "text": ["so", None, "so"]})
    pq.write_table(table, tmp_path / "lines.parquet")
    summary = score_dataset(
        tmp_path / "lines.parquet", tmp_path / "out.parquet", scorer=scorer, reader=reader, text="text"
    )
    assert (summary.bad, summary.reasons) == (1, {"null": 1})
    texts = summary.checks["text_match"]
    assert (texts.scored, texts.bad, texts.reasons) == (1, 2, {"null": 1, "no text": 1})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text": "text", "checks": [TextCheck()]}, r"give either checks or text; .* TextCheck\("),
        ({"reading": True, "checks": [TextCheck()]}, r"give either checks or reading; .* ReadabilityCheck\("),
        ({"reader": "somewhere"}, r"nothing to read: name the column of texts with --text \(text=\), or"),
        ({"text": 5}, "text must be the name of the column of texts, got 5"),
        ({"text": "quality"}, "cannot read the column 'quality', which the checks write"),
        ({"text": "text", "reader": "no/such/folder"}, "no model at 'no/such/folder'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, settings, message):
    table = pa.table({"strokes": column([ROW]), "text": ["so"], "quality": ["so"]})
    with pytest.raises(PenpalError, match=message):
        scored(table, tmp_path, **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.parquet"]


def test_a_reader_can_be_named_by_its_folder(tmp_path, scorer, reader_folder):
    table = pa.table({"strokes": column([ROW]), "text": ["so"]})
    found = scored(table, tmp_path, scorer=scorer, reader=reader_folder, text="text")
    assert found["text_match"].to_pylist() == Reader(reader_folder).match(column([ROW]), ["so"]).tolist()


def test_scoring_again_replaces_the_columns(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW, ROW]), "text": ["so", None]})
    settings = {"scorer": scorer, "reader": reader, "text": "text", "reading": True}
    once = scored(table, tmp_path, **settings)
    score_dataset(tmp_path / "out.parquet", tmp_path / "again.parquet", **settings)
    assert pq.read_table(tmp_path / "again.parquet").equals(once)


def test_a_reading_of_someone_else_is_not_replaced(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW]), "text": ["so"], "reading": ["by a person"]})
    with pytest.raises(PenpalError, match="would replace the column 'reading', which no check wrote; rename it"):
        scored(table, tmp_path, scorer=scorer, reader=reader, text="text", reading=True)


def test_a_reading_of_someone_else_is_not_replaced_beside_a_match(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW]), "text": ["so"], "reading": ["by a person"]})
    once = scored(table, tmp_path, scorer=scorer, reader=reader, text="text")
    with pytest.raises(PenpalError, match="would replace the column 'reading', which no check wrote; rename it"):
        scored(once, tmp_path, scorer=scorer, reader=reader, text="text", reading=True)
    assert once["reading"].to_pylist() == ["by a person"]


def test_readings_with_and_without_texts_follow_each_other(tmp_path, scorer, reader):
    table = pa.table({"strokes": column([ROW, None]), "text": ["so", "so"]})
    settings = {"scorer": scorer, "reader": reader}
    alone = scored(table, tmp_path, **settings, reading=True)
    both = scored(alone, tmp_path, **settings, text="text", reading=True)
    assert sorted(both.column_names) == sorted([*alone.column_names, "text_match", "text_match_error"])
    for name in ("reading", "readability"):
        assert both[name].to_pylist() == alone[name].to_pylist()
    assert [score.name for score in noted_scores(both.schema)] == ["quality", "text_match"]
    match = scored(both, tmp_path, **settings, text="text")
    assert [score.details for score in noted_scores(match.schema)] == [
        ("quality_note",),
        ("reading", "readability"),
    ]
    again = scored(match, tmp_path, **settings, text="text", reading=True)
    assert again.select(both.column_names).equals(both)
    back = scored(again, tmp_path, **settings, reading=True)
    assert sorted(back.column_names) == sorted(both.column_names)
    notes = {score.name: score.details for score in noted_scores(back.schema)}
    assert notes == {"quality": ("quality_note",), "text_match": (), "readability": ("reading",)}
