"""Pictures of made lines, compared with the ones in `golden/` after rounding to 8 bits.

The renderer's arithmetic gives the same bits on every processor, so the comparison is exact; that the pictures are
right is for the parity tests to say. `PYTHONPATH=tests python tests/rendering/test_golden.py` draws them anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import penpal_fast
from helpers.made_lines import GOLDEN

FOLDER = Path(__file__).parent / "golden"


def eight_bit(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture * 255).astype(np.uint8)


@pytest.mark.parametrize("name", GOLDEN)
def test_picture_is_the_golden_one(name):
    with Image.open(FOLDER / f"{name}.png") as golden:
        expected = np.asarray(golden)
    assert np.array_equal(eight_bit(penpal_fast.render_strokes(GOLDEN[name]))[:, :, 0], expected)


def draw_anew() -> None:
    for name, row in GOLDEN.items():
        picture = eight_bit(penpal_fast.render_strokes(row))[:, :, 0]
        Image.fromarray(picture).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    draw_anew()
