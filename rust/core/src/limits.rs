//! The sizes beyond which a row is refused.

/// Maximum number of points in a row, a thousand times as many as a written line has. At the default line width the
/// slowest row of this size, whose segments all go from corner to corner, takes seconds (docs/trust.md).
pub const MAX_POINTS: usize = 1 << 20;

/// Maximum number of strokes in a row. Strokes without points count.
pub const MAX_STROKES: usize = 1 << 20;

/// Maximum number of samples of the [path](crate::path) of a row: twice those of a line of 100 letters. A longer one is
/// not a line of writing.
pub const MAX_SAMPLES: usize = 4096;

/// The memory of rows with more points is not kept for the next ones. Written lines have far fewer.
pub(crate) const MAX_KEPT_POINTS: usize = 1 << 16;
