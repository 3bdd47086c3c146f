"""The public reader, with the weights in this package, on the example lines."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penpal_fast
from helpers.paths import ROOT
from penpal_fast import PenpalError, Reader
from penpal_fast.strokes import words_of

LINES = pq.read_table(ROOT / "examples" / "lines.parquet")
TEXTS: list[str] = LINES["text"].to_pylist()
KINDS = np.array([kind or "clean" for kind in LINES["corruption"].to_pylist()])
BAD_ROW = [[(0.0, float("nan"))]]


@functools.cache
def reader() -> Reader:
    return Reader()


@functools.cache
def match() -> np.ndarray:
    return reader().match(LINES, TEXTS)


def series(texts: list[str | None], dtype: str, missing: str | None = None) -> object:
    """Texts as a series of pandas, None as the value of pandas of this name."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    filler = None if missing is None else getattr(pandas, missing)
    return pandas.Series([filler if text is None else text for text in texts], dtype=dtype)


def test_clean_lines_say_their_texts_and_others_do_not() -> None:
    assert match().dtype == np.float32
    assert (match()[KINDS == "clean"] >= 0.5).mean() > 0.9
    # A letter too many is what a match finds worst; see the model card.
    assert (match()[KINDS == "wrong text"] < 0.5).mean() > 0.9
    assert (match()[KINDS == "wrong text"] < 0.7).mean() > 0.9
    assert (match()[KINDS == "gibberish"] < 0.3).all()
    assert match().min() >= 0
    assert match().max() <= 1


def test_readability_needs_no_text() -> None:
    readability = reader().readability(LINES)
    assert (readability[KINDS == "clean"] >= 0.5).mean() > 0.9
    assert (readability[KINDS == "wrong text"] >= 0.5).mean() > 0.9
    assert (readability[KINDS == "gibberish"] < 0.5).mean() > 0.9


def test_most_clean_lines_are_read_letter_by_letter() -> None:
    readings = np.array(reader().read(LINES))
    assert (readings == TEXTS)[KINDS == "clean"].mean() > 0.7
    assert set("".join(readings)) <= set(reader().letters)


@pytest.mark.parametrize(
    "of",
    [
        list,
        pa.array,
        lambda texts: pa.array(texts, pa.large_string()),
        lambda texts: pa.array(texts).dictionary_encode(),
        lambda texts: pa.chunked_array([texts[:3], [], texts[3:]], pa.string()),
        lambda texts: list(pa.array(texts)),
        lambda texts: list(pa.array(texts).dictionary_encode()),
        np.array,
        lambda texts: series(texts, "string"),
        lambda texts: series(texts, "category"),
    ],
)
def test_texts_may_be_lists_arrays_and_series(of: Callable[[list[str]], object]) -> None:
    found = reader().match(LINES["strokes"][:10], of(TEXTS[:10]))
    np.testing.assert_array_equal(found, match()[:10])


@pytest.mark.parametrize(
    "of",
    [
        list,
        pa.array,
        lambda texts: list(pa.array(texts)),
        lambda texts: series(texts, "string"),
        lambda texts: series(texts, "category"),
        lambda texts: series(texts, "object", "NA"),
        lambda texts: series(texts, "object", "NaT"),
        lambda texts: [np.float32("nan"), *texts[1:]],
    ],
)
def test_a_missing_text_is_null_as_each_library_says_it(of: Callable[[list[str | None]], object]) -> None:
    found = reader().match(LINES["strokes"][:3], of([None, *TEXTS[1:3]]), errors="null")
    np.testing.assert_array_equal(found, [np.nan, *match()[1:3]])


def test_looks_of_letters_do_not_matter() -> None:
    row = LINES["strokes"][:1]
    plain = reader().match(row, ['it\'s "so" - cafe'])
    np.testing.assert_array_equal(reader().match(row, [" it\u2019s  \u201cso\u201d \u2014 caf\u00e9 "]), plain)


