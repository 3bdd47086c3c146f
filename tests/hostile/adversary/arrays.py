"""Arrow arrays of random types and layouts: refused, or the scores that the same rows have as Python lists."""

from __future__ import annotations

import contextlib
import json
import math
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.arrow import runs
from hostile.adversary.material import EXTREMES, GOOD, any_row, good_scores, scorer
from penpal_fast import ArrowScorer, PenpalError, QualityCheck

NUMBERS = [
    pa.float64(),
    pa.float32(),
    pa.int32(),
    pa.int64(),
    pa.int16(),
    pa.uint8(),
    pa.float16(),
    pa.decimal128(9, 2),
]

OTHERS = [
    pa.null(),
    pa.string(),
    pa.large_binary(),
    pa.bool_(),
    pa.timestamp("us"),
    pa.dictionary(pa.int8(), pa.string()),
    pa.binary(3),
    pa.month_day_nano_interval(),
    pa.decimal256(60, -2),
]


def trial(chance: random.Random, _folder: Path) -> None:
    """Score twenty arrays."""
    for _ in range(20):
        chance.choice((_true, _true, _any_type, _any_values, _shared, _lying, _table))(chance)


def _true(chance: random.Random) -> None:
    """Store rows in one of the layouts, and compare with Python lists."""
    array, rows = _stored(chance)
    start, stop = sorted(chance.randrange(len(rows) + 1) for _ in range(2))
    array, rows = array.slice(start, stop - start), rows[start:stop]
    expected = scorer().score(rows, errors="null")
    assert np.array_equal(scorer().score(array, errors="null"), expected, equal_nan=True)
    if len(rows):
        cut = chance.randrange(len(rows))
        chunked = pa.chunked_array([array.slice(0, cut), array.slice(cut), array.slice(0, 0)], array.type)
        assert np.array_equal(scorer().score(chunked, errors="null"), expected, equal_nan=True)


def _stored(chance: random.Random) -> tuple[pa.Array, list[object]]:
    """Return a column in one of the layouts, and its rows as Python lists."""
    rows = [any_row(chance) if chance.random() < 0.6 else chance.choice(GOOD) for _ in range(chance.randrange(12))]
    wide = chance.choice((pa.list_, pa.large_list))
    number = chance.choice((pa.float64(), pa.float32()))
    point = chance.choice(
        (pa.struct([("x", number), ("y", number)]), pa.list_(number), pa.list_(number, 2), pa.large_list(number))
    )
    is_struct, has_words, is_struct_of_points = chance.random() < 0.5, chance.random() < 0.3, pa.types.is_struct(point)
    strokes = wide(point)
    if is_struct:
        strokes = pa.struct([("points", strokes)])
    kind = pa.list_(wide(strokes)) if has_words else wide(strokes)
    if number == pa.float32():
        rows = [[[_as_float32(*point) for point in stroke] for stroke in row] for row in rows]

    def stored_stroke(stroke: list[tuple[float, float]]) -> object:
        points = [{"x": x, "y": y} if is_struct_of_points else [x, y] for x, y in stroke]
        return {"points": points} if is_struct else points

    values = [[stored_stroke(stroke) for stroke in row] for row in rows]
    if has_words:
        values = [[[stroke] for stroke in row] for row in values]
    given: list[object] = list(rows)
    for row in range(len(rows)):
        if chance.random() < 0.1:
            values[row] = given[row] = None
    return pa.array(values, kind), given


def _as_float32(x: float, y: float) -> tuple[float, float]:
    with np.errstate(over="ignore"):
        return tuple(value if math.isfinite(value) else 1.0 for value in np.float32([x, y]).astype(float).tolist())


def _kind(chance: random.Random, depth: int = 0) -> pa.DataType:
    if depth > 4 or chance.random() < 0.15:
        return chance.choice(NUMBERS + OTHERS)
    inner = _kind(chance, depth + 1)
    makers = [
        pa.list_,
        pa.large_list,
        lambda one: pa.list_(one, chance.randrange(4)),
        lambda one: pa.struct([("points", one)]),
        lambda one: pa.struct([("x", one), ("y", chance.choice((one, _kind(chance, depth + 1))))]),
        lambda one: pa.struct([(chance.choice(("x", "y", "points", "")), one) for _ in range(chance.randrange(4))]),
        lambda one: pa.map_(pa.string(), one),
        lambda one: pa.run_end_encoded(pa.int32(), one),
        lambda one: pa.dense_union([pa.field("a", one), pa.field("b", pa.int8())]),
    ]
    if hasattr(pa, "list_view"):
        makers.append(pa.list_view)
    return chance.choice(makers)(inner)


def _any_type(chance: random.Random) -> None:
    """Null rows of any type have no score, or the type is refused."""
    kind = _kind(chance)
    try:
        array = pa.nulls(chance.randrange(5), kind)
    except (pa.ArrowException, NotImplementedError):
        return
    array = array.slice(chance.randrange(len(array) + 1))
    try:
        quality = scorer().score(array, errors="null")
    except PenpalError as error:
        assert len(str(error)) < 5000
        return
    assert len(quality) == len(array)
    assert np.isnan(quality).all()


def _any_values(chance: random.Random) -> None:
    """Rows of any type and values, whatever layout they look like, have a score or a reason; or they are refused."""
    kind = _kind(chance)
    try:
        array = pa.array([_value(kind, chance) for _ in range(chance.randrange(6))], kind)
    except (pa.ArrowException, NotImplementedError, TypeError, ValueError, OverflowError):
        return
    _scored_or_refused(array.slice(chance.randrange(len(array) + 1)))


