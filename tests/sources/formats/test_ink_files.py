"""Formats of ink in text and XML: InkML, IAM-OnDB, Xournal++, UNIPEN."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.hostile_files import damaged, read_or_refused, refused, strokes_of
from penpal_fast import read_rows
from penpal_fast.sources.inputs import find_inputs

CROHME = """<ink xmlns="http://www.w3.org/2003/InkML">
<traceFormat><channel name="X" type="decimal"/><channel name="Y" type="decimal"/></traceFormat>
<annotation type="truth">$x+1$</annotation>
<annotation type="UI">2011_IVC_DEPT_F01_E001</annotation>
<trace id="0">10 20, 11 21,
12 22.5</trace>
<trace id="1">30 5, 31 6</trace>
<traceGroup xml:id="2"><annotation type="truth">Segmentation</annotation>
<traceGroup xml:id="3"><annotation type="truth">x</annotation><traceView traceDataRef="0"/></traceGroup>
<traceGroup xml:id="4"><annotation type="truth">+</annotation><traceView traceDataRef="1"/></traceGroup>
</traceGroup></ink>"""

MATHWRITING = """<ink xmlns="http://www.w3.org/2003/InkML">
<annotation type="label">\\frac{1}{2}</annotation>
<annotation type="splitTagOriginal">train</annotation>
<annotation type="sampleId">00a2f1</annotation>
<annotation type="normalizedLabel">\\frac{1}{2}</annotation>
<trace id="0">324.0 215.0 0.0,325.0 216.0 13.0</trace>
<trace id="1">350.0 200.0 100.0</trace></ink>"""

GROUPS = """<ink><annotation type="transcription">all</annotation>
<traceGroup xml:id="a"><annotation type="transcription">first</annotation><trace>0 1, 2 3</trace>
<traceGroup><annotation type="transcription">inner</annotation><trace>4 5</trace></traceGroup></traceGroup>
<traceGroup xml:id="b"><trace>6 7</trace></traceGroup></ink>"""

CODED = """<ink><context xml:id="pen"><traceFormat xml:id="f">
<channel name="T"/><channel name="Y" orientation="-ve"/><channel name="X"/></traceFormat></context>
<trace contextRef="#pen">1 5 10, 2 '1 '2, 3 "1 "1, 4 * *</trace>
<trace type="penUp">1 0 0</trace>
<trace>5 0 #1F</trace><trace continuation="end">6 -1 T</trace></ink>"""

IAM = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession><WhiteboardDescription><SensorLocation corner="top_left"/>
<DiagonallyOppositeCoords x="6512" y="1376"/></WhiteboardDescription><StrokeSet>
<Stroke colour="black" start_time="769.05" end_time="769.64"><Point x="895" y="992" time="769.05"/>
<Point x="896" y="995" time="769.07"/></Stroke>
<Stroke colour="black" start_time="770" end_time="771"><Point x="900" y="990" time="770"/></Stroke>
</StrokeSet></WhiteboardCaptureSession>"""

XOPP = """<?xml version="1.0" standalone="no"?>
<xournal creator="Xournal++ 1.1.1" fileversion="4"><title>notes</title>
<page width="595.3" height="841.9"><background type="solid" color="#ffffffff" style="lined"/>
<layer><stroke tool="pen" ts="0" fn="" color="#000000ff" width="1.41 0.5 0.7">1.5 2 3 4 5 6.25</stroke>
<stroke tool="highlighter" color="#ffff007f" width="8.5">0 0 9 9</stroke></layer>
<layer><stroke tool="pen" color="#000000ff" width="1.41">7 8 9 10</stroke></layer></page>
<page width="595.3" height="841.9"><layer/></page></xournal>"""

UNIPEN = """.VERSION 1.0
.COMMENT made for a test: .PEN_DOWN here is none
.HIERARCHY TEXT WORD CHARACTER
.COORD X Y T
.SEGMENT WORD 0-1 ? "it"
.SEGMENT CHARACTER 0 ? "i"
.SEGMENT WORD 2:1-2:2 OK "say \\"x\\""
.PEN_DOWN
10 20 0
11 25 5
.PEN_UP
.DT 100
.PEN_DOWN
 30 1 0