def test_threads_and_pieces_give_the_same() -> None:
    rows = LINES["strokes"]
    for threads in (1, 2):
        np.testing.assert_array_equal(Reader(threads=threads).match(rows, TEXTS), match())
    alone = [reader().match(rows[row : row + 1], TEXTS[row : row + 1])[0] for row in range(20)]
    np.testing.assert_array_equal(alone, match()[:20])


def test_mlx_gives_the_same() -> None:
    rows, texts = [*LINES["strokes"][:20].to_pylist(), BAD_ROW], [*TEXTS[:20], "a"]
    native = reader().outcome(rows, texts)
    mlx = Reader(backend="mlx", batch_size=6).outcome(rows, texts)
    np.testing.assert_allclose(mlx.match, native.match, atol=1e-4)
    np.testing.assert_allclose(mlx.readability, native.readability, atol=1e-4)
    assert mlx.readings == native.readings
    assert mlx.problems == native.problems


def test_bad_rows_cost_themselves_only() -> None:
    rows = [LINES["strokes"][0].as_py(), None, BAD_ROW]
    texts = TEXTS[:1] * 3
    for found in (reader().match(rows, texts, errors="null"), reader().readability(rows, errors="null")):
        assert np.isnan(found).tolist() == [False, True, True]
    assert [text is None for text in reader().read(rows, errors="null")] == [False, True, True]
    for call in (reader().read, reader().readability, lambda rows: reader().match(rows, texts)):
        with pytest.raises(PenpalError, match="row 1: null") as raised:
            call(rows)
        assert raised.value.row == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no text"),
        ("", "empty text"),
        (" \u00a0", "empty text"),
        ("\u6f22\u5b57", "unreadable text"),
        ("\u05e9\u05dc\u05d5\u05dd", "unreadable text"),
        ("\u0416\u0438\u0437\u043d\u044c", "unreadable text"),
    ],
)
def test_texts_that_cannot_be_compared_are_a_reason(text: str | None, reason: str) -> None:
    rows = LINES["strokes"][:2]
    outcome = reader().outcome(rows, [TEXTS[0], text])
    assert np.isnan(outcome.match).tolist() == [False, True]
    assert np.isnan(outcome.readability).tolist() == [False, False]
    assert outcome.text_problems[1].startswith(reason)
    assert np.isnan(reader().match(rows, [TEXTS[0], text], errors="null")).tolist() == [False, True]
    with pytest.raises(PenpalError, match=f"row 1: {reason}") as raised:
        reader().match(rows, [TEXTS[0], text])
    assert raised.value.reason == reason


def test_a_text_longer_than_the_ink_matches_not_at_all() -> None:
    assert reader().match(LINES["strokes"][:1], ["a" * 100_000])[0] == 0
    assert reader().align(LINES["strokes"][0], "a" * 1000) == []


def test_texts_are_checked() -> None:
    rows = LINES["strokes"][:2]
    with pytest.raises(PenpalError, match="1 texts for 2 rows"):
        reader().match(rows, ["one"])
    with pytest.raises(PenpalError, match="row 1: the text must be a string or None, got int"):
        reader().match(rows, ["one", 2])
    with pytest.raises(PenpalError, match="got str"):
        reader().match(rows, "no")
    with pytest.raises(PenpalError, match="texts must be strings, got Arrow int64"):
        reader().match(rows, pa.array([1, 2]))


def test_values_of_wrong_types_are_named() -> None:
    rows = LINES["strokes"][:2]
    table = pa.table({"text": ["a", "b"]})
    for texts in (None, 5, {"a", "b"}, {"a": 1, "b": 2}, b"ab", np.array("ab"), table, table.to_pandas()):
        with pytest.raises(PenpalError, match="texts must be a list of texts"):
            reader().match(rows, texts)
    for text in (None, b"x", 3):
        with pytest.raises(PenpalError, match="the text must be a string"):
            reader().align(LINES["strokes"][0], text)  # type: ignore[arg-type]


