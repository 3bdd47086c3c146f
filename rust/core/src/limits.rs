//! The sizes beyond which a row is refused.

/// Most points of a row, a thousand times those of a written line. At the default line width the slowest row of this
/// size, whose segments all go from corner to corner, takes about two seconds.
pub const MAX_POINTS: usize = 1 << 20;

/// Most strokes of a row. Strokes without points count.
pub const MAX_STROKES: usize = 1 << 20;

/// Most samples of the [path](crate::path) of a row: twice those of a line of 100 letters. A longer one is not a line of
/// writing.
pub const MAX_SAMPLES: usize = 4096;
