"""A line in files of ink, as programs write them, each made from its strokes of points (x, y), y growing downward."""

from __future__ import annotations

import gzip
from typing import Any

from helpers.layout_forms import Row


def svg(row: Row) -> bytes:
    """A path for each stroke."""
    paths = [f'<path d="M{" L".join(f"{x!r},{y!r}" for x, y in stroke)}"/>' for stroke in row]
    return _svg("".join(paths), 'fill="none" stroke="black"')


def svg_of_one_path(row: Row) -> bytes:
    """One path of relative lines, in groups that move, turn and scale it to where it belongs."""
    data, before = [], (0.0, 0.0)
    for stroke in row:
        for place, (x, y) in enumerate(stroke):
            data.append(f"{'l' if place else 'm'}{(y - before[1]) / 2!r} {(before[0] - x) / 2!r}")
            before = (x, y)
    path = f'<g transform="rotate(90)"><path style="fill:none;stroke:#000" d="{"".join(data)}"/></g>'
    return _svg(f'<rect width="99" height="99"/><g transform="translate(10 20) scale(2)">{path}</g>')


def svg_of_lines(row: Row) -> bytes:
    """A polyline for each stroke."""
    lines = [f'<polyline points="{" ".join(f"{x!r},{y!r}" for x, y in stroke)}"/>' for stroke in row]
    return _svg("".join(lines), 'fill="none" stroke="black"')


def svg_of_curves(row: Row) -> bytes:
    """Curves that are straight."""
    paths = []
    for stroke in row:
        (x0, y0), *rest = stroke
        data = [f"M{x0!r} {y0!r}"]
        for x, y in rest:
            data.append(f"C{x0!r} {y0!r} {x!r} {y!r} {x!r} {y!r}")
            x0, y0 = x, y
        paths.append(f'<path d="{"".join(data)}"/>')
    return _svg("".join(paths), 'fill="none" stroke="black"')


def _svg(inside: str, more: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100"><g {more}>{inside}</g></svg>'.encode()


def inkml(row: Row) -> bytes:
    """As CROHME writes it."""
    traces = [f'<trace id="{n}">{", ".join(f"{x!r} {y!r}" for x, y in s)}</trace>' for n, s in enumerate(row)]
    return _inkml('<traceFormat><channel name="X"/><channel name="Y"/></traceFormat>' + "".join(traces))


def inkml_of_tablets(row: Row) -> bytes:
    """Channels in another order, force and time among them, in a group."""
    names = ("T", "Y", "F", "X")
    channels = "".join(f'<channel name="{name}" type="decimal"/>' for name in names)
    context = (
        f'<definitions><context xml:id="c"><traceFormat xml:id="f">{channels}</traceFormat></context></definitions>'
    )
    traces = "".join(f"<trace contextRef='#c'>{','.join(f'0 {y!r} 1 {x!r}' for x, y in s)}</trace>" for s in row)
    return _inkml(f"{context}<traceGroup>{traces}</traceGroup>")


def _inkml(inside: str) -> bytes:
    return f'<ink xmlns="http://www.w3.org/2003/InkML">{inside}</ink>'.encode()


def iam(row: Row) -> bytes:
    """As IAM-OnDB writes a line."""
    strokes = [
        '<Stroke colour="black" start_time="0" end_time="1">'
        + "".join(f'<Point x="{x!r}" y="{y!r}" time="0"/>' for x, y in stroke)
        + "</Stroke>"
        for stroke in row
    ]
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?><WhiteboardCaptureSession><WhiteboardDescription>'
        '<SensorLocation corner="top_left"/></WhiteboardDescription><StrokeSet>'
        f"{''.join(strokes)}</StrokeSet></WhiteboardCaptureSession>"
    ).encode("latin-1")


def xopp(row: Row) -> bytes:
    """As Xournal++ writes a page, packed."""
    strokes = [f'<stroke tool="pen" width="1.41">{" ".join(f"{x!r} {y!r}" for x, y in s)}</stroke>' for s in row]
    page = f'<page width="595" height="842"><background type="solid"/><layer>{"".join(strokes)}</layer></page>'
    return gzip.compress(f'<?xml version="1.0"?><xournal fileversion="4">{page}</xournal>'.encode())


def unipen(row: Row) -> bytes:
    """Components with the pen down, y growing upward."""
    parts = [".PEN_DOWN\n" + "".join(f"{x!r} {-y!r} 0\n" for x, y in stroke) + ".PEN_UP\n" for stroke in row]
    return (f'.VERSION 1.0\n.COORD X Y T\n.SEGMENT WORD 0-{len(row) - 1} ? "a"\n' + "".join(parts)).encode()


INK_FILES: dict[str, Any] = {
    "drawing.svg": svg,
    "relative.svg": svg_of_one_path,
    "lines.svg": svg_of_lines,
    "curves.svg": svg_of_curves,
    "packed.svgz": lambda row: gzip.compress(svg(row)),
    "line.inkml": inkml,
    "tablet.inkml": inkml_of_tablets,
    "line.xml": iam,
    "crohme.xml": inkml,
    "notes.xopp": xopp,
    "word.unp": unipen,
    "word.dat": unipen,
}
"""What a file of each name holds, given the strokes."""
