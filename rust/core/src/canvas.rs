//! The canvas that the network sees: its size, its points, and the range of line widths. (The default width is in
//! Python's `canvas.py`.)

use std::ops::Range;

/// Width and height of the canvas in pixels. `fuzz` also builds a small one, for more executions per second.
pub const SIDE: usize = if cfg!(small_canvas) { 64 } else { 256 };

/// Blank margin in pixels between the canvas border and the bounding box of the points.
pub const PADDING: usize = 12;

/// Length in pixels of the longer side of the fitted bounding box.
pub const INNER: usize = SIDE - 2 * PADDING;

/// Number of pixels, and of floats, in one canvas.
pub const PIXELS: usize = SIDE * SIDE;

/// One rendered row: coverage from 0 (background) to 1 (ink), row-major.
pub type Canvas = [f32; PIXELS];

/// Number of neighbouring pixels that one vector holds.
pub(crate) const LANES: usize = 8;

/// Number of neighbouring pixels that are passed over together if they have no ink. Half of the blocks of a text line
/// have none.
pub(crate) const BLOCK: usize = 4 * LANES;

/// One bit for each pixel of a canvas row. The first pixel is the lowest bit of the first word.
pub(crate) type RowBits = [u64; SIDE / 64];

/// Points in canvas pixels, rounded to float32 (at most 2^-17 px off).
#[derive(Clone, Debug, Default)]
pub struct CanvasPoints {
    /// Columns; pixel `c` has its centre at `c + 0.5`.
    pub x: Vec<f32>,
    /// Rows; pixel `r` has its centre at `r + 0.5`.
    pub y: Vec<f32>,
}

impl CanvasPoints {
    /// Drops all points but those of the ranges, which are in order, and returns where they are now.
    pub(crate) fn keep(&mut self, ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
        let mut end = 0;
        let moved = ranges.map(|range| {
            let start = end;
            self.x.copy_within(range.clone(), start);
            self.y.copy_within(range.clone(), start);
            end += range.len();
            start..end
        });
        let moved = moved.collect();
        self.x.truncate(end);
        self.y.truncate(end);
        moved
    }
}

/// Width of a drawn line in pixels: above 0 and at most the side of the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineWidth(f64);

impl LineWidth {
    /// A line width in pixels. `None` unless it is above 0 and at most [`SIDE`].
    pub fn new(pixels: f64) -> Option<Self> {
        (pixels > 0.0 && pixels <= SIDE as f64).then_some(LineWidth(pixels))
    }

    /// Distance from the centre of a line at which coverage reaches 0.
    pub(crate) fn reach(self) -> f32 {
        (self.0 / 2.0 + 0.5) as f32
    }
}
