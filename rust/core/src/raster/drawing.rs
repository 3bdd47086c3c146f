//! Draws the strokes of one row.

use std::ops::Range;

use fearless_simd::Simd;

use super::capsule::Capsule;
use super::distances::Distances;
use super::segments::{SHORT_ROWS, Segment, Segments, TALL_ROWS};
use crate::canvas::{CanvasPoints, LANES, LineWidth, RowBits};

/// The working memory of one thread. Between rows no pixel has ink.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raster {
    distances: Distances,
    segments: Segments,
    /// The line width of the last row.
    line_width: Option<LineWidth>,
}

impl Raster {
    /// Draws strokes. `strokes` gives the range of each stroke's points.
    #[inline(always)]
    pub fn draw<S: Simd>(
        &mut self,
        simd: S,
        points: &CanvasPoints,
        strokes: impl Iterator<Item = Range<usize>>,
        line_width: LineWidth,
    ) {
        let reach = line_width.reach();
        if self.line_width.replace(line_width) != Some(line_width) {
            // Distances left beside the ink of earlier rows may be ink for another width.
            self.distances.clear();
        }
        let Raster { distances, segments, .. } = self;
        segments.prepare(simd, points, reach);
        let end = |point: usize| [points.x[point], points.y[point]];
        for stroke in strokes {
            if stroke.len() == 1 {
                Capsule::new(end(stroke.start), end(stroke.start), reach).draw(simd, distances);
            }
            if let Some(last) = stroke.end.checked_sub(1) {
                // The pen is up between strokes.
                segments.leave_out(last);
            }
        }
        for (index, group) in segments.groups().iter().enumerate() {
            for lane in 0..LANES {
                match group.segment(lane) {
                    Segment::None => {}
                    Segment::Short(window) => {
                        distances.lower_window::<S, SHORT_ROWS>(simd, window, || group.line(lane));
                    }
                    Segment::Tall(window) => {
                        distances.lower_window::<S, TALL_ROWS>(simd, window, || group.line(lane));
                    }
                    Segment::Long => {
                        let start = index * LANES + lane;
                        Capsule::new(end(start), end(start + 1), reach).draw(simd, distances);
                    }
                }
            }
        }
    }

    /// Writes the coverage of a row's pixels from column `first` on to `out`, which is blank, and takes their ink away.
    /// `first` and the number of pixels are multiples of [`BLOCK`](crate::canvas::BLOCK). Returns the pixels with ink.
    #[inline(always)]
    pub fn take_row<S: Simd>(
        &mut self,
        simd: S,
        row: usize,
        first: usize,
        out: &mut [f32],
        line_width: LineWidth,
    ) -> RowBits {
        self.distances.take_row(simd, row, first, out, line_width.reach())
    }
}

#[cfg(test)]
mod tests;
