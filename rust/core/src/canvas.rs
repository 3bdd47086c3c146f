//! The canvas that the network sees: the one place where its size is named.

/// Width and height of the canvas in pixels; `fuzz` also builds a small one, for more executions a second.
pub const SIDE: usize = if cfg!(small_canvas) { 64 } else { 256 };

/// Blank margin in pixels between the canvas border and the bounding box of the points.
pub const PADDING: usize = 12;

/// Length in pixels of the longer side of the fitted bounding box.
pub const INNER: usize = SIDE - 2 * PADDING;

/// Number of pixels, and of floats, in one canvas.
pub const PIXELS: usize = SIDE * SIDE;

/// One rendered row: coverage from 0 (background) to 1 (ink), row-major.
pub type Canvas = [f32; PIXELS];
