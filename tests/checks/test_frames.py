"""Tables of other libraries: data frames, Hugging Face datasets, dicts of columns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.made_lines import scrawl
from helpers.models import random_reader
from penpal_fast import ArrowScorer, ContactSheet, PenpalError, Reader, Scorer, explain
from penpal_fast.checks.check import Outcome

# Numbers that float32 holds, so that the rows are the same in all types.
ROWS = [
    [[(round(8 * x) / 8, round(8 * y) / 8) for x, y in stroke] for stroke in scrawl(seed, 3, 15)] for seed in range(6)
]
TEXTS = [f"line {row}" for row in range(6)]


@pytest.fixture(scope="module")
def expected(scorer):
    return scorer.score(ROWS)


def cells(kind):
    """The rows in layouts that cells of a data frame have."""
    if kind == "lists":
        return ROWS
    if kind == "dicts":
        return [[{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in row] for row in ROWS]
    return [[np.array(stroke) for stroke in row] for row in ROWS]


@pytest.mark.parametrize("kind", ["lists", "dicts", "arrays"])
def test_data_frames_are_tables_of_rows(scorer, expected, kind):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    # Labels that are no numbers of rows, as after a selection.
    frame = pandas.DataFrame({"text": TEXTS, "ink": cells(kind)}, index=range(10, 16))
    np.testing.assert_array_equal(scorer.score(frame, column="ink"), expected)
    np.testing.assert_array_equal(scorer.score(frame["ink"]), expected)
    scored = ArrowScorer(column="ink", backend="native")(frame)
    assert list(scored.columns) == ["text", "ink", "quality", "quality_error", "quality_note"]
    np.testing.assert_array_equal(scored["quality"].to_numpy(), expected)
    pandas.testing.assert_frame_equal(scored[["text", "ink"]], frame)
    sheet = ContactSheet(frame, column="ink", texts=frame["text"], scorer=scorer)
    assert sheet.image.tobytes() == ContactSheet(ROWS, texts=TEXTS, scorer=scorer).image.tobytes()
    renamed = frame.rename(columns={"ink": "strokes"})
    assert explain(renamed.iloc[2], scorer=scorer).score == pytest.approx(float(expected[2]), abs=1e-6)
    with pytest.raises(PenpalError, match=r"take one row of it, such as frame\['strokes'\]\.iloc\[0\]"):
        explain(renamed, scorer=scorer)
    with pytest.raises(PenpalError, match=r"a column of rows; take one row of it, such as column\.iloc\[0\]"):
        explain(renamed["strokes"], scorer=scorer)
    with pytest.raises(PenpalError, match="no column 'strokes'; name the one that is meant with column=\nthe columns"):
        scorer.score(frame)


def test_scores_of_a_data_frame_go_where_its_rows_are(expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    frame = pandas.DataFrame({"strokes": cells("lists"), "text": TEXTS}, index=[3, 3, 1, 0, 9, 7])
    frame.at[9, "strokes"] = None
    add_scores = ArrowScorer(backend="native")
    scored = add_scores(frame)
    assert type(scored) is type(frame)
    assert scored.index.equals(frame.index)
    assert list(frame.columns) == ["strokes", "text"]
    assert scored["quality"].dtype == np.float32
    right = np.where(frame["strokes"].isna(), np.float32(np.nan), expected)
    np.testing.assert_array_equal(scored["quality"].to_numpy(), right)
    assert scored["quality_error"].notna().tolist() == frame["strokes"].isna().tolist()
    assert scored.loc[9, "quality_error"] == "null: the row is null"
    again = add_scores(scored.assign(quality=np.float32(0), more=1))
    assert list(again.columns) == ["strokes", "text", "more", "quality", "quality_error", "quality_note"]
    np.testing.assert_array_equal(again["quality"].to_numpy(), right)
    assert add_scores(frame[:0]).shape == (0, 5)


@pytest.mark.parametrize("name", ["self", "strokes_quality"])
def test_scores_of_a_data_frame_get_any_name(expected, name):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    index = pandas.MultiIndex.from_product([["a", "b"], [1, 2, 3]], names=["strokes", name])
    frame = pandas.DataFrame({"strokes": cells("lists")}, index=index)
    scored = ArrowScorer(backend="native", quality_column=name)(frame)
    assert scored.index.equals(index)
    np.testing.assert_array_equal(scored[name].to_numpy(), expected)


def test_data_frames_of_other_types(scorer, expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    plain = pandas.DataFrame({"strokes": cells("arrays"), "text": TEXTS, "id": range(6)})
    strokes = pandas.Series(column(ROWS), dtype=pandas.ArrowDtype(column(ROWS).type))
    nested = [np.array([*map(np.array, row), None], dtype=object)[:-1] for row in ROWS]
    frames = {
        "nullable": plain.convert_dtypes(),
        "labelled": plain.set_index("text").assign(text=pandas.Categorical(TEXTS)),
        "Arrow": plain.assign(strokes=strokes, id=pandas.array([1, None] * 3, dtype="Int64")),
        "arrays of arrays": plain.assign(strokes=nested),
    }
    for frame in frames.values():
        np.testing.assert_array_equal(scorer.score(frame), expected)
        np.testing.assert_array_equal(scorer.score(frame[::-1]), expected[::-1])
        scored = ArrowScorer(backend="native")(frame)
        np.testing.assert_array_equal(scored["quality"].to_numpy(), expected)
        pandas.testing.assert_frame_equal(scored[list(frame.columns)], frame)
        assert ContactSheet(frame, scorer=scorer).image.size == ContactSheet(ROWS, scorer=scorer).image.size
        for row in (frame.iloc[2], frame["strokes"].iloc[2], frame.to_dict("records")[2]):
            assert explain(row, scorer=scorer).score == pytest.approx(float(expected[2]), abs=1e-6)


def test_columns_of_data_frames_that_no_check_reads_hold_anything(expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    plain = pandas.DataFrame({"strokes": cells("lists"), "text": TEXTS})
    others = {
        "pictures": [object() for _ in ROWS],
        "complex": np.ones(6, complex),
        "sparse": pandas.arrays.SparseArray([0] * 6),
        "mixed": [{"a": 1}, [1]] * 3,
        5: range(6),
    }
    frames = [plain.assign(**{str(name): cells}).rename(columns={"5": 5}) for name, cells in others.items()]
    for frame in (*frames, pandas.concat([plain, plain[["text"]]], axis=1)):
        scored = ArrowScorer(backend="native")(frame)
        np.testing.assert_array_equal(scored["quality"], expected)
        pandas.testing.assert_frame_equal(scored.iloc[:, : len(frame.columns)], frame)
    for frame in (plain.assign(quality=[{"a": 1}, [1]] * 3), plain.assign(text=[{"a": 1}, [1]] * 3)):
        with pytest.raises(
            PenpalError, match=r"cannot become Arrow: .*leave columns out, such as with frame\[\['strokes'"
        ):
            ArrowScorer(text="text", backend="native")(frame)


def test_a_check_that_reads_no_column_of_a_data_frame_sees_its_rows():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    check = SimpleNamespace(
        name="half",
        description="",
        reads=(),
        details={},
        thresholds={},
        prepare=lambda _schema: None,
        look=lambda rows: Outcome(np.full(len(rows), 0.5, np.float32), {}),
    )
    assert ArrowScorer(checks=[check])(pandas.DataFrame({"text": TEXTS}))["half"].tolist() == [0.5] * 6


@pytest.mark.parametrize("names", [("dx", "dy", "eos"), ("x", "y", "pen_up"), ("x", "y")])
def test_columns_without_values_may_stand_for_strokes(names):
    """A data frame without rows has lost the types of its lists, and so has one whose cells are all missing."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    cell = [[3.0, 4.0, 5.0], [1.0, 9.0, 2.0], [0, 0, 1]] if len(names) == 3 else [[[3.0, 4.0]], [[1.0, 9.0]]]
    frame = pandas.DataFrame({name: [some] for name, some in zip(names, cell, strict=True)})
    score = ArrowScorer(backend="native")
    added = ["quality", "quality_error", "quality_note"]
    for rows in (0, 2):
        nothing = pandas.DataFrame({name: [None] * rows for name in names}, dtype=object)
        for data in (nothing, nothing.to_dict("list"), pa.table({name: pa.nulls(rows) for name in names})):
            found = score(data)
            assert list(found if isinstance(found, dict) else getattr(found, "column_names", found)) == [*names, *added]
            assert list(map(str, found["quality_error"])) == ["null: the row is null"] * rows
    assert score(frame)["quality"].notna().all()