def _value(kind: pa.DataType, chance: random.Random) -> object:
    if chance.random() < 0.1:
        return None
    if pa.types.is_struct(kind):
        return {field.name: _value(field.type, chance) for field in kind}
    if pa.types.is_map(kind):
        return [("a", _value(kind.item_type, chance))]
    if pa.types.is_fixed_size_list(kind):
        return [_value(kind.value_type, chance) for _ in range(kind.list_size)]
    if hasattr(kind, "value_type") and not pa.types.is_dictionary(kind):
        return [_value(kind.value_type, chance) for _ in range(chance.choice((0, 1, 2, 3, 5)))]
    if pa.types.is_floating(kind):
        return chance.choice((*EXTREMES, chance.uniform(-9, 9), math.nan, math.inf))
    if pa.types.is_integer(kind):
        return chance.choice((0, 1, 1, 2, chance.randrange(100)))
    return chance.choice((True, "[[[0, 0], [1, 1]]]", "{", "7", 1, b"\xff", b"123"))


def _scored_or_refused(array: pa.Array) -> None:
    try:
        found = ArrowScorer(checks=[QualityCheck(scorer=scorer())])(pa.table({"strokes": array}))
    except PenpalError as error:
        assert len(str(error)) < 5000
        return
    assert found.num_rows == len(array)
    problems = found["quality_error"].to_pylist()
    assert [score is None for score in found["quality"].to_pylist()] == [text is not None for text in problems]


def _shared(chance: random.Random) -> None:
    """Rows that are parts of others have the scores of these; those of which too much is claimed are refused."""
    some = chance.sample(range(len(GOOD)), 3)
    rows = [chance.randrange(3) for _ in range(chance.randrange(1, 9))]
    kind = chance.choice((pa.list_, pa.large_list))
    lists = pa.array([GOOD[one] for one in some], kind(kind(pa.list_(pa.float64()))))
    texts = pa.array([json.dumps(GOOD[one]) for one in some], chance.choice((pa.string(), pa.large_string())))
    values = chance.choice((lists, texts))
    array = pa.DictionaryArray.from_arrays(pa.array(rows, pa.int16()), values)
    if values is lists and hasattr(pa, "ListViewArray") and chance.random() < 0.5:
        wide = lists.cast(pa.large_list(lists.type.value_type))
        starts, lengths = wide.offsets[:-1].take(rows), pc.list_value_length(wide).take(rows)
        array = pa.LargeListViewArray.from_arrays(starts, lengths, wide.values)
    elif values is texts and chance.random() < 0.5:
        rows = sorted(rows)
        ends = [sum(row <= one for row in rows) for one in sorted(set(rows))]
        array = runs(ends, texts.take(sorted(set(rows))))
    start = chance.randrange(len(rows) + 1)
    if start < len(rows):
        found = ArrowScorer(checks=[QualityCheck(scorer=scorer())])(pa.table({"strokes": array.slice(start)}))
        assert found["quality"].to_pylist() == [good_scores()[some[row]] for row in rows[start:]]
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1 << 20, np.int32)), values)
    with contextlib.suppress(PenpalError):
        ArrowScorer(checks=[QualityCheck(scorer=scorer())])(pa.table({"strokes": many}))
        raise AssertionError("a million rows were taken from one")


def _lying(chance: random.Random) -> None:
    """Offsets that lie cost their rows; PyArrow looks at few of them."""
    x = pa.array(np.arange(8, dtype=chance.choice((np.float32, np.float64))))
    points = pa.StructArray.from_arrays([x, x], ["x", "y"])

    def offsets(end: int) -> list[int]:
        inner = [chance.choice((chance.randrange(-3, 12), 2**31 - 1, -(2**31))) for _ in range(chance.randrange(7))]
        return [0, *inner, end]

    def lists(starts: list[int], values: pa.Array) -> pa.Array:
        nulls = pa.py_buffer(chance.randbytes(2)) if chance.random() < 0.3 else None
        buffers = [nulls, pa.py_buffer(np.array(starts, np.int32))]
        return pa.Array.from_buffers(pa.list_(values.type), len(starts) - 1, buffers, children=[values])

    strokes = lists(offsets(8), points)
    quality = scorer().score(lists(offsets(len(strokes)), strokes), errors="null")
    assert all(math.isnan(value) or 0 <= value <= 1 for value in quality)


def _table(chance: random.Random) -> None:
    """Any columns beside the strokes come back as they were."""
    rows = [chance.choice(GOOD) for _ in range(chance.randrange(1, 6))]
    table = pa.table({"strokes": pa.array(rows, pa.list_(pa.list_(pa.list_(pa.float64()))))})
    for name in ("text", "a", "\ud7ff", "quality"):
        if chance.random() < 0.5:
            try:
                column = pa.nulls(len(rows), _kind(chance))
                column.validate()
                table = table.append_column(name, column)
            except (pa.ArrowException, NotImplementedError):
                continue
    try:
        scored = ArrowScorer(checks=[QualityCheck(scorer=scorer())])(table)
    except PenpalError as error:
        assert "quality" in table.column_names, error
        return
    assert scored.num_rows == len(rows)
    assert scored["quality"].to_pylist() == [good_scores()[GOOD.index(row)] for row in rows]
    for name in set(table.column_names) - {"quality"}:
        assert scored[name].type == table[name].type
        assert scored[name].null_count == table[name].null_count
