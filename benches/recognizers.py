"""The recognizer of pictured text that a user would take in place of the reader: RapidOCR, its weights in its package.

PP-OCR reads pictures, so lines are drawn first: dark on white, 48 pixels high as it wants them. Lines of 1 pixel with 4
pixels around them gave it the fewest errors, of widths from 1 to 2.5 pixels and margins of 2 to 8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HEIGHT = 48
MARGIN = 4
LONGEST = 40
"""Widest ink, in heights: a row as flat as a dash is not drawn as high as a line."""

FINE = 4
"""Bits after the point of OpenCV's coordinates."""


def drawn(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Draw a row's strokes, [N, 2] each: uint8 [48, width, 3], black on white."""
    import cv2

    points = np.concatenate(strokes)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    scale = (HEIGHT - 2 * MARGIN) / max(span[1], span[0] / LONGEST, 1e-9)
    width = int(np.ceil(span[0] * scale)) + 2 * MARGIN
    start = (np.array([width, HEIGHT]) - span * scale) / 2
    lines = [np.rint(((stroke - low) * scale + start) * 2**FINE).astype(np.int32) for stroke in strokes]
    picture = np.full((HEIGHT, width, 3), 255, np.uint8)
    cv2.polylines(picture, lines, isClosed=False, color=(0, 0, 0), thickness=1, lineType=cv2.LINE_AA, shift=FINE)
    return picture


class RapidOcr:
    """Its recognizer alone, without finding lines in the picture, on a number of threads.

    Raises:
        ImportError: RapidOCR, ONNX Runtime or OpenCV is not installed.
    """

    def __init__(self, threads: int) -> None:
        import cv2
        import onnxruntime  # noqa: F401
        from rapidocr import RapidOCR

        cv2.setNumThreads(threads)
        engine = "EngineConfig.onnxruntime"
        settings = {"Global.log_level": "error", "Global.use_det": False, "Global.use_cls": False}
        threading = {f"{engine}.intra_op_num_threads": threads, f"{engine}.inter_op_num_threads": 1}
        self._recognizer = RapidOCR(params={**settings, **threading})
        self.name = (
            f"RapidOCR, {self._recognizer.cfg.Rec.ocr_version.value} {self._recognizer.cfg.Rec.model_type.value}"
        )

    def read(self, pictures: list[np.ndarray]) -> tuple[list[str], np.ndarray]:
        """Return what each picture says, and how sure that is, float32 [N] in [0, 1]."""
        found = self._recognizer.recognize_txt(pictures)
        return list(found.txts), np.array(found.scores, np.float32)
