"""How texts are brought to the letters that a reader knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penpal_fast.reading.alphabet import LETTERS, NO_TEXT, decode, encode, encode_texts


def said(text: str) -> str:
    return decode(list(encode(text).codes))


def test_letters_are_different_and_stay_as_they_are() -> None:
    assert len(set(LETTERS)) == len(LETTERS) == 78
    text = LETTERS.strip()
    assert said(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u201cIt\u2019s\u201d", '"It\'s"'),
        ("1914\u20131918 \u2014 so", "1914-1918 - so"),
        ("a\u00a0b\u2009c\td", "a b c d"),
        ("  two   spaces ", "two spaces"),
        ("caf\u00e9 na\u00efve \u00c5ngstr\u00f6m", "cafe naive Angstrom"),
        ("cafe\u0301", "cafe"),
        ("\ufb01t \u2026", "fit ..."),
        ("stra\u00dfe \u00c6sop", "strasse AEsop"),
        ("soft\u00adhyphen\u200b\ufeff", "softhyphen"),
        ("a\u200db\u2060c\u200e d\u200f hi\ufe0f", "abc d hi"),
        ("\u2039so\u203a \u301dyes\u301e \u275bno\u275c", "'so' \"yes\" 'no'"),
        ("a\u2e3ab \u2043 c\u301cd \ufe58", "a-b - c-d -"),
        (
            "STRA\u1e9eE \u0110or\u0111e \u0141\u00f3d\u017a sm\u00f8r \u01fe \u0127a \u0140l",
            "STRASSE Dorde Lodz smor O ha ll",
        ),
        ("\u01c5 \u0133", "Dz ij"),
        ("1\ufe0f\u20e3 x\u20dd", "1 x"),
        ("1\u20442 \u00bd", "1/2 1/2"),
        ("a\u3164b\u2800c\u115f\uffa0\u034f", "a b c"),
        ("\u2067hi\u2069 \u061cyou", "hi you"),
    ],
)
def test_looks_of_letters_are_folded(text: str, expected: str) -> None:
    encoded = encode(text)
    assert decode(list(encoded.codes)) == expected
    assert encoded.problem is None
    assert encoded.unreadable == ""


def test_each_code_knows_the_letter_it_came_from() -> None:
    text = " \u00e9\u00df  x"
    encoded = encode(text)
    assert decode(list(encoded.codes)) == "ess x"
    assert [text[position] for position in encoded.positions] == ["\u00e9", "\u00df", "\u00df", " ", "x"]


def test_a_few_letters_outside_the_alphabet_are_left_out() -> None:
    encoded = encode("salt & pepper & co.")
    assert decode(list(encoded.codes)) == "salt pepper co."
    assert encoded.unreadable == "&"
    assert encoded.problem is None


def test_too_many_letters_outside_the_alphabet_are_a_reason() -> None:
    encoded = encode("\u0416\u0438\u0437\u043d\u044c is")
    assert encoded.codes == ()
    assert encoded.problem is not None
    assert "\u0416" in encoded.problem


@pytest.mark.parametrize("text", ["", "   ", "\u00a0\t", "\u200b"])
def test_nothing_to_compare_is_a_reason(text: str) -> None:
    assert encode(text).problem == "empty text: the text has no letters"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mostly English \u05e9\u05dc\u05d5\u05dd", "right to left"),
        ("mostly English \u0645", "right to left"),
        ("mostly English \u6f22", "Chinese"),
        ("mostly English \u304b", "Chinese"),
        ("mostly English \ud55c", "Chinese"),
        ("mostly English \uff83\uff7d\uff84", "Chinese"),
        ("mostly English \u3005", "Chinese"),
        ("mostly English \u328a", "Chinese"),
        ("\u202ehsilgnE yltsom", "right to left"),
    ],
)
def test_scripts_that_cannot_be_read_are_a_reason(text: str, reason: str) -> None:
    encoded = encode(text)
    assert encoded.codes == ()
    assert reason in (encoded.problem or "")


@given(st.lists(st.none() | st.text(max_size=30) | st.text("abQ 7'\u2019#&\u00e9\t", max_size=30), max_size=8))
def test_texts_of_rows_are_encoded_like_each_by_itself(texts: list[str | None]) -> None:
    found = encode_texts(texts)
    assert len(found.offsets) == len(texts) + 1
    for row, text in enumerate(texts):
        codes, offsets = found.part(row, 1)
        alone = None if text is None else encode(text)
        assert tuple(codes.tolist()) == (alone.codes if alone else ())
        assert offsets.tolist() == [0, len(codes)]
        assert found.problems.get(row) == (alone.problem if alone else NO_TEXT)


def test_an_alphabet_with_more_letters_than_a_byte_is_encoded_too() -> None:
    letters = "".join(chr(code) for code in range(0x4E00, 0x4F00)) + " ab"
    assert encode_texts(["ab a"], letters).codes.tolist() == list(encode("ab a", letters).codes) != []


def test_letters_of_an_alphabet_are_not_folded_away() -> None:
    letters = " abc\u00e9\u05e9~"
    assert decode(encode("c\u00e9a \u05e9~", letters).codes, letters) == "c\u00e9a \u05e9~"
    assert encode("\u00e8", letters).problem is not None


def test_spaces_are_nothing_to_an_alphabet_without_one() -> None:
    encoded = encode("a b\u00a0c", "abc")
    assert decode(encoded.codes, "abc") == "abc"
    assert encoded.unreadable == ""
    assert encode(" ", "abc").problem == "empty text: the text has no letters"
    assert encode_texts(["a b\u00a0c", "a b"], "abc").codes.tolist() == [1, 2, 3, 1, 2]
