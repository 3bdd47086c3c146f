"""Python objects that lie, raise and change while they are read: each costs its own row, and no more."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penpal_fast
from penpal_fast import PenpalError

GOOD = [[(0.0, 0.0), (10.0, 4.0)], [(3.0, 7.0)]]


class UnspeakableError(Exception):
    """An exception that has no text either."""

    def __str__(self):
        raise RuntimeError("no text")


class Hostile:
    """A sequence of which the named methods raise, lie or change what it holds."""

    def __init__(self, how, items=()):
        self.how = how
        self.items = list(items)

    def __len__(self):
        if self.how == "len raises":
            raise UnspeakableError
        if self.how == "len is negative":
            return -1
        return 1 << 62 if self.how == "len lies" else len(self.items)

    def __iter__(self):
        if self.how == "iter raises":
            raise OSError("gone")
        if self.how == "iter never ends":
            while True:
                yield (0, 0)
        yield from self.items

    def __getitem__(self, index):
        raise MemoryError("no item")

    def __getattr__(self, name):
        if self.how == "attributes raise":
            raise UnspeakableError
        raise AttributeError(name)

    def __float__(self):
        if self.how == "float raises":
            raise UnspeakableError
        return 1.0

    def __repr__(self):
        return f"Hostile({self.how!r})"


class Shrinking(list):
    """A list that loses an item whenever one is read."""

    def __getitem__(self, index):
        item = super().__getitem__(index)
        self.pop()
        return item


class Growing(list):
    """A list that gains an item whenever its length is asked for."""

    def __len__(self):
        self.append((1.0, 2.0))
        return super().__len__()


class Emptying(float):
    """A number that empties a list when it is read."""

    def __new__(cls, target):
        number = super().__new__(cls, 3.0)
        number.target = target
        return number

    def __float__(self):
        self.target.clear()
        return 3.0


class Changeable(np.ndarray):
    """An array whose copies have another shape."""

    def astype(self, *_, **__):
        return np.zeros((7, 1))


def emptied_while_read():
    stroke = [(0.0, 1.0), (2.0, 3.0)]
    stroke.insert(1, (Emptying(stroke), 0.0))
    return [stroke]


def deep(levels):
    row = (0.0, 0.0)
    for _ in range(levels):
        row = [row]
    return row


HOWS = [
    "len raises",
    "len is negative",
    "len lies",
    "iter raises",
    "iter never ends",
    "attributes raise",
    "float raises",
]
FIXED = {
    **{f"row: {how}": Hostile(how, GOOD) for how in HOWS},
    **{f"stroke: {how}": [Hostile(how, GOOD[0])] for how in HOWS},
    **{f"points: {how}": [{"points": Hostile(how, GOOD[0])}] for how in HOWS},
    **{f"coordinate: {how}": [[(Hostile(how), 0.0)]] for how in HOWS},
    "shrinking": Shrinking(GOOD * 3),
    "shrinking stroke": [Shrinking([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)])],
    "growing stroke": [Growing([(0.0, 0.0)])],
    "emptied while it is read": emptied_while_read(),
    "copies of another shape": [np.zeros((3, 2), dtype=np.int64).view(Changeable)],
    "very deep": deep(100_000),
    "huge text": "ink" * 1_000_000,
    "huge key": [{"k" * 1_000_000: []}],
    "bytes": [b"\0" * 100],
    "a bytearray of points": [bytearray(8)],
    "huge integers": [[(10**5000, -(10**5000))]],
    "complex": [[(1j, 0.0)]],
    "dates": [np.array([["2020-01-01", "2021-01-01"]], dtype="M8[D]")],
    "a record array": [np.zeros(3, dtype=[("x", "f8"), ("y", "f8")])],
    "no dimensions": np.array(3.0),
    "a class": list,
    "a function": deep,
}


@pytest.mark.parametrize("row", FIXED.values(), ids=FIXED)
def test_a_hostile_row_costs_only_itself(row, scorer):
    started = time.process_time()
    quality = scorer.score([GOOD, row, GOOD], errors="null")
    assert time.process_time() - started < 30
    assert quality[0] == quality[2] == scorer.score([GOOD])[0]
    assert np.isnan(quality[1]) or 0 <= quality[1] <= 1
    for error in scorer.outcome([row]).problems.values():
        assert len(error) < 500


hostile = st.builds(Hostile, st.sampled_from(HOWS), st.lists(st.tuples(st.floats(), st.floats()), max_size=3))
leaves = st.one_of(
    st.none(),
    st.floats(),
    st.integers(-(10**400), 10**400),
    st.text(max_size=3),
    st.booleans(),
    st.binary(max_size=3),
    st.complex_numbers(),
    hostile,
    st.builds(np.zeros, st.tuples(st.integers(0, 3), st.integers(0, 3)), st.sampled_from(["f4", "i8", "O", "S1"])),
)
nested = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(Shrinking)
        | st.lists(inner, max_size=3).map(Growing)
        | st.dictionaries(st.sampled_from(["points", "x", "y"]) | st.integers(), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(rows=st.lists(nested, min_size=1, max_size=3))
def test_arbitrary_objects_leave_good_rows_as_they_are(scorer, rows):
    quality = scorer.score([GOOD, *rows, GOOD], errors="null")
    assert len(quality) == len(rows) + 2
    assert quality[0] == quality[-1] == scorer.score([GOOD])[0]
    assert all(np.isnan(value) or 0 <= value <= 1 for value in quality)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("wrap", [lambda item: item, lambda item: [item], lambda item: [[(item, 0.0)]]])
def test_what_ends_a_program_is_no_bad_row(raised, wrap):
    class Ending(Hostile):
        def __len__(self):
            raise raised

        __float__ = __iter__ = __len__

    with pytest.raises(raised):
        penpal_fast.render_strokes(wrap(Ending("")))


SHARED = {
    "points": [[[(0, 0)] * 1000] * 1000] * 1000,
    "strokes of no points": [[[]] * 1000 + [[(0, 0)]]] * 100_000,
    "words of no strokes": [[[]] * 100_000] * 100_000,
    "nulls": [[[[None] * 1000] * 1000] * 1000] * 1000,
}


@pytest.mark.parametrize("row", SHARED.values(), ids=SHARED)
def test_lists_that_share_their_parts_take_bounded_time_and_memory(row):
    started = time.process_time()
    with pytest.raises(PenpalError):
        penpal_fast.render_strokes(row)
    assert time.process_time() - started < 60


@pytest.mark.parametrize("strokes", [[[(0, 0)]] * (1 << 20), [[[(0, 0)]] * 1024] * 1024], ids=["strokes", "words"])
def test_the_most_strokes_and_points_are_drawn(strokes):
    assert penpal_fast.render_strokes(strokes).max() > 0
    with pytest.raises(PenpalError, match="too many points: the row has at least 1048577; the limit is 1048576"):
        penpal_fast.render_strokes([*strokes, strokes[-1]])


def test_strokes_without_points_are_counted_too():
    with pytest.raises(PenpalError, match="too many strokes: the row has at least 1048577; the limit is 1048576"):
        penpal_fast.render_strokes([[(0, 0)]] + [[]] * (1 << 20))


FORKING = """
import os, signal, threading, time
from penpal_fast import Scorer, render_into
import numpy as np

rows = [[[(0, 0), (1, i)]] for i in range(64)]
scorer = Scorer(backend="native", threads=2)
out = np.empty((64, 256, 256, 1), np.float32)
expected = scorer.score(rows[:8]).tolist()
done = threading.Event()

def work():
    while not done.is_set():
        scorer.score(rows)
        render_into(rows, out, threads=2)

thread = threading.Thread(target=work)
thread.start()
children = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        render_into(rows, out, threads=1)
        os._exit(0 if scorer.score(rows[:8]).tolist() == expected else 1)
    children.append(child)
    time.sleep(0.005)
ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
done.set()
thread.join()
print(set(ends))
"""


def test_children_forked_while_other_threads_work():
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "{0}", done.stderr


def test_spawned_workers_score_as_their_parent_does():
    rows = [GOOD, [[(0.0, 0.0), (1.0, 1.0)]]]
    expected = penpal_fast.score(rows).tolist()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as workers:
        assert [quality.tolist() for quality in workers.map(penpal_fast.score, [rows] * 3)] == [expected] * 3
