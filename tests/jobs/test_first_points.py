"""The option that drops a lone first point: what is scored, read and drawn, and what stays as it is."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column, strokes
from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast import (
    ArrowScorer,
    ContactSheet,
    PenpalError,
    QualityCheck,
    Scorer,
    convert_dataset,
    explain,
    filter_dataset,
    read_rows,
    score_dataset,
    without_first_points,
)
from penpal_fast.strokes import words_of

LINES = [scrawl(seed, 3, 20) for seed in range(12)]
POINTED = [[[(-300.0, -200.0)], *line] for line in LINES]
TEXTS = [f"line {row}" for row in range(12)]


def table(rows):
    return pa.table({"strokes": column([*rows, None]), "text": [*TEXTS, "bad"]})


@pytest.fixture
def pointed(tmp_path):
    pq.write_table(table(POINTED), tmp_path / "pointed.parquet")
    return tmp_path / "pointed.parquet"


def test_rows_are_scored_without_it_and_written_with_it(pointed, tmp_path, scorer, reader):
    settings = {"scorer": scorer, "reader": reader, "text": "text", "reading": True}
    score_dataset(pointed, tmp_path / "out.parquet", **settings, drop_first_point=True)
    found = pq.read_table(tmp_path / "out.parquet")
    pq.write_table(table(LINES), tmp_path / "lines.parquet")
    score_dataset(tmp_path / "lines.parquet", tmp_path / "expected.parquet", **settings)
    expected = pq.read_table(tmp_path / "expected.parquet")
    for name in ("quality", "quality_error", "text_match", "text_match_error", "reading", "readability"):
        assert found[name].to_pylist() == expected[name].to_pylist(), name
    assert found["strokes"].equals(table(POINTED)["strokes"])
    score_dataset(pointed, tmp_path / "without.parquet", **settings)
    without = pq.read_table(tmp_path / "without.parquet")
    assert np.abs(np.subtract(without["quality"].to_pylist()[:12], found["quality"].to_pylist()[:12])).max() > 0.01


def test_rows_are_read_and_converted_without_it(pointed, tmp_path):
    expected = [np.asarray(stroke, np.float32).tolist() for line in LINES for stroke in line]
    convert_dataset(pointed, tmp_path / "converted.parquet", drop_first_point=True)
    done = run("convert", pointed, "-o", tmp_path / "command.parquet", "--drop-first-point")
    assert done.exit_code == 0, done.output
    lines = "".join(json.dumps({"strokes": row}) + "\n" for row in POINTED)
    (tmp_path / "lines.jsonl").write_text(lines, encoding="utf-8")
    for found in (
        pq.read_table(tmp_path / "converted.parquet"),
        pq.read_table(tmp_path / "command.parquet"),
        read_rows(pointed, drop_first_point=True),
        read_rows(tmp_path / "lines.jsonl", drop_first_point=True),
    ):
        rows = [words_of(row) for row in found["strokes"].combine_chunks()[:12]]
        strokes_found = [stroke for words in rows for word in words for stroke in word]
        assert len(strokes_found) == len(expected)
        for stroke, other in zip(strokes_found, expected, strict=True):
            assert np.allclose(stroke, other)


def test_functions_for_rows(scorer):
    words = [POINTED[0][:2], LINES[0][1:]]  # The first word has the point.
    explanation = explain(words, scorer=scorer, drop_first_point=True)
    expected = explain([LINES[0][:1], LINES[0][1:]], scorer=scorer)
    assert (explanation.score, explanation.level) == (expected.score, "word")
    assert explanation.effects.tolist() == expected.effects.tolist()
    sheet = ContactSheet(POINTED, scorer=scorer, drop_first_point=True)
    assert sheet.image.tobytes() == ContactSheet(LINES, scorer=scorer).image.tobytes()


def test_a_picture_and_the_rows_on_the_page(pointed, tmp_path, scorer):
    pytest.importorskip("starlette", reason="the extra `look` is not installed")
    from penpal_fast.look.serve.source_rows import SourceRows

    pq.write_table(table(LINES), tmp_path / "lines.parquet")
    for path, option in ((pointed, ["--drop-first-point"]), (tmp_path / "lines.parquet", [])):
        done = run("render", path, "--row", "1", "-o", tmp_path / f"{path.name}.png", *option)
        assert done.exit_code == 0, done.output
    pictures = [(tmp_path / f"{name}.parquet.png").read_bytes() for name in ("pointed", "lines")]
    assert pictures[0] == pictures[1]
    checks = [QualityCheck(scorer=scorer)]
    expected = SourceRows(str(tmp_path / "lines.parquet"), "strokes", checks).page(0, 13)
    assert SourceRows(str(pointed), "strokes", checks, drop_first_point=True).page(0, 13) == expected
    assert run("serve", "--help").output.count("--drop-first-point") == 1


def test_arrow_data_and_json_lines(pointed, tmp_path, scorer):
    expected = scorer.score(LINES)
    data = pq.read_table(pointed)
    for rows in (data, data.to_batches()[0], data.slice(0, 12)):
        found = ArrowScorer(backend="native", drop_first_point=True)(rows)
        assert found["quality"].to_pylist()[:12] == pytest.approx(expected.tolist(), abs=1e-4)
        assert found["strokes"].equals(rows["strokes"])
    lines = [json.dumps({"strokes": strokes(row)}) for row in POINTED]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    score_dataset(tmp_path / "lines.jsonl", tmp_path / "out.parquet", scorer=scorer, drop_first_point=True)
    assert np.allclose(pq.read_table(tmp_path / "out.parquet")["quality"].to_pylist(), expected, atol=1e-4)
    assert np.array_equal(scorer.score(without_first_points(POINTED)), expected)


def test_a_filter_takes_only_scores_made_so(pointed, tmp_path, scorer):
    kept, scored = tmp_path / "kept.parquet", tmp_path / "scored.parquet"
    settings = {"scorer": scorer, "threshold": 0.0}
    filter_dataset(pointed, kept, **settings, drop_first_point=True)
    assert pq.read_table(kept)["quality"].to_numpy() == pytest.approx(scorer.score(LINES), abs=1e-4)
    score_dataset(pointed, scored, scorer=scorer)
    with pytest.raises(PenpalError, match=r"scored\.parquet: its quality was not made with drop_first_point"):
        filter_dataset(scored, kept, **settings, drop_first_point=True)
    filter_dataset(scored, kept, **settings, drop_first_point=True, rescore=True)
    assert pq.read_table(kept)["quality"].to_numpy() == pytest.approx(scorer.score(LINES), abs=1e-4)
    score_dataset(pointed, scored, scorer=scorer, drop_first_point=True)
    assert filter_dataset(scored, kept, **settings, drop_first_point=True).kept == 12


def test_it_is_part_of_what_a_job_is(pointed, tmp_path, scorer):
    score_dataset(pointed, tmp_path / "folder", scorer=scorer, drop_first_point=True)
    with pytest.raises(PenpalError, match="the check 'quality': drop_first_point was True and is now None"):
        score_dataset(pointed, tmp_path / "folder", scorer=scorer, resume=True)
    assert score_dataset(pointed, tmp_path / "folder", scorer=scorer, drop_first_point=True, resume=True).rows == 13
    assert "drop_first_point" not in QualityCheck(scorer=scorer).identity
    with pytest.raises(PenpalError, match="give either checks or drop_first_point"):
        score_dataset(pointed, tmp_path / "out", checks=[QualityCheck(scorer=scorer)], drop_first_point=True)
    with pytest.raises(PenpalError, match="give either checks or drop_first_point"):
        ArrowScorer(checks=[QualityCheck()], drop_first_point=True)


def test_score_and_filter_commands(pointed, tmp_path):
    out = tmp_path / "out.parquet"
    for command in (["score"], ["filter", "--threshold", "0"]):
        done = run(*command, pointed, "-o", out, "--backend", "native", "--drop-first-point")
        assert done.exit_code == 0, done.output
        found = pq.read_table(out)["quality"].to_numpy()[:12]
        assert found == pytest.approx(Scorer(backend="native").score(LINES), abs=1e-4)


def test_read_and_explain_commands(pointed, tmp_path, reader_folder, reader):
    settings = ["--reader", reader_folder, "--backend", "native", "--text", "text"]
    near, lines = tmp_path / "near.parquet", tmp_path / "lines.parquet"
    pq.write_table(table([[[(line[0][0][0] - 9.0, line[0][0][1])], *line] for line in LINES]), near)
    pq.write_table(table(LINES), lines)
    for path in (pointed, near):
        printed = run("read", path, *settings, "--drop-first-point")
        assert printed.exit_code == 0, printed.output
        assert printed.output == run("read", lines, *settings).output
    assert printed.output != run("read", near, *settings).output
    assert run("read", pointed, *settings, "--drop-first-point", "-o", tmp_path / "out.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet")["reading"].to_pylist()[:12] == reader.read(
        table(LINES)["strokes"][:12]
    )
    explained = run("explain", pointed, "--row", "3", "--drop-first-point", "--reader", reader_folder)
    expected = run("explain", lines, "--row", "3", "--reader", reader_folder)
    assert explained.exit_code == 0, explained.output
    assert explained.output.replace("pointed", "lines") == expected.output
    assert explained.output != run("explain", pointed, "--row", "3", "--reader", reader_folder).output


def test_sheet_and_report_commands(pointed, tmp_path, reader_folder):
    lines = tmp_path / "lines.parquet"
    pq.write_table(table(LINES), lines)

    def written(command, source, ending, *settings):
        out = tmp_path / f"page{ending}"
        done = run(command, source, "-o", out, *settings)
        assert done.exit_code == 0, done.output
        return out.read_bytes().replace(b"pointed", b"lines")

    drop = "--drop-first-point"
    assert (
        written("sheet", pointed, ".png", drop) == written("sheet", lines, ".png") != written("sheet", pointed, ".png")
    )
    text = ["--text", "text", "--reader", reader_folder]
    dropped, plain = (
        written("report", source, ".html", *text, *more) for source, more in ((pointed, [drop]), (lines, []))
    )
    assert dropped == plain


class Stream:
    """Arrow data of another library."""

    def __init__(self, data):
        self._data = data

    def __arrow_c_stream__(self, requested_schema=None):
        return self._data.__arrow_c_stream__(requested_schema)


class Array(Stream):
    """The same, in one piece."""

    __arrow_c_stream__ = property()

    def __arrow_c_array__(self, requested_schema=None):
        return self._data.__arrow_c_array__(requested_schema)


def test_of_a_table_the_strokes_are_taken(pointed):
    found = pq.read_table(pointed)
    expected = without_first_points(found["strokes"])
    for rows in (found, found.to_batches()[0], found.to_reader(), found.to_pandas()):
        repaired = without_first_points(rows)
        assert len(repaired) == len(expected)
        for row, other in zip(repaired[:12], expected[:12], strict=True):
            drawn, wanted = ([stroke for word in words_of(one) for stroke in word] for one in (row, other))
            assert all(map(np.array_equal, drawn, wanted))
    for rows in (
        Stream(found),
        Stream(found["strokes"]),
        Array(found.to_batches()[0]),
        Array(found["strokes"].chunk(0)),
    ):
        assert without_first_points(rows).to_pylist() == expected.to_pylist()
    with pytest.raises(PenpalError, match="no column 'strokes'"):
        without_first_points(found.drop(["strokes"]))
