"""Handlers of signals that raise within the methods of a row: the call ends with their exception, and no row is bad."""

from __future__ import annotations

import contextlib
import functools
import signal
from collections import UserList

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penpal_fast
from penpal_fast import (
    ArrowScorer,
    ContactSheet,
    PenpalError,
    QualityCheck,
    Reader,
    Scorer,
    convert_dataset,
    files,
    filter_dataset,
    score_dataset,
)
from penpal_fast.interrupts import is_from_handler
from penpal_fast.sources import parquet, parquet_footer, stroke_decoder

POINTS = [(0.0, 0.0), (9.0, 4.0)]


class ExpiredError(Exception):
    """What a handler raises."""


def plain(_number, _frame):
    raise ExpiredError


def of_any(*_arguments):
    raise ExpiredError


def forgetful(number, frame):
    del number, frame
    raise ExpiredError


def deep(number, frame):
    plain(number, frame)


def wanted(_name, _number, _frame):
    raise ExpiredError


class Owner:
    def method(self, _number, _frame):
        raise ExpiredError

    def __call__(self, number, frame):
        del number, frame
        raise ExpiredError


HANDLERS = {
    "a function": plain,
    "of any arguments": of_any,
    "that drops its frame": forgetful,
    "that calls another": deep,
    "a partial": functools.partial(wanted, "name"),
    "a method": Owner().method,
    "an object": Owner(),
    "a lambda": lambda *_: [][0],
}


@contextlib.contextmanager
def handled_by(handler):
    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def alarm():
    signal.raise_signal(signal.SIGALRM)


class Items(UserList):
    """A list in Python, in which an alarm goes off."""

    def __getitem__(self, index):
        alarm()
        return self.data[index]


class Length(UserList):
    def __len__(self):
        alarm()
        return len(self.data)


class Iterated:
    def __len__(self):
        return 2

    def __iter__(self):
        alarm()
        return iter(POINTS)


class Number:
    def __float__(self):
        alarm()
        return 1.0


class Scalar:
    def as_py(self):
        alarm()
        return [POINTS]


class Checked:
    @property
    def __class__(self):
        alarm()
        return object


ROWS = {
    "rows": Items([[POINTS]] * 3),
    "a row": [Items([POINTS])],
    "a stroke": [[Items(POINTS)]],
    "a point": [[[Items((0.0, 1.0)), (1.0, 1.0)]]],
    "a length": [Length([POINTS])],
    "an iterator": [[Iterated()]],
    "a number": [[[(Number(), 0.0), (1.0, 1.0)]]],
    "a scalar": [Scalar()],
    "a class": [[Checked()]],
}
"""Rows, by where the alarm goes off."""


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_what_a_handler_raises_ends_the_call(rows, handler):
    with handled_by(handler), pytest.raises((ExpiredError, IndexError)):
        penpal_fast.render_batch(rows, threads=1)