def test_a_column_that_only_may_be_there_is_no_part_of_the_strokes():
    rows = {"x": [[[3.0, 4.0]]], "y": [[[1.0, 9.0]]]}
    found = ArrowScorer(backend="native")(pa.table({**rows, "pen_up": pa.nulls(1)}))
    assert found["quality"].equals(ArrowScorer(backend="native")(pa.table(rows))["quality"])
    assert found["quality"].null_count == 0


def test_scores_of_a_data_frame_are_replaced_by_those_of_the_other_check_of_the_reader(tmp_path):
    """A data frame does not say who wrote its columns."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    frame = pandas.DataFrame({"strokes": cells("lists"), "text": TEXTS})
    reader = random_reader(tmp_path)
    with_text = ArrowScorer(text="text", reading=True, reader=reader, backend="native")
    without = ArrowScorer(reading=True, reader=reader, backend="native")
    for first, then in ((with_text, without), (without, with_text)):
        found = then(first(frame))
        for name in ("reading", "readability"):
            pandas.testing.assert_series_equal(found[name], then(frame)[name])
    with pytest.raises(PenpalError, match="'reading', which no check wrote"):
        without(frame.assign(reading="mine"))


def test_a_column_is_no_table():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    frame = pandas.DataFrame({"strokes": cells("lists"), "text": TEXTS})
    for rows in (frame["strokes"], frame["text"], frame["text"].astype("string"), column(ROWS)):
        with pytest.raises(PenpalError, match="expected a pyarrow RecordBatch or Table, got"):
            ArrowScorer()(rows)


@pytest.mark.parametrize("settings", [{"quality_column": ""}, {"quality_column": 5}, {"column": 5}], ids=str)
def test_names_are_texts(settings):
    with pytest.raises(PenpalError, match="must be"):
        ArrowScorer(**settings)


def test_a_reader_takes_tables_of_other_libraries(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    reader = Reader(random_reader(tmp_path), backend="native")
    frame = pandas.DataFrame({"ink": cells("arrays"), "text": TEXTS}, index=range(10, 16))
    assert reader.read(frame, column="ink") == reader.read(ROWS)
    np.testing.assert_array_equal(reader.match(frame, frame["text"], column="ink"), reader.match(ROWS, TEXTS))


def test_missing_texts_of_data_frames_are_null(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    scorer = ArrowScorer(text="text", reader=random_reader(tmp_path), backend="native")
    expected = [row["text_match"] for row in scorer(pa.table({"strokes": column(ROWS), "text": TEXTS})).to_pylist()]
    for texts in (pandas.Series([pandas.NA, *TEXTS[1:]], dtype="string"), [float("nan"), *TEXTS[1:]]):
        frame = pandas.DataFrame({"strokes": cells("lists"), "text": texts})
        np.testing.assert_array_equal(scorer(frame)["text_match"], np.array([np.nan, *expected[1:]], np.float32))
        assert scorer(frame.to_dict("list"))["text_match"] == [None, *expected[1:]]
    nowhere = pandas.DataFrame({"strokes": cells("lists"), "text": [float("nan")] * 6})
    for found in (scorer(nowhere)["text_match_error"].tolist(), scorer(nowhere.to_dict("list"))["text_match_error"]):
        assert found == ["no text: the text is null"] * 6


def test_columns_of_a_dict_are_checked(tmp_path):
    scorer = ArrowScorer(text="text", reader=random_reader(tmp_path), backend="native")
    for texts, message in (
        (TEXTS[:5], "the columns of a dict must be of the same length: .*expected length"),
        ("abcdef", "the column 'text' must have a value for each row, got one str"),
        ([1, *TEXTS[1:]], "the column 'text' cannot become Arrow"),
        ([1.5] * 6, "the column 'text' does not hold texts but double"),
        ([1.5, *[float("nan")] * 5], "the column 'text' does not hold texts but double"),
    ):
        with pytest.raises(PenpalError, match=message):
            scorer({"strokes": cells("lists"), "text": texts})


def test_polars_frames_are_tables_of_rows(scorer, expected):
    polars = pytest.importorskip("polars", reason="polars is not installed; pip install '.[cluster]' brings it")
    frame = polars.DataFrame(pa.table({"strokes": column(ROWS), "text": TEXTS}))
    for rows in (frame, frame["strokes"]):
        np.testing.assert_array_equal(scorer.score(rows), expected)
        assert ContactSheet(rows, scorer=scorer).image.size == ContactSheet(ROWS, scorer=scorer).image.size
    assert ArrowScorer(backend="native")(frame)["quality"].to_pylist() == expected.tolist()
    for row in (frame["strokes"][2], frame.row(2, named=True)):
        assert explain(row, scorer=scorer).score == pytest.approx(float(expected[2]), abs=1e-6)
    with pytest.raises(PenpalError, match=r"take one row of it, such as table\['strokes'\]\[0\]"):
        explain(frame, scorer=scorer)
    with pytest.raises(PenpalError, match=r"a column of rows; take one row of it, such as column\[0\]"):
        explain(frame["strokes"], scorer=scorer)
    with pytest.raises(PenpalError, match="expected a pyarrow RecordBatch or Table, got Series"):
        ArrowScorer()(frame["strokes"])
    with pytest.raises(PenpalError, match=r"give frame\.collect\(\)"):
        scorer.score(frame.lazy())


def test_missing_cells_of_data_frames_are_null(scorer, expected):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; pip install '.[test]' brings it")
    frame = pandas.DataFrame({"strokes": [ROWS[0], None, float("nan"), pandas.NA]})
    found = scorer.score(frame, errors="null")
    np.testing.assert_array_equal(found, [expected[0], np.nan, np.nan, np.nan])


def test_hugging_face_datasets_are_tables_of_rows(scorer, expected, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed; pip install '.[test]' brings it")
    data = datasets.Dataset(pa.table({"strokes": column(ROWS), "text": TEXTS})).select([5, 4, 3, 2, 1, 0])
    np.testing.assert_array_equal(scorer.score(data), expected[::-1])
    np.testing.assert_array_equal(scorer.score(data["strokes"]), expected[::-1])
    assert ContactSheet(data, scorer=scorer).image.size == ContactSheet(ROWS, scorer=scorer).image.size
    assert explain(data[0], scorer=scorer).score == pytest.approx(float(expected[5]), abs=1e-6)
    for mapped in (
        data.map(ArrowScorer(backend="native"), batched=True, batch_size=4),
        data.with_format("arrow").map(ArrowScorer(backend="native"), batched=True, batch_size=4).with_format(None),
        data.with_format("numpy").map(ArrowScorer(backend="native"), batched=True, batch_size=4).with_format(None),
    ):
        assert mapped.column_names == ["strokes", "text", "quality", "quality_error", "quality_note"]
        np.testing.assert_array_equal(np.array(mapped["quality"][:], np.float32), expected[::-1])
        assert mapped["text"][:] == TEXTS[::-1]
        assert mapped.features["strokes"] == data.features["strokes"]
    stream = data.to_iterable_dataset()
    scored = stream.map(ArrowScorer(backend="native"), batched=True)
    np.testing.assert_array_equal(np.array([row["quality"] for row in scored], np.float32), expected[::-1])
    advice = r'this dataset is a stream; .* data\.with_format\("arrow"\)\.map\(ArrowScorer\(\), batched=True\)'
    with pytest.raises(PenpalError, match=advice):
        scorer.score(stream)
    stream.with_format("arrow").map(ArrowScorer(backend="native"), batched=True, batch_size=2).to_parquet(
        tmp_path / "stream.parquet"
    )
    saved = pq.read_table(tmp_path / "stream.parquet")
    assert saved["quality"].equals(pa.chunked_array([expected[::-1]]))
    assert saved.schema.field("quality_note").type == pa.string()
    with pytest.raises(PenpalError, match=r"choose one of 'train', such as data\['train'\]"):
        scorer.score(datasets.DatasetDict(train=data))
    with pytest.raises(PenpalError, match=r"take one row of it, such as dataset\[0\]\['strokes'\]"):
        explain(data, scorer=scorer)


@pytest.mark.parametrize("kind", ["lists", "dicts", "arrays"])
def test_dicts_of_columns_get_columns(scorer, expected, kind):
    batch = {"strokes": [*cells(kind), None], "other": [object()] * 7}
    found = ArrowScorer(backend="native")(batch)
    assert list(found) == ["strokes", "other", "quality", "quality_error", "quality_note"]
    assert found["strokes"] is batch["strokes"]
    np.testing.assert_array_equal(np.array(found["quality"][:6], np.float32), expected)
    assert (found["quality"][6], found["quality_error"][6]) == (None, "null: the row is null")
    np.testing.assert_array_equal(scorer.score(batch, errors="null")[:6], expected)
    with pytest.raises(PenpalError, match="no column 'strokes'"):
        ArrowScorer()({"ink": ROWS})


def test_one_row_of_a_table_is_asked_for(scorer):
    with pytest.raises(PenpalError, match=r"take one row of it, such as table\['strokes'\]\[0\]"):
        explain(pa.table({"strokes": column(ROWS)}), scorer=scorer)
    with pytest.raises(PenpalError, match=r"take one row of it, such as column\[0\]"):
        explain(pa.table({"strokes": column(ROWS)})["strokes"], scorer=scorer)


def test_a_table_may_be_shown(scorer):
    table = pa.table({"ink": column(ROWS)})
    assert ContactSheet(table, column="ink", scorer=scorer).image.tobytes() == (
        ContactSheet(ROWS, scorer=scorer).image.tobytes()
    )


def test_the_column_of_scores_may_have_another_name(caplog):
    table = pa.table({"strokes": column(ROWS), "quality": ["mine"] * 6})
    assert ArrowScorer(backend="native")(table)["quality"].type == pa.float32()
    assert "the column 'quality' was not written by a check" in caplog.text
    caplog.clear()
    found = ArrowScorer(backend="native", quality_column="looks")(table)
    assert found.schema.names == ["strokes", "quality", "looks", "looks_error", "looks_note"]
    np.testing.assert_array_equal(found["looks"].to_numpy(), Scorer(backend="native").score(ROWS))
    assert ArrowScorer(backend="native", quality_column="looks")(found).equals(found)
    assert caplog.text == ""


@pytest.mark.parametrize("kind", ["pandas", "arrow", "dict"])
@pytest.mark.parametrize("names", [("dx", "dy", "eos"), ("x", "y", "pen_up")])
def test_strokes_in_several_columns_are_sent_to_who_reads_them(scorer, kind, names):
    cells = dict(zip(names, [[[1.0, -2.0, 3.0]], [[1.0, 2.0, -4.0]], [[0, 0, 1]]], strict=True))
    table = pa.table(cells) if kind == "arrow" else cells
    if kind == "pandas":
        table = pytest.importorskip("pandas", reason="pandas is not installed").DataFrame(cells)
    with pytest.raises(
        PenpalError, match=rf"no column 'strokes', but '{names[0]}' and .* read by ArrowScorer"
    ) as error:
        scorer.score(table)
    assert ("strokes_from_offsets" in str(error.value)) == (names[0] == "dx")
