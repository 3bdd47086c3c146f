//! Lengths in heights of the writing.

/// Length of a step along the ink, in heights.
pub const STEP: f64 = 0.12;

/// How far in heights anything reaches: ink farther from the line does not count for the frame, a longer segment is a
/// jump and not ink, and longer lifts look alike.
pub const REACH: f64 = 4.0;

/// Distances from the centre line are clipped to this, in heights.
pub const HIGHEST: f64 = 2.0;

/// Rows that are wider or taller, in their own units, have their coordinates multiplied by [`SMALLER`], a power of two.
pub const LARGE: f64 = 1e300;

pub const SMALLER: f64 = 1.0 / 1024.0;
