from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACCEPTED_TYPES",
    "MAX_METADATA_BYTES",
    "MAX_POINTS",
    "MAX_THREADS",
    "PADDING",
    "SIDE",
    "VERSION",
    "Backpropagation",
    "Engine",
    "Footer",
    "Reader",
    "Rows",
    "StrokeReader",
    "append_columns",
    "appended_places",
    "concatenate",
    "path",
    "peak_multiplications",
    "read_probabilities",
]

VERSION: Final[str]
SIDE: Final = 256
PADDING: Final = 12
MAX_METADATA_BYTES: Final = 0x4000000
MAX_THREADS: Final = 1024
MAX_POINTS: Final = 0x100000
ACCEPTED_TYPES: Final[str]

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

@final
class Rows:
    def __new__(cls, source: Any, column: str = "strokes") -> Rows: ...
    def __len__(self) -> int: ...
    def problems(self) -> list[tuple[int, int | None, str, str]]: ...
    def fitted(self, row: int) -> list[tuple[float, float]]: ...
    def words(self, row: int) -> list[list[NDArray[np.float64]]]: ...
    def to_penpal(self) -> _ArrowArray: ...
    def notes(self, threads: int) -> list[tuple[int, str, bool]]: ...
    def render_parts_into(
        self, out: NDArray[np.float32], row: int, parts: Sequence[int], line_width: float, threads: int
    ) -> None: ...
    def render_into(
        self, out: NDArray[np.float32], start: int, line_width: float, threads: int
    ) -> list[tuple[int, int | None, str, str]]: ...

_Layer = tuple[NDArray[np.float32], NDArray[np.float32]]

@final
class Engine:
    def __new__(
        cls,
        stem: _Layer,
        blocks: list[tuple[_Layer, _Layer, _Layer | None]],
        head_weight: NDArray[np.float32],
        head_bias: float,
        line_width: float,
    ) -> Engine: ...
    def logits_into(
        self, rows: Rows, out: NDArray[np.float32], start: int, threads: int
    ) -> list[tuple[int, int | None, str, str]]: ...
    def picture_logits_into(self, pictures: NDArray[np.float32], out: NDArray[np.float32], threads: int) -> None: ...
    def profile(self, rows: Rows) -> list[tuple[str, float, int]]: ...

_Texts = tuple[NDArray[np.uint16], NDArray[np.int64]]
_Readings = tuple[
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.uint16],
    NDArray[np.int64],
    list[tuple[int, int | None, str, str]],
]

@final
class Reader:
    def __new__(
        cls,
        stem: list[tuple[int, int, NDArray[np.float32], NDArray[np.float32]]],
        blocks: list[tuple[int, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]],
        head: _Layer,
    ) -> Reader: ...
    def log_probabilities(self, rows: Rows, row: int) -> NDArray[np.float32]: ...
    def align(self, rows: Rows, row: int, codes: NDArray[np.uint16]) -> list[tuple[int, int, float]]: ...
    def read(self, rows: Rows, start: int, count: int, texts: _Texts | None, threads: int) -> _Readings: ...
    def profile(self, rows: Rows, texts: _Texts) -> list[tuple[str, float]]: ...

_NormedLayer = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

@final
class Backpropagation:
    def __new__(cls, channels: list[int], projection: bool, epsilon: float, threads: int) -> Backpropagation: ...
    def forward(
        self,
        layers: list[_NormedLayer],
        head_weight: NDArray[np.float32],
        head_bias: float,
        pictures: NDArray[np.float32],
        statistics: list[tuple[NDArray[np.float32], NDArray[np.float32]]] | None = None,
    ) -> tuple[NDArray[np.float32], list[tuple[NDArray[np.float32], NDArray[np.float32]]]]: ...
    def backward(self, by_logits: NDArray[np.float32]) -> tuple[list[_NormedLayer], NDArray[np.float32], float]: ...

@final
class Footer:
    def __new__(cls, metadata: bytes, file_size: int) -> Footer: ...
    def row_groups(self) -> list[tuple[int, int, bool]]: ...
    def bytes_before_metadata(self) -> int: ...
    def check_pages(self, path: str, row_group: int) -> int: ...
    def stroke_columns(self) -> list[tuple[int, int]]: ...
    def strokes(
        self, path: str, row_group: int, column: int, decompress: Callable[[str, bytes, int], bytes]
    ) -> StrokeReader: ...

_Bits = NDArray[np.uint8] | None

@final
class StrokeReader:
    def read(
        self, rows: int, points: int
    ) -> tuple[int, list[tuple[NDArray[np.int32] | None, _Bits]], list[tuple[NDArray[np.floating], _Bits]]]: ...

def path(rows: Rows, row: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]: ...
def read_probabilities(
    log_probabilities: NDArray[np.float32], frames: NDArray[np.int64], texts: _Texts | None, threads: int
) -> _Readings: ...
def peak_multiplications() -> float: ...
def append_columns(pieces: list[tuple[str, int, int, str]], metadata: list[tuple[str, str]], output: str) -> None: ...
def appended_places(pieces: list[tuple[str, int, int, str]]) -> list[tuple[Path, int, int]]: ...
def concatenate(files: list[str], output: str) -> None: ...