def test_no_rows_are_read() -> None:
    assert reader().read([]) == []
    assert reader().match([], []).shape == (0,)


def test_letters_are_found_from_left_to_right() -> None:
    best = int(np.argmax(np.where(KINDS == "clean", match(), 0)))
    strokes = [stroke for word in words_of(LINES["strokes"][best]) for stroke in word]
    letters = reader().align(strokes, TEXTS[best])
    assert "".join(letter.letter for letter in letters) == TEXTS[best]
    assert [letter.position for letter in letters] == list(range(len(TEXTS[best])))
    assert all(letter.fits for letter in letters)
    spans = [span for letter in letters for span in letter.spans]
    assert (spans[0].stroke, spans[0].start) == (0, 0)
    assert (spans[-1].stroke, spans[-1].end) == (len(strokes) - 1, len(strokes[-1]) - 1)
    for before, after in itertools.pairwise(spans):
        assert before.start < before.end or len(strokes[before.stroke]) == 1
        assert (after.stroke, after.start) in {(before.stroke, before.end), (before.stroke + 1, 0)}
    middles = [np.concatenate([strokes[span.stroke][int(span.start) :] for span in one.spans])[0, 0] for one in letters]
    assert np.corrcoef(middles, np.arange(len(middles)))[0, 1] > 0.95


def test_a_replaced_word_does_not_fit_where_it_stands() -> None:
    best = int(np.argmax(np.where(KINDS == "clean", match(), 0)))
    words = TEXTS[best].split()
    wrong = " ".join([*words[:-1], "Zq" * len(words[-1])])[: len(TEXTS[best])]
    letters = reader().align(LINES["strokes"][best], wrong)
    misfits = [letter.position for letter in letters if not letter.fits]
    assert misfits
    assert min(misfits) >= len(TEXTS[best]) - len(words[-1]) - 1


def test_folded_letters_keep_their_places() -> None:
    letters = reader().align(LINES["strokes"][0], " \u00e9\u6bb5".replace("\u6bb5", "x"))
    assert [(letter.letter, letter.position) for letter in letters] == [("\u00e9", 1), ("x", 2)]


def test_a_row_and_its_text_may_be_values_of_arrow_and_a_record() -> None:
    plain = reader().align(LINES["strokes"][0].as_py(), TEXTS[0])
    assert reader().align(LINES["strokes"][0], LINES["text"][0]) == plain
    assert reader().align(LINES.to_pylist()[0], TEXTS[0]) == plain
    assert penpal_fast.explain(LINES["strokes"][0], text=LINES["text"][0]).text == TEXTS[0]


def test_rows_that_cannot_be_read_cannot_be_aligned() -> None:
    placed = [{"x": x, "y": 0.0, "points": [[0, 0], [4, 9], [8, 0]]} for x in (0.0, 40.0)]
    for call in (lambda: reader().read([placed]), lambda: reader().align(placed, "a")):
        with pytest.raises(PenpalError, match="an x and y of their own"):
            call()


def test_bad_rows_and_texts_cannot_be_aligned() -> None:
    with pytest.raises(PenpalError, match="NaN"):
        reader().align(BAD_ROW, "a")
    with pytest.raises(PenpalError, match="empty text"):
        reader().align(LINES["strokes"][0], " ")


def test_settings_are_checked() -> None:
    with pytest.raises(PenpalError, match="backend must be one of"):
        Reader(backend="cpu")  # type: ignore[arg-type]
    with pytest.raises(PenpalError, match="batch_size must be from 1 to 4096"):
        Reader(batch_size=0)
    with pytest.raises(PenpalError, match="errors must be one of"):
        reader().read([], errors="skip")  # type: ignore[arg-type]


def test_the_network_in_this_package_loads_in_mlx() -> None:
    network = penpal_fast.ReaderNetwork.from_pretrained()
    assert network.config.letters == reader().letters
