"""SVG: paths become the strokes that they draw."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.alarm import worked
from helpers.commands import run
from helpers.hostile_files import damaged, read_or_refused, refused, strokes_of
from penpal_fast import PenpalError, read_rows


def drawing(content, attributes=""):
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" {attributes}>{content}</svg>'


def strokes(folder, content, **options):
    path = folder / "drawing.svg"
    path.write_text(drawing(content))
    return strokes_of(read_rows(path, **options))


def near(found, expected):
    return len(found) == len(expected) and all(
        np.allclose(one, other, atol=1e-9) for one, other in zip(found, expected, strict=True)
    )


GENERATED = """<?xml version="1.0" encoding="utf-8" ?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg baseProfile="full" version="1.1" viewBox="0 0 1000 120" xmlns="http://www.w3.org/2000/svg" id="two">
<rect fill="white" height="120" width="1000" x="0" y="0" />
<path id="one" d="M0,0 M100.5,20 L104,25 L108,40 M120,20 L121,30" fill="none" stroke="black" />
<path d="M0,0 M100,80 L110,90" fill="none" stroke="black" />
</svg>
"""
"""As handwriting generators write it: a path for each line, which begins with a stray point."""


def test_a_generators_lines(tmp_path):
    path = tmp_path / "lines.svg"
    path.write_text(GENERATED)
    lines = [[[(100.5, 20), (104, 25), (108, 40)], [(120, 20), (121, 30)]], [[(100, 80), (110, 90)]]]
    whole, each = read_rows(path), read_rows(path, each_path=True)
    assert strokes_of(whole) == [lines[0] + lines[1]]
    assert whole["id"].to_pylist() == ["two"]
    assert strokes_of(each) == lines
    assert each["id"].to_pylist() == ["one", None]
    result = run("convert", path, "--each-path", "-o", tmp_path / "out.parquet")
    assert result.exit_code == 0, result.output
    assert strokes_of(pq.read_table(tmp_path / "out.parquet")) == lines


def letters(*places):
    """A path for each letter of a line, tall ones among them, and a dot."""
    return "".join(
        f'<path d="M{x} {y}l4 -{20 if x % 3 else 10}l4 {20 if x % 3 else 10}"/><circle cx="{x}" cy="{y - 24}" r="1"/>'
        for x, y in places
    )


DRAWINGS = {
    "a path for each line": ('<path d="M0 10l9 9l9 -9"/><path d="M0 50l9 9l9 -9"/>', True),
    "tall letters reach into the line above": (
        '<path d="M0 10L5 20L9 10L12 20L15 35"/><path d="M0 30L2 52L9 42L12 52L15 42"/>',
        True,
    ),
    "a path for each letter of two lines": (letters((0, 20), (10, 21), (21, 22), (0, 60), (10, 61)), True),
    "a path for each letter of one line": (letters((0, 20), (10, 21), (21, 22)), False),
    "one path": ('<path d="M0 10l9 9M0 50l9 9"/>', False),
    "a line under a word": ('<path d="M0 10l9 9l9 -9"/><path d="M0 40l60 1"/>', False),
    "nothing": ("", False),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_paths_on_several_lines_are_noted(tmp_path, name):
    content, is_noted = DRAWINGS[name]
    (tmp_path / "drawing.svg").write_text(drawing(f"<g fill='none' stroke='black'>{content}</g>"))
    for number, options in enumerate([[], ["--each-path"]]):
        done = run("convert", tmp_path / "drawing.svg", *options, "-o", tmp_path / f"{number}.parquet")
        assert ("convert --each-path" in done.output) is (is_noted and not options), done.output


def test_a_score_of_paths_on_several_lines_says_so_once(tmp_path):
    for name in ("one.svg", "two.svg"):
        (tmp_path / name).write_text(GENERATED)
    done = run("score", tmp_path / "*.svg", "-o", tmp_path / "scored.parquet")
    assert done.exit_code == 0, done.output
    assert done.output.count("though its paths lie on several lines") == 1
    lines = run("convert", tmp_path / "*.svg", "--each-path", "-o", tmp_path / "lines.parquet")
    assert "several lines" not in lines.output


def test_packed_with_gzip(tmp_path):
    path = tmp_path / "lines.svgz"
    for rest in (b"", b"trailing bytes"):
        path.write_bytes(gzip.compress(GENERATED.encode()) + rest)
        assert len(strokes_of(read_rows(path))[0]) == 3


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("M1 2 3 4 5 6", [[(1, 2), (3, 4), (5, 6)]]),
        ("m1 2 3 4 5 6", [[(1, 2), (4, 6), (9, 12)]]),
        ("M1,2H5h-1V7v1", [[(1, 2), (5, 2), (4, 2), (4, 7), (4, 8)]]),
        ("M0 0L2 0L2 2zl1 1", [[(0, 0), (2, 0), (2, 2), (0, 0)], [(0, 0), (1, 1)]]),
        ("M1 1L2 2m1 1l1 0", [[(1, 1), (2, 2)], [(3, 3), (4, 3)]]),
        ("M1-2L.5.5-1e1 2E0", [[(1, -2), (0.5, 0.5), (-10, 2)]]),
        ("M9 9M1 1L2 2M7 7", [[(1, 1), (2, 2)]]),
        ("M3 4z", [[(3, 4)]]),
        ("M3 4l0 0", [[(3, 4), (3, 4)]]),
        ("M0 0A0 5 0 0 1 3 4", [[(0, 0), (3, 4)]]),
        ("", []),
    ],
)
def test_lines_of_paths(tmp_path, data, expected):
    assert strokes(tmp_path, f'<path d="{data}"/>') == [expected]


@pytest.mark.parametrize(
    ("data", "curve"),
    [
        ("M0 0Q4 8 8 0", lambda t: 8 * t + 16j * t * (1 - t)),
        ("M0 0q4 8 8 0", lambda t: 8 * t + 16j * t * (1 - t)),
        ("M0 0C0 8 8 8 8 0", lambda t: 24 * t * t * (1 - t) + 8 * t**3 + 24j * t * (1 - t)),
        ("M5 0A5 5 0 0 1-5 0", lambda t: 5 * np.exp(1j * math.pi * t)),
        ("M5 0a5 5 0 01-10 0", lambda t: 5 * np.exp(1j * math.pi * t)),
        ("M5 0A5 5 0 1 0 0 5", lambda t: 5 * np.exp(-1.5j * math.pi * t)),
        ("M5 0A1 1 0 0 0-5 0", lambda t: 5 * np.exp(-1j * math.pi * t)),
        ("M8 0A8 2 0 0 1 0 2", lambda t: 8 * np.cos(t * math.pi / 2) + 2j * np.sin(t * math.pi / 2)),
        ("M0 8A8 2 90 0 1-2 0", lambda t: 1j * (8 * np.cos(t * math.pi / 2) + 2j * np.sin(t * math.pi / 2))),
    ],
)
def test_curves_stay_near(tmp_path, data, curve):
    ((found,),) = strokes(tmp_path, f'<path d="{data}"/>')
    points = np.array(found) @ (1, 1j)
    exact = curve(np.linspace(0, 1, 2001))
    assert abs(points[0] - exact[0]) < 1e-9
    assert abs(points[-1] - exact[-1]) < 1e-9
    assert max(np.abs(exact - point).min() for point in points) < 0.01
    steps = np.linspace(0, 1, 20)[:, None]
    lines = (points[:-1] + (points[1:] - points[:-1]) * steps).ravel()
    assert max(np.abs(lines - point).min() for point in exact) < 0.3
    assert max(np.abs(exact - point).min() for point in lines) < 0.01


def test_smooth_curves_mirror_only_their_own_kind(tmp_path):
    for smooth, plain in [
        ("M0 0C1 2 3 4 5 5S9 9 9 0", "M0 0C1 2 3 4 5 5C7 6 9 9 9 0"),
        ("M0 0Q1 4 5 5T9 0", "M0 0Q1 4 5 5Q9 6 9 0"),
        ("M0 0Q1 4 5 5S9 9 9 0", "M0 0Q1 4 5 5C5 5 9 9 9 0"),
        ("M0 0C1 2 3 4 5 5T9 0", "M0 0C1 2 3 4 5 5Q5 5 9 0"),
    ]:
        one, other = (strokes(tmp_path, f'<path d="{data}"/>') for data in (smooth, plain))
        assert near(one[0], other[0])


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("translate(10, 20) scale(2)", [(12, 24), (16, 28)]),
        ("matrix(1 2 3 4 5 6)", [(12, 16), (20, 28)]),
        ("rotate(90)", [(-2, 1), (-4, 3)]),
        ("rotate(180 1 2)", [(1, 2), (-1, 0)]),
        ("skewX(45),scale(1 -1)", [(-1, -2), (-1, -4)]),
    ],
)
def test_transforms(tmp_path, transform, expected):
    (found,) = strokes(tmp_path, f'<g transform="{transform}"><path d="M1 2L3 4"/></g>')
    assert near(found, [expected])


def test_nested_transforms_and_shapes(tmp_path):
    content = (
        '<g transform="translate(10)"><svg x="1" y="2px"><line x1="0" y1="0" x2="1" y2="1"/></svg>'
        '<polyline points="0,0 1 1,2,0"/></g><polygon points="0 0 1 1 2 0"/><circle cx="5" cy="6" r="1"/>'
        '<circle cx="5" cy="6" r="2" fill="none"/>'
    )
    (found,) = strokes(tmp_path, content)
    assert near(
        found[:4], [[(11, 2), (12, 3)], [(10, 0), (11, 1), (12, 0)], [(0, 0), (1, 1), (2, 0), (0, 0)], [(5, 6)]]
    )
    assert np.allclose(np.hypot(*(np.array(found[4]) - (5, 6)).T), 2, atol=0.01)


def test_what_is_not_drawn_is_left_out(tmp_path):
    path = '<path d="M1 1L2 2"/>'
    hidden = f'<defs>{path}</defs><g style="display: none">{path}</g><g visibility="hidden">{path}</g>'
    assert strokes(tmp_path, f"{hidden}<clipPath>{path}</clipPath><text>ink</text>") == [[]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<path d="M0 0L1 1" fill="#000000" stroke="none"/>', "filled and not stroked"),
        ('<use href="#a"/>', "<use>"),
        ('<path d="L1 1"/>', "must begin with 'M'"),
        ('<path d="M1 1L2"/>', "1 numbers after 'L'"),
        ('<path d="M1 1X2 2"/>', "'1 1X2 2' after 'M'"),
        ('<path d="M1 1L1e999 2"/>', "too large"),
        ('<path d="M1 1L2 2" transform="turn(3)"/>', "cannot read the transform"),
        ('<line x1="5%" x2="1" y1="1" y2="1"/>', "cannot read the length"),
    ],
)
def test_what_is_refused(tmp_path, content, message):
    path = tmp_path / "drawing.svg"
    path.write_text(drawing(content))
    assert message in refused(path)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "a billion laughs": f'<!DOCTYPE svg [<!ENTITY l0 "ha">{LAUGHS}]><svg>&l11;</svg>',
    "another file": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
    "deep groups": "<svg>" + "<g>" * 100_000,
    "a million arcs": drawing(f'<path d="M0 0{"a1 1 0 0 1 1 1" * 1_000_000}"/>'),
    "a million curves": drawing(f'<path d="M0 0{"q1 1 0 1" * 1_000_000}"/>'),
    "too many points": drawing(f'<path d="M0 0h{"1 " * 1_100_000}"/>'),
    "many closed paths": drawing(f'<path d="M0 0{"l1 1z" * 600_000}"/>'),
    "not closed": "<svg><path d='M0 0L1 1'/>",
    "another root": "<html><body/></html>",
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_drawings(tmp_path, name):
    path = tmp_path / "drawing.svg"
    path.write_text(HOSTILE[name])
    refused(path)


def test_many_paths_are_read_in_time(tmp_path):
    with worked(20):
        (found,) = strokes(tmp_path, f'<path d="M0 0{"l1 1z" * 10_000}"/>')
    assert len(found) == 10_000


def test_a_gzip_file_that_unpacks_to_too_much(tmp_path):
    path = tmp_path / "drawing.svgz"
    path.write_bytes(gzip.compress(drawing(" " * (257 << 20)).encode(), 1))
    assert "256 MB" in refused(path)


@pytest.mark.parametrize("encoding", ["tf-8", "shift_jis", "rot13", "base64"])
def test_unknown_encodings_are_refused(tmp_path, encoding):
    (tmp_path / "one.svg").write_text(f'<?xml version="1.0" encoding="{encoding}"?><svg><path d="M0 0L1 1"/></svg>')
    with pytest.raises(PenpalError, match=r"one\.svg: .*encoding"):
        read_rows(tmp_path / "one.svg")


@given(damaged(GENERATED.encode()), damaged(b"M0 0c1 2 3 4 5 6S7,8 9 10A1 2 3 0 1 4 5zT1 2q1 1 2 2h1v1"))
def test_damaged_files(tmp_path_factory, content, data):
    path = tmp_path_factory.mktemp("damaged") / "drawing.svg"
    data = data.decode(errors="replace").replace("&", "").replace("<", "").replace('"', "").replace("\0", "")
    for one in (content, drawing(f'<path d="{data}"/>').encode()):
        path.write_bytes(one)
        read_or_refused(path)


@given(st.lists(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=5), max_size=4))
def test_lines_come_out_as_they_went_in(tmp_path_factory, lines):
    data = "".join("M" + " ".join(f"{x!r},{y!r}" for x, y in line) for line in lines)
    assert strokes(tmp_path_factory.mktemp("lines"), f'<path d="{data}"/>') == [lines]