.PEN_UP
.PEN_DOWN
1 1 0
2 2 0
3 3 0
4 4 0
.PEN_UP
"""

CASES = {
    "crohme.inkml": (CROHME, [[[(10, 20), (11, 21), (12, 22.5)], [(30, 5), (31, 6)]]], ["$x+1$"]),
    "math.inkml": (MATHWRITING, [[[(324, 215), (325, 216)], [(350, 200)]]], ["\\frac{1}{2}"]),
    "groups.inkml": (GROUPS, [[[(0, 1), (2, 3)], [(4, 5)]], [[(6, 7)]]], ["first", None]),
    "coded.inkml": (CODED, [[[(10, -5), (12, -6), (15, -8), (18, -10)], [(31, 0), (1, 1)]]], [None]),
    "a01-000u-01.xml": (IAM, [[[(895, 992), (896, 995)], [(900, 990)]]], [None]),
    "crohme.xml": (CROHME, [[[(10, 20), (11, 21), (12, 22.5)], [(30, 5), (31, 6)]]], ["$x+1$"]),
    "notes.xopp": (XOPP, [[[(1.5, 2), (3, 4), (5, 6.25)], [(7, 8), (9, 10)]], []], [None, None]),
    "words.unp": (
        UNIPEN,
        [[[(10, -20), (11, -25)], [(30, -1)]], [[(2, -2), (3, -3)]]],
        ["it", 'say "x"'],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rows(tmp_path, name):
    content, strokes, texts = CASES[name]
    path = tmp_path / name
    path.write_text(content)
    table = read_rows(path)
    assert strokes_of(table) == strokes
    assert table["text"].to_pylist() == texts


def test_ids(tmp_path):
    for name, ids in {
        "crohme.inkml": ["2011_IVC_DEPT_F01_E001"],
        "math.inkml": ["00a2f1"],
        "groups.inkml": ["a", "b"],
        "a01-000u-01.xml": ["a01-000u-01"],
        "notes.xopp": ["page 1", "page 2"],
        "words.unp": ["WORD 0-1", "WORD 2:1-2:2"],
    }.items():
        (tmp_path / name).write_text(CASES[name][0])
        assert read_rows(tmp_path / name)["id"].to_pylist() == ids


def test_packed_xournal(tmp_path):
    path = tmp_path / "notes.xopp"
    path.write_bytes(gzip.compress(XOPP.encode()))
    assert strokes_of(read_rows(path)) == CASES["notes.xopp"][1]


FORM = "OCR:\n\nA MOVE\nto stop\n\nCSR:\n\nA MOVE\nto stop Mr. G\u00e4  \n"


@pytest.mark.parametrize("place", ["ascii/a01/a01-000", "lineStrokes/a01/a01-000"])
def test_texts_of_iam_lie_in_the_files_of_forms(tmp_path, place):
    lines = tmp_path / "lineStrokes" / "a01" / "a01-000"
    lines.mkdir(parents=True)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "a01-000u.txt").write_text(FORM)
    for number in (1, 2, 3):
        (lines / f"a01-000u-0{number}.xml").write_text(IAM)
    assert read_rows(tmp_path)["text"].to_pylist() == ["A MOVE", "to stop Mr. G\u00e4", None]


def test_a_sensor_at_the_bottom_has_y_growing_upward(tmp_path):
    path = tmp_path / "line.xml"
    path.write_text(IAM.replace("top_left", "bottom_left"))
    assert strokes_of(read_rows(path))[0][0] == [(895, -992), (896, -995)]


def test_unipen_that_counts_components_with_the_pen_up(tmp_path):
    path = tmp_path / "words.unp"
    counted = (
        UNIPEN.replace(".PEN_UP\n.DT", ".PEN_UP\n0 0 0\n.DT").replace("0-1 ?", "0-2 ?").replace("2:1-2:2", "3:1-3:2")
    )
    path.write_text(counted)
    assert strokes_of(read_rows(path)) == CASES["words.unp"][1]


def test_unipen_without_segments_is_one_row(tmp_path):
    path = tmp_path / "ink.dat"
    path.write_text("".join(line for line in UNIPEN.splitlines(keepends=True) if "SEGMENT" not in line))
    assert [len(stroke) for stroke in strokes_of(read_rows(path))[0]] == [2, 1, 4]


def test_common_suffixes_count_only_where_there_is_nothing_else(tmp_path):
    (tmp_path / "a.xml").write_text(IAM)
    (tmp_path / "b.inkml").write_text(CROHME)
    assert [file.path.name for file in find_inputs(tmp_path)] == ["b.inkml"]
    (tmp_path / "b.inkml").unlink()
    assert [file.path.name for file in find_inputs(tmp_path)] == ["a.xml"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
LONG = "1 2," * (1 << 20) + "3 4"
"""More points than a row may have."""
HOSTILE = {
    "laughs.inkml": f'<!DOCTYPE ink [<!ENTITY l0 "ha">{LAUGHS}]><ink><trace>&l11;</trace></ink>',
    "laughs.xopp": f'<!DOCTYPE xournal [<!ENTITY l0 "ha">{LAUGHS}]><xournal><page>&l11;</page></xournal>',
    "deep.inkml": "<ink>" + "<traceGroup>" * 100_000,
    "long.inkml": f"<ink><trace>{LONG}</trace></ink>",
    "words.inkml": "<ink><trace>1 2, x y</trace></ink>",
    "short.inkml": "<ink><trace>1 2, 3</trace></ink>",
    "channels.inkml": '<ink><traceFormat><channel name="Z"/></traceFormat><trace>1</trace></ink>',
    "other.inkml": "<svg/>",
    "cut.inkml": CROHME[:300],
    "other.xml": "<feed><Point x='1' y='2'/></feed>",
    "point.xml": IAM.replace('x="896"', 'x="left"'),
    "odd.xopp": "<xournal><page><stroke tool='pen'>1 2 3</stroke></page></xournal>",
    "long.xopp": f"<xournal><page><stroke tool='pen'>{LONG.replace(',', ' ')}</stroke></page></xournal>",
    "far.unp": UNIPEN.replace("0-1 ?", "0-999999999 ?"),
    "points.unp": UNIPEN.replace("11 25 5", "11 25"),
    "words.unp": UNIPEN.replace("11 25 5", "11 ink 5"),
    "coord.unp": UNIPEN.replace(".COORD X Y T", ".COORD U V T"),
    "include.unp": UNIPEN + ".INCLUDE /etc/passwd\n",
    "other.dat": "\0\1\2",
    "empty.unp": "",
    "again.unp": UNIPEN.replace('.SEGMENT WORD 0-1 ? "it"', f'.SEGMENT WORD {",".join(["0-2"] * 400_000)} ? "it"'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    path = tmp_path / name
    path.write_text(HOSTILE[name])
    refused(path)


@given(st.data(), st.sampled_from(sorted(CASES)))
def test_damaged_files(tmp_path_factory, data, name):
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data.draw(damaged(CASES[name][0].encode())))
    read_or_refused(path)
