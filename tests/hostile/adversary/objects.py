"""Python objects that lie, raise, change their owner and end the program: each costs its own row, and no more."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from helpers.forms import BAD, FORMS
from hostile.adversary.material import GOOD, any_row, good_scores, scorer
from penpal_fast import PenpalError, render_strokes

METHODS = ["__len__", "__iter__", "__getitem__", "__float__", "__index__", "__bool__", "__repr__", "__eq__", "__hash__"]
PLAIN = ["__contains__", "__array__", "__array_interface__", "__buffer__", "keys", "items", "astype", "__class__"]

ENDS = (KeyboardInterrupt, SystemExit)


class UnspeakableError(Exception):
    """An exception that has no text either."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def trial(chance: random.Random, _folder: Path) -> None:
    """Score twenty lists of rows in which some are lies."""
    for _ in range(20):
        _score(chance)


def _score(chance: random.Random) -> None:
    places = chance.sample(range(len(GOOD)), 2)
    liars = [_thing(chance, 0) for _ in range(chance.randrange(1, 4))]
    rows = [GOOD[places[0]], *liars, GOOD[places[1]]]
    quality = scorer().score(rows, errors="null")
    expected = [good_scores()[place] for place in places]
    assert len(quality) == len(rows)
    assert [quality[0], quality[-1]] == expected
    assert all(math.isnan(value) or 0 <= value <= 1 for value in quality)
    for liar in liars:
        try:
            picture = render_strokes(liar)
        except PenpalError as error:
            assert len(str(error)) < 1000
        else:
            assert picture.shape == (256, 256, 1)
            assert 0 <= picture.min() <= picture.max() <= 1
    raised = chance.choice(ENDS)
    try:
        scorer().score([GOOD[0], _nested(chance, _ending(raised)), GOOD[1]], errors="null")
    except raised:
        return
    raise AssertionError(f"{raised.__name__} was lost")


def _thing(chance: random.Random, depth: int) -> object:
    """Return anything at all, mostly nested like a row."""
    if depth > 4 or chance.random() < 0.15:
        return _leaf(chance)
    kind = chance.randrange(9)
    items = [_thing(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 0:
        return tuple(items)
    if kind == 1:
        return {chance.choice(("points", "x", "y", 0, "ink")): item for item in items}
    if kind == 2:
        return {"points": items}
    if kind == 3:
        return chance.choice(list(FORMS.values()))
    if kind == 4:
        return _liar(chance, items)
    if kind == 5:
        array = np.empty(len(items), object)
        for place, item in enumerate(items):
            array[place] = item
        return array
    if kind == 6:
        return any_row(chance)
    return items


def _leaf(chance: random.Random) -> object:
    shape = tuple(chance.randrange(4) for _ in range(chance.randrange(4)))
    return chance.choice(
        [
            None,
            0.5,
            math.nan,
            10**400,
            -(2**63),
            1j,
            True,
            "ink",
            "\ud800",
            b"\0",
            (1.0, 2.0),
            chance.choice(list(BAD.values()))[0],
            np.zeros(shape, chance.choice(["f4", "f8", "f2", "i8", "u1", "O", "S1", "U2", "M8[D]", "c8", "?"])),
            np.arange(24.0).reshape(12, 2)[:: chance.choice((1, 2, -1))],
            np.ma.masked_greater(np.arange(6.0).reshape(3, 2), chance.randrange(7)),
            memoryview(b"12345678").cast("d"),
            range(chance.randrange(3)),
            object(),
            float,
        ]
    )


def _liar(chance: random.Random, items: list[object]) -> object:
    """Make an object of a class of its own, of which some methods lie."""
    bases: list[type] = [object, list, tuple, dict, float, int, str, np.ndarray]
    base = chance.choices(bases, [6, 3, 1, 1, 1, 1, 1, 1])[0]
    lies = {name: _lie(chance, items) for name in chance.sample(METHODS, chance.randrange(4))}
    lies.update({name: property(_lie(chance, items)) for name in chance.sample(PLAIN, chance.choice((0, 0, 1)))})
    liar = type("Liar", (base,), lies)
    try:
        if base is np.ndarray:
            return np.zeros((3, 2)).view(liar)
        return liar(items) if base in (list, tuple) else liar()
    except Exception:  # noqa: BLE001 - it lies too early.
        return object.__new__(type("Liar", (), lies))


def _lie(chance: random.Random, items: list[object]) -> Callable[..., object]:
    def raises(*_: object, **__: object) -> object:
        raise error

    def clears(*_: object, **__: object) -> object:
        items.clear()
        return value

    def grows(*_: object, **__: object) -> object:
        items.append((1.0, 2.0))
        return len(items)

    def iterates(*_: object, **__: object) -> object:
        return iter([(0.0, 0.0), (1.0, chance.choice((1.0, None, "x")))])

    def never_ends(*_: object, **__: object) -> object:
        return iter(lambda: (0.0, 0.0), None)

    error = chance.choice([OSError("gone"), MemoryError(), RecursionError(), UnspeakableError(), AttributeError("x")])
    value = chance.choice([0, 1, -1, 2**62, 2**70, 1.5, math.nan, "ink", None, (0.0, 0.0), NotImplemented])
    return chance.choice([raises, clears, grows, iterates, never_ends, lambda *_, **__: value])


def _ending(raised: type[BaseException]) -> object:
    def end(*_: object) -> object:
        raise raised

    return type("Ending", (), {"__len__": end, "__iter__": end, "__getitem__": end, "__float__": end})()


def _nested(chance: random.Random, item: object) -> object:
    """Put an object where a row, a word, a stroke or a coordinate is."""
    return chance.choice([item, [item], [[(0.0, 0.0)], item], [{"points": item}], [[(item, 0.0)]], [[(0.0, item)]]])
