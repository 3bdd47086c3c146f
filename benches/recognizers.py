"""The recognizer of pictured text that a user would take in place of the reader: RapidOCR, its weights in its package.

PP-OCR reads pictures, so lines are drawn first: dark on white, 48 pixels high as it wants them. Lines of 1 pixel with 4
pixels around them gave it the fewest errors, of widths from 1 to 2.5 pixels and margins of 2 to 8.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from types import TracebackType

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
    """Its recognizer alone, without finding lines in the picture, on one thread.

    Raises:
        ImportError: RapidOCR, ONNX Runtime or OpenCV is not installed.
    """

    def __init__(self) -> None:
        import cv2
        import onnxruntime  # noqa: F401
        from rapidocr import RapidOCR

        cv2.setNumThreads(1)
        engine = "EngineConfig.onnxruntime"
        settings = {"Global.log_level": "error", "Global.use_det": False, "Global.use_cls": False}
        threading = {f"{engine}.intra_op_num_threads": 1, f"{engine}.inter_op_num_threads": 1}
        self._recognizer = RapidOCR(params={**settings, **threading})
        self.name = (
            f"RapidOCR, {self._recognizer.cfg.Rec.ocr_version.value} {self._recognizer.cfg.Rec.model_type.value}"
        )

    def read(self, pictures: list[np.ndarray]) -> tuple[list[str], np.ndarray]:
        """Return what each picture says, and how sure that is, float32 [N] in [0, 1]."""
        found = self._recognizer.recognize_txt(pictures)
        return list(found.txts), np.array(found.scores, np.float32)


_worker = {}


def _start_worker(rows: Sequence[Sequence[np.ndarray]]) -> None:
    _worker.update(recognizer=RapidOcr(), rows=rows, pictures=[drawn(row) for row in rows])


def _read_pictures(pictures: list[np.ndarray]) -> tuple[list[str], np.ndarray]:
    return _worker["recognizer"].read(pictures)


def _read_kept(indices: range) -> None:
    _worker["recognizer"].read([_worker["pictures"][index] for index in indices])


def _draw_and_read_kept(indices: range) -> None:
    _worker["recognizer"].read([drawn(_worker["rows"][index]) for index in indices])


class RapidOcrProcesses:
    """RapidOCR in processes of one thread each: two threads of one session read fewer rows than two processes.

    The processes hold rows to be timed, and their pictures, so that none are sent to them meanwhile.

    Raises:
        ImportError: RapidOCR, ONNX Runtime or OpenCV is not installed.
    """

    def __init__(self, processes: int, rows: Sequence[Sequence[np.ndarray]]) -> None:
        self.name = RapidOcr().name
        self._processes, self._rows = processes, len(rows)
        self._pool = multiprocessing.get_context("spawn").Pool(processes, _start_worker, (rows,))

    def __enter__(self) -> RapidOcrProcesses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()

    def _shares(self, count: int) -> list[range]:
        """Deal the indices out to the processes, so that each gets short and long rows."""
        return [range(start, count, self._processes) for start in range(min(count, self._processes))]

    def read_kept(self) -> None:
        """Read the pictures of the rows to be timed."""
        self._pool.map(_read_kept, self._shares(self._rows), chunksize=1)

    def draw_and_read_kept(self) -> None:
        """Draw the rows to be timed, and read them."""
        self._pool.map(_draw_and_read_kept, self._shares(self._rows), chunksize=1)

    def read(self, pictures: list[np.ndarray]) -> tuple[list[str], np.ndarray]:
        """Return what each picture says, and how sure that is, float32 [N] in [0, 1]."""
        texts, sureness = [""] * len(pictures), np.zeros(len(pictures), np.float32)
        shares = self._shares(len(pictures))
        parts = [[pictures[index] for index in share] for share in shares]
        for share, found in zip(shares, self._pool.map(_read_pictures, parts, chunksize=1), strict=True):
            for index, text, sure in zip(share, *found, strict=True):
                texts[index], sureness[index] = text, sure
        return texts, sureness
