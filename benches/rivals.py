"""Other renderers for the same work: strokes in, a float32 canvas out, the fit included.

Each is written for speed, as its users would: NumPy arithmetic for the fit, one call for each polyline.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIDE, PADDING = 256, 12
INNER = SIDE - 2 * PADDING
LINE_WIDTH = 1.5
DOT = 1e-3
"""Length of a stroke of one point, which has no direction otherwise, in pixels."""

Row = list[np.ndarray]
Renderer = Callable[[Row, np.ndarray], None]


def fitted(row: Row, scale: float = 1.0) -> list[np.ndarray]:
    """Fit a row's strokes, [N, 2] arrays, into a canvas that is `scale` times as large."""
    points = np.concatenate(row)
    low, high = points.min(axis=0), points.max(axis=0)
    span = high - low
    factor = INNER / max(span.max(), 1e-9)
    points = ((points - low) * factor + (SIDE - span * factor) / 2) * scale
    return np.split(points, np.cumsum([len(stroke) for stroke in row])[:-1])


def pil() -> Renderer:
    """PIL has no antialiased lines: draw four times as large and average."""
    from PIL import Image, ImageDraw

    def render(row: Row, out: np.ndarray) -> None:
        image = Image.new("L", (4 * SIDE, 4 * SIDE))
        draw = ImageDraw.Draw(image)
        for stroke in fitted(row, 4.0):
            draw.line(stroke.ravel().tolist(), fill=255, width=round(4 * LINE_WIDTH), joint="curve")
        np.divide(np.asarray(image.reduce(4)), np.float32(255), out=out[:, :, 0])

    return render


def opencv() -> Renderer:
    """OpenCV takes fixed-point coordinates and whole line widths."""
    import cv2

    cv2.setNumThreads(1)

    def render(row: Row, out: np.ndarray) -> None:
        image = np.zeros((SIDE, SIDE), dtype=np.uint8)
        lines = [np.rint((stroke - 0.5) * 16).astype(np.int32) for stroke in fitted(row)]
        cv2.polylines(image, lines, isClosed=False, color=255, thickness=2, lineType=cv2.LINE_AA, shift=4)
        np.divide(image, np.float32(255), out=out[:, :, 0])

    return render


def cairo() -> Renderer:
    import cairocffi

    def render(row: Row, out: np.ndarray) -> None:
        image = np.zeros((SIDE, SIDE), dtype=np.uint8)
        surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, SIDE, SIDE, memoryview(image).cast("B"), SIDE)
        context = cairocffi.Context(surface)
        context.set_line_width(LINE_WIDTH)
        context.set_line_cap(cairocffi.LINE_CAP_ROUND)
        context.set_line_join(cairocffi.LINE_JOIN_ROUND)
        for stroke in fitted(row):
            points = stroke.tolist()
            context.move_to(*points[0])
            for point in points:
                context.line_to(*point)
        context.stroke()
        surface.flush()
        np.divide(image, np.float32(255), out=out[:, :, 0])

    return render


def skia() -> Renderer:
    import skia

    paint = skia.Paint(
        AntiAlias=True,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=LINE_WIDTH,
        StrokeCap=skia.Paint.kRound_Cap,
        StrokeJoin=skia.Paint.kRound_Join,
    )

    def render(row: Row, out: np.ndarray) -> None:
        image = np.zeros((SIDE, SIDE), dtype=np.uint8)
        canvas = skia.Canvas(image, skia.kAlpha_8_ColorType, skia.kPremul_AlphaType)
        path = skia.PathBuilder() if hasattr(skia, "PathBuilder") else skia.Path()
        for stroke in fitted(row):
            path.addPolygon([skia.Point(x, y) for x, y in stroke.tolist()], False)
        canvas.drawPath(path.detach() if hasattr(path, "detach") else path, paint)
        np.divide(image, np.float32(255), out=out[:, :, 0])

    return render


def aggdraw() -> Renderer:
    import aggdraw as agg

    pen = agg.Pen(255, LINE_WIDTH)

    def render(row: Row, out: np.ndarray) -> None:
        draw = agg.Draw("L", (SIDE, SIDE), 0)
        draw.setantialias(True)
        for stroke in fitted(row):
            draw.line(stroke.ravel().tolist(), pen)
        image = np.frombuffer(draw.tobytes(), dtype=np.uint8).reshape(SIDE, SIDE)
        np.divide(image, np.float32(255), out=out[:, :, 0])

    return render


def blend2d() -> Renderer:
    import blend2d as bl

    image = bl.BLImage.createNew(SIDE, SIDE, bl.BLFormat.A8)
    context = bl.BLContext(image)
    context.stroke_width = LINE_WIDTH
    context.set_stroke_caps(bl.BLStrokeCap.CAP_ROUND)
    context.stroke_join = bl.BLStrokeJoin.JOIN_ROUND
    context.set_stroke_style((1.0, 1.0, 1.0))

    def render(row: Row, out: np.ndarray) -> None:
        context.clear_all()
        path = bl.BLPath()
        line_to = path.line_to
        for stroke in fitted(row):
            points = stroke.tolist()
            path.move_to(*points[0])
            for x, y in points[1:] or [(points[0][0] + DOT, points[0][1])]:
                line_to(x, y)
        context.stroke_path(path)
        context.flush()
        np.divide(image.getDataAsNumPy().reshape(SIDE, SIDE), np.float32(255), out=out[:, :, 0])

    return render


RIVALS = {
    "aggdraw": aggdraw,
    "Blend2D": blend2d,
    "OpenCV": opencv,
    "Cairo": cairo,
    "Skia": skia,
    "PIL, 4x supersampled": pil,
}
PACKAGES = {
    "aggdraw": "aggdraw",
    "Blend2D": "blend2d-python",
    "OpenCV": "opencv-python-headless",
    "Cairo": "cairocffi, and the system's libcairo2",
    "Skia": "skia-python",
    "PIL, 4x supersampled": "pillow",
}
