//! Points on the way from a row to its path.

/// A point with its position in the stroke that was given, in points; between two points it is fractional.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vertex {
    pub x: f64,
    pub y: f64,
    pub position: f64,
}

impl Vertex {
    #[inline(always)]
    pub fn distance(self, other: Vertex) -> f64 {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// The vertex at a share of the way to another.
    pub fn towards(self, other: Vertex, share: f64) -> Vertex {
        let between = |from: f64, to: f64| from + share * (to - from);
        Vertex {
            x: between(self.x, other.x),
            y: between(self.y, other.y),
            position: between(self.position, other.position),
        }
    }
}

/// The nearest value from -most to most.
#[inline(always)]
pub fn clipped(value: f64, most: f64) -> f64 {
    value.max(-most).min(most)
}
