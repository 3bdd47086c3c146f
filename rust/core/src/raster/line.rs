//! A segment relative to a pixel.

/// Squared length in px² up to which a segment is drawn as a dot at its start: a millionth of a pixel.
pub const DOT_LENGTH_SQUARED: f32 = 1e-12;

/// A segment relative to the centre of a pixel.
#[derive(Clone, Copy)]
pub struct Line {
    /// Distance of the pixel from the middle of the segment, along it, in px.
    pub along: f32,
    /// Signed distance of the pixel from the segment's line, in px.
    pub beside: f32,
    /// Unit vector from the segment's start to its end. Any unit vector for a dot.
    pub direction: [f32; 2],
    /// In px; 0 for a dot.
    pub half_length: f32,
}