CALLS = {
    "scoring": lambda rows: Scorer(backend="native").score(rows),
    "outcomes": lambda rows: Scorer(backend="native").outcome(rows),
    "reading": lambda rows: Reader(backend="native").read(rows),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_ends(call):
    for rows in ROWS.values():
        with handled_by(plain), pytest.raises(ExpiredError):
            call(rows)


STROKES = pa.record_batch({"strokes": [[[dict(zip("xy", point, strict=True)) for point in POINTS]]]})


def stream(act):
    """A stream of PyArrow in whose Python code something happens."""

    def batches():
        yield STROKES
        act()
        yield STROKES

    return pa.RecordBatchReader.from_batches(STROKES.schema, batches())


STREAM_CALLS = CALLS | {
    "tables": lambda rows: ArrowScorer(checks=[QualityCheck(backend="native")])(rows),
    "rendering": lambda rows: penpal_fast.render_batch(rows, threads=1),
    "rendering into memory": lambda rows: penpal_fast.render_into(rows, np.empty((2, 256, 256, 1), np.float32)),
    "first points": lambda rows: penpal_fast.without_first_points(rows),
    "a sheet": lambda rows: ContactSheet(rows, scorer=Scorer(backend="native")),
}


@pytest.mark.parametrize("call", STREAM_CALLS.values(), ids=STREAM_CALLS)
def test_what_is_raised_while_a_stream_of_arrow_is_read(call):
    with handled_by(plain), pytest.raises(ExpiredError):
        call(stream(alarm))
    with pytest.raises(KeyboardInterrupt):
        call(stream(lambda: signal.raise_signal(signal.SIGINT)))
    with pytest.raises(PenpalError, match="cannot read the Arrow data"):
        call(stream(lambda: [][0]))
    call(stream(lambda: None))


def test_rows_are_read_where_a_handler_raises_nothing():
    heard = []
    with handled_by(lambda *_: heard.append(1)):
        assert len(penpal_fast.render_batch([[Items(POINTS)]], threads=1)) == 1
    assert heard


class Own(UserList):
    """A list whose own methods raise, also with arguments that look like those of a handler's."""

    def __getitem__(self, index):
        raise ExpiredError(f"{index}")


def test_what_a_row_raises_is_its_own_after_a_handler_too():
    with handled_by(plain):
        try:
            alarm()
        except ExpiredError:
            with pytest.raises(PenpalError, match="row 1"):
                penpal_fast.render_batch([[POINTS], Own([POINTS])], threads=1)


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_a_handler_is_known_by_its_frames(handler):
    with handled_by(handler):
        try:
            alarm()
        except (ExpiredError, IndexError) as error:
            assert is_from_handler(error.__traceback__)
        try:
            Own([1])[0]
        except ExpiredError as error:
            assert not is_from_handler(error.__traceback__)


def generated(one, other):
    """A generator that fails, with variables that hold nothing."""
    yield one
    [][other or 0]


def test_what_a_generator_raises_is_not_of_a_handler():
    try:
        list(generated(1, None))
    except IndexError as error:
        assert not is_from_handler(error.__traceback__)
    with pytest.raises(PenpalError, match="row 1"):
        penpal_fast.render_batch([[POINTS], Generated([POINTS])], threads=1)


class Generated(UserList):
    def __getitem__(self, index):
        return list(generated(self.data[index], None))


JOBS = {
    "score": lambda lines, output: score_dataset(lines, output, scorer=Scorer(backend="native")),
    "filter": lambda lines, output: filter_dataset(lines, output, scorer=Scorer(backend="native"), threshold=0),
    "convert": lambda lines, output: convert_dataset(lines, output),
}

MOMENTS = {
    "the footer is read": (parquet_footer, "_tail"),
    "strokes are decoded": (stroke_decoder, "_read"),
    "rows are joined": (parquet, "joined"),
    "a page is decompressed": (stroke_decoder, "_decompressed"),
    "the output is looked at": (files, "_status"),
}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
@pytest.mark.parametrize(("module", "name"), MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("error", [TimeoutError, ConnectionError])
def test_what_a_handler_raises_is_no_damage(tmp_path, monkeypatch, job, module, name, error):
    """These are kinds of OSError, which reading and writing raise too."""
    lines = tmp_path / "lines.parquet"
    pq.write_table(pa.table(STROKES), lines, compression="zstd")
    usual, calls = getattr(module, name), []

    def late(*arguments):
        calls.append(1)
        if len(calls) == 1:  # A second alarm would go off while the first one's exception is on its way.
            signal.raise_signal(signal.SIGALRM)
        return usual(*arguments)

    def expired(_number, _frame):
        raise error("it is late")

    monkeypatch.setattr(module, name, late)
    with handled_by(expired), pytest.raises(error, match=r"^it is late$"):
        job(lines, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
    job(lines, tmp_path / "out.parquet")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("method", ["__arrow_c_array__", "__arrow_c_stream__"])
def test_what_ends_the_program_is_no_error_of_arrow_data(error, method):
    def ended(_self, *_arguments, **_options):
        raise error("ended")

    with pytest.raises(error, match=r"^ended$"):
        penpal_fast.score(type("Producer", (), {method: ended})())


@pytest.mark.parametrize("method", ["__arrow_c_array__", "__arrow_c_stream__"])
def test_arrow_data_that_cannot_be_made_is_an_error(method):
    def broken(_self, *_arguments, **_options):
        raise ValueError("no memory for it")

    with pytest.raises(PenpalError, match=r"cannot read the Arrow data: .*no memory for it"):
        penpal_fast.score(type("Producer", (), {method: broken})())
