"""Contact sheets: which rows they show and where."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import penpal_fast
from helpers.arrow import column
from helpers.commands import run
from helpers.made_lines import scrawl
from helpers.scored_lines import matched_table
from penpal_fast import ContactSheet, PenpalError
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.look.font import font_for
from penpal_fast.look.sheet import (
    CELL_HEIGHT,
    CELL_WIDTH,
    HEADING_HEIGHT,
    LONGEST_TEXT,
    MARGIN,
    MAX_CELLS,
    MAX_COLUMNS,
    SCORE_WIDTH,
    Cell,
    band_counts,
    chosen_rows,
    drawn_sheet,
)

ROWS = [scrawl(seed, 3, 12) for seed in range(8)]
NAN = float("nan")


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_rows_are_chosen_evenly_by_rank_without_the_bad_ones():
    quality = np.array([0.9, NAN, 0.1, 0.5, 0.3, 0.7, NAN], np.float32)
    assert chosen_rows(quality, 48).tolist() == [2, 4, 3, 5, 0]
    assert chosen_rows(quality, 3).tolist() == [2, 3, 0]
    assert chosen_rows(quality, 1).tolist() == [2]


def test_bands_start_at_the_thresholds():
    thresholds = np.sort(np.array(list(THRESHOLDS.values()), np.float32))
    quality = np.concatenate([thresholds, np.nextafter(thresholds, np.float32(0)), [np.float32(NAN)]])
    counts = band_counts(quality)
    assert counts == [1, *[2] * (len(thresholds) - 1), 1]


def test_the_height_depends_on_the_rows_of_each_band():
    low, high = min(THRESHOLDS.values()) / 2, (1 + max(THRESHOLDS.values())) / 2
    sheet = ContactSheet(ROWS, quality=[low] * 5 + [high] * 3, columns=2)
    assert sheet.image.height == 2 * MARGIN + 2 * HEADING_HEIGHT + (3 + 2) * CELL_HEIGHT


def test_other_thresholds_bound_other_bands():
    scores = np.array([0.1, 0.3, 0.8, NAN], np.float32)
    cells = [Cell(row, float(score), ROWS[row]) for row, score in enumerate(scores[:3])]
    assert band_counts(scores, {"low": 0.2}) == [1, 2]
    assert band_counts(scores, {}) == [3]
    assert drawn_sheet(cells, [1, 2], 3, {"low": 0.2}).height == 2 * MARGIN + 2 * (HEADING_HEIGHT + CELL_HEIGHT)
    assert drawn_sheet(cells, [3], 3, {}).height == 2 * MARGIN + HEADING_HEIGHT + CELL_HEIGHT


@pytest.mark.parametrize("row", [None, []])
def test_a_row_with_a_score_that_cannot_be_drawn_shows_the_reason(row):
    shown, other = (np.asarray(ContactSheet([bad], quality=[0.5], columns=1).image) for bad in (row, ROWS[0]))
    assert shown.shape == other.shape
    ink = np.flatnonzero((shown[:, MARGIN + SCORE_WIDTH :] < 200).any(axis=(0, 2)))
    assert len(ink) > 50  # The reason is written where the strokes would be.


def test_a_notebook_shows_the_sheet(tmp_path):
    sheet = ContactSheet(ROWS, most=4)
    sheet.save(tmp_path / "sheet.png")
    with Image.open(io.BytesIO(sheet._repr_png_())) as shown:
        assert np.array_equal(np.asarray(shown), picture(tmp_path / "sheet.png"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"most": 0}, "a sheet shows from 1"),
        ({"columns": 0}, "a sheet has from 1"),
        ({"quality": [NAN] * len(ROWS)}, "no row has a score"),
        ({"quality": [0.5]}, f"1 quality for {len(ROWS)} rows"),
        ({"texts": ["so"]}, f"1 texts for {len(ROWS)} rows"),
        ({"text_match": [0.5]}, f"1 text_match for {len(ROWS)} rows"),
        ({"texts": [5] * len(ROWS)}, "row 0: the text must be a string or None, got int"),
        ({"texts": "a" * len(ROWS)}, "texts must be a list of texts"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(PenpalError, match=message):
        ContactSheet(ROWS, **settings)


def test_texts_may_be_arrow_and_have_missing_values():
    texts = ["so", *(f"line {row}" for row in range(2, len(ROWS))), None]
    plain = ContactSheet(ROWS, texts=texts).image.tobytes()
    for given in (pa.array(texts), pa.chunked_array([texts[:2], texts[2:]]), [*texts[:-1], NAN]):
        assert ContactSheet(ROWS, texts=given).image.tobytes() == plain
    assert ContactSheet(ROWS).image.tobytes() != plain


def test_a_text_match_is_written_under_the_score():
    def left_of(**settings):
        sheet = ContactSheet(ROWS[:2], quality=[0.5, 0.5], columns=1, **settings)
        pixels = np.asarray(sheet.image).astype(int)[MARGIN + HEADING_HEIGHT :, MARGIN : MARGIN + SCORE_WIDTH - 4]
        return pixels[:CELL_HEIGHT], pixels[CELL_HEIGHT : 2 * CELL_HEIGHT]

    without = left_of()
    assert all(np.array_equal(one, other) for one, other in zip(without, left_of(text_match=[NAN, NAN]), strict=True))
    for (low, high), place in ((left_of(text_match=[0.1, 0.9]), 0), (left_of(text_match=[0.1, NAN]), 1)):
        assert not np.array_equal(low, without[0])
        assert np.array_equal(high, without[1]) == bool(place)
        red = low[48:, :, 0] - low[48:, :, 2]
        assert red.max() > 60  # It is below the threshold, so it is red.
        grey = high[48:, :, 0] - high[48:, :, 2]
        assert grey.max() < 60


@pytest.fixture
def table():
    texts = [f"line {row}" for row in range(len(ROWS))]
    return pa.table({"strokes": column([*ROWS, None]), "text": [*texts, None]})


@pytest.mark.parametrize(
    "text", ["abc", "Größe, señor", "œuvre “ž” — …", "Ελληνικά Ω", "Привет, їжак", "Đặng"], ids=ascii
)
def test_texts_have_their_letters(text):
    """No letter is drawn as the box of those that a font lacks."""
    font = font_for(text, 12)
    box = bytes(font.getmask("\ue123"))
    assert all(bytes(font.getmask(letter)) != box for letter in text if letter != " ")
    assert font.getlength("x" * LONGEST_TEXT) < CELL_WIDTH
    rows = [scrawl(seed, 5, 20) for seed in range(2)]
    sheets = [ContactSheet(rows, quality=[0.1, 0.9], texts=texts).image for texts in (None, [text] * 2, ["\ue123"] * 2)]
    assert len({sheet.tobytes() for sheet in sheets}) == 3


def test_the_command_scores_a_file_without_scores(table, tmp_path):
    pq.write_table(table, tmp_path / "lines.parquet")
    done = run("sheet", tmp_path / "lines.parquet", "-o", tmp_path / "one.png")
    assert done.exit_code == 0, done.output
    assert "8 of 9 rows" in done.output
    scored = penpal_fast.ArrowScorer()(table)
    pq.write_table(scored, tmp_path / "scored.parquet")
    assert run("sheet", tmp_path / "scored.parquet", "-o", tmp_path / "two.png").exit_code == 0
    expected = ContactSheet(scored["strokes"], quality=scored["quality"].to_numpy(), texts=table["text"].to_pylist())
    assert np.array_equal(picture(tmp_path / "one.png"), picture(tmp_path / "two.png"))
    assert np.array_equal(picture(tmp_path / "one.png"), np.asarray(expected.image))


def test_the_command_uses_the_scores_of_the_file(table, tmp_path):
    quality = np.linspace(1, 0, len(table), dtype=np.float32)
    good = table.slice(0, 8).append_column("quality", [quality[:8]])
    good = good.append_column("quality_error", pa.nulls(8, pa.string()))
    pq.write_table(good, tmp_path / "scored.parquet")
    assert run("sheet", tmp_path / "scored.parquet", "-o", tmp_path / "sheet.png", "--rows", 3).exit_code == 0
    expected = ContactSheet(ROWS, quality=quality[:8], texts=good["text"].to_pylist(), most=3)
    assert np.array_equal(picture(tmp_path / "sheet.png"), np.asarray(expected.image))


def test_the_command_scores_rows_whose_quality_is_of_others(table, tmp_path):
    pq.write_table(table, tmp_path / "plain.parquet")
    pq.write_table(table.append_column("quality", pa.array(np.linspace(0, 1, len(table)))), tmp_path / "mine.parquet")
    for name in ("plain", "mine"):
        done = run("sheet", tmp_path / f"{name}.parquet", "-o", tmp_path / f"{name}.png")
        assert done.exit_code == 0, done.output
    assert np.array_equal(picture(tmp_path / "plain.png"), picture(tmp_path / "mine.png"))


def test_the_command_shows_the_text_matches_of_the_file(table, tmp_path):
    quality, match = np.linspace(1, 0, 8, dtype=np.float32), [0.1, 0.9, None, 0.3, 0.8, 0.7, 0.6, 0.2]
    scored = table.slice(0, 8).append_column("quality", [quality])
    scored = scored.append_column("quality_error", pa.nulls(8, pa.string()))
    scored = scored.append_column("text_match", pa.array(match, pa.float32()))
    pq.write_table(scored, tmp_path / "scored.parquet")
    assert run("sheet", tmp_path / "scored.parquet", "-o", tmp_path / "sheet.png").exit_code == 0
    texts, matches = scored["text"].to_pylist(), np.array([NAN if value is None else value for value in match])
    expected = ContactSheet(ROWS, quality=quality, texts=texts, text_match=matches)
    assert np.array_equal(picture(tmp_path / "sheet.png"), np.asarray(expected.image))
    other = ContactSheet(ROWS, quality=quality, texts=texts)
    assert not np.array_equal(np.asarray(expected.image), np.asarray(other.image))


def test_the_texts_are_those_that_the_match_was_made_with(tmp_path):
    quality, match = np.linspace(1, 0, len(ROWS)), np.linspace(0, 1, len(ROWS))
    texts = [f"line {row}" for row in range(len(ROWS))]
    scored = matched_table(quality, match, texts, text="prompt").set_column(0, "strokes", column(ROWS))
    scored = scored.append_column("text", [["not this"] * len(ROWS)])
    for name, expected in (("both", texts), ("other", None)):
        pq.write_table(scored if name == "both" else scored.drop_columns(["prompt"]), tmp_path / f"{name}.parquet")
        assert run("sheet", tmp_path / f"{name}.parquet", "-o", tmp_path / f"{name}.png").exit_code == 0
        sheet = ContactSheet(ROWS, quality=quality, texts=expected, text_match=match)
        assert np.array_equal(picture(tmp_path / f"{name}.png"), np.asarray(sheet.image))


def test_a_folder_of_parts_is_one_sheet(table, tmp_path):
    (tmp_path / "parts").mkdir()
    scored = penpal_fast.ArrowScorer()(table)
    for number, start in enumerate((0, 4)):
        pq.write_table(scored.slice(start, 4 if start == 0 else None), tmp_path / "parts" / f"part-{number}.parquet")
    pq.write_table(scored, tmp_path / "scored.parquet")
    for name in ("parts", "scored.parquet"):
        done = run("sheet", tmp_path / name, "-o", tmp_path / f"{name}.png", "--rows", 5)
        assert done.exit_code == 0, done.output
    assert np.array_equal(picture(tmp_path / "parts.png"), picture(tmp_path / "scored.parquet.png"))


@pytest.mark.parametrize(("option", "most"), [("--rows", MAX_CELLS), ("--columns", MAX_COLUMNS)])
def test_sizes_out_of_range_are_wrong_usage(tmp_path, option, most):
    for value in (0, most + 1):
        assert run("sheet", "lines.parquet", "-o", tmp_path / "sheet.png", option, value).exit_code == 2
    done = run("sheet", "lines.parquet", "-o", tmp_path / "sheet.png", option, most)
    assert (done.exit_code, "there is no such file" in done.output) == (1, True)


def test_a_file_without_a_score_says_why(tmp_path):
    for name, rows in (("bad", [None, []]), ("empty", [])):
        pq.write_table(pa.table({"strokes": column(rows)}), tmp_path / f"{name}.parquet")
    scored = penpal_fast.ArrowScorer()(pa.table({"strokes": column([[], None])}))
    pq.write_table(scored, tmp_path / "scored.parquet")
    (tmp_path / "lines.jsonl").write_text('{broken\n{"strokes": []}\n')
    for name, why in (
        ("bad.parquet", "row 0: null: the row is null"),
        ("scored.parquet", "row 0: no points: the row has no points"),
        ("lines.jsonl", "row 0: not JSON"),
        ("empty.parquet", "it has no rows"),
    ):
        done = run("sheet", tmp_path / name, "-o", tmp_path / "sheet.png")
        said = done.output.replace("\n", " ")
        assert done.exit_code == 1
        assert f"{tmp_path / name}: no row has a score, so there is nothing to show; {why}" in said


def test_progress_is_shown_while_rows_are_read(table, tmp_path, monkeypatch):
    monkeypatch.setattr("penpal_fast.cli.progress.SECONDS", 0.0)
    pq.write_table(table, tmp_path / "lines.parquet")
    done = run("sheet", tmp_path / "lines.parquet", "-o", tmp_path / "sheet.png")
    assert "reading: 100%\n" in done.stderr


def test_duplicated_text_columns_are_ignored(table, tmp_path):
    twice = pa.table([*table.columns, table["text"]], [*table.schema.names, "text"])
    pq.write_table(twice, tmp_path / "lines.parquet")
    assert run("sheet", tmp_path / "lines.parquet", "-o", tmp_path / "sheet.png").exit_code == 0
