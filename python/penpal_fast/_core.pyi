from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["PADDING", "SIDE", "Rows"]

SIDE: Final = 256
PADDING: Final = 12

@final
class Rows:
    def __new__(cls, source: Any, column: str = "strokes") -> Rows: ...
    def __len__(self) -> int: ...
    def render_into(
        self, out: NDArray[np.float32], start: int, line_width: float, threads: int
    ) -> list[tuple[int, int | None, str, str]]: ...
