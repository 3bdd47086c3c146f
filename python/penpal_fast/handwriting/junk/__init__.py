"""Junk: what nobody would call handwriting, either drawn from nothing or made by spoiling lines.

`DRAWN` and `SPOILT` are used in training, `UNSEEN` only in measurements, to see whether the network generalizes.
"""

from penpal_fast.handwriting.junk import drawn, spoilt
from penpal_fast.handwriting.junk.material import Junk, Material


def _by_name(*kinds: Junk) -> dict[str, Junk]:
    return {kind.__name__: kind for kind in kinds}


DRAWN = _by_name(
    drawn.scribble,
    drawn.straight_lines,
    drawn.zigzag,
    drawn.spiral,
    drawn.coil,
    drawn.scattered_points,
    drawn.joined_points,
    drawn.grid,
    drawn.wave,
    drawn.polygons,
    drawn.arrows,
    drawn.signature,
    drawn.doodle,
)
SPOILT = _by_name(
    spoilt.displaced,
    spoilt.overwritten,
    spoilt.overlaid,
    spoilt.tremor,
    spoilt.missing_lifts,
    spoilt.crossed_out,
    spoilt.tail,
    spoilt.interrupted,
    spoilt.erased,
    spoilt.cropped,
    spoilt.mixed_sizes,
    spoilt.ruled,
)
KINDS = {**DRAWN, **SPOILT}
UNSEEN = _by_name(drawn.bars, drawn.plotted)

__all__ = ["DRAWN", "KINDS", "SPOILT", "UNSEEN", "Junk", "Material"]
