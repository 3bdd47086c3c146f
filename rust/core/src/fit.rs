//! The isotropic fit of a row's bounding box into the padded canvas.

use std::ops::Range;

use crate::canvas::{BLOCK, CanvasPoints, INNER, LineWidth, SIDE};
use crate::coordinates::{Coordinates, Extent};
use crate::strokes::Strokes;

/// Maps row coordinates to canvas pixels, in float64.
///
/// Both axes share the scale `INNER / max(width, height)` and the box is centred. A row whose points coincide maps to
/// the centre.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    x: AxisFit,
    y: AxisFit,
}

/// How many pixels more than a line can reach may have ink.
const ROUNDING: f64 = 1.0;

#[derive(Clone, Copy, Debug)]
struct AxisFit {
    low: f64,
    scale: Scale,
    margin: f64,
}

impl AxisFit {
    fn new(extent: Extent, scale: Scale) -> Self {
        AxisFit { low: extent.low, scale, margin: (SIDE as f64 - scale.of(extent.span())) / 2.0 }
    }

    /// Coordinates that another thread writes to may be out of the extent by now, or NaN. They stay within the pixels
    /// of [`Fit::ink`].
    #[inline(always)]
    fn apply(self, coordinates: Coordinates, out: &mut Vec<f32>) {
        let low = self.margin - ROUNDING / 2.0;
        let high = SIDE as f64 - low;
        coordinates.map_into(out, |value| {
            let place = self.scale.of(value - self.low) + self.margin;
            let place = if place > low { place } else { low };
            if place < high { place } else { high }
        });
    }
}

/// `INNER / longer_side` as two factors, because float64 cannot hold the quotient for sides near the ends of its range.
/// The first factor is a power of two, so that it does not change any digit.
#[derive(Clone, Copy, Debug)]
struct Scale([f64; 2]);

impl Scale {
    fn new(longer_side: f64) -> Self {
        let first = if longer_side < 1.0 { 2_f64.powi(500) } else { 2_f64.powi(-500) };
        Scale([first, INNER as f64 / (longer_side * first)])
    }

    #[inline(always)]
    fn of(self, length: f64) -> f64 {
        length * self.0[0] * self.0[1]
    }
}

impl Fit {
    /// The fit of a row.
    pub fn new(strokes: &Strokes) -> Self {
        let (x, y) = (strokes.x_extent(), strokes.y_extent());
        let longer_side = x.span().max(y.span());
        // All points coincide: every difference is 0, and any scale maps them to the centre.
        let scale = Scale::new(if longer_side > 0.0 { longer_side } else { 1.0 });
        Fit { x: AxisFit::new(x, scale), y: AxisFit::new(y, scale) }
    }

    /// The pixels that lines of this width may touch, in whole blocks of columns.
    pub(crate) fn ink(&self, line_width: LineWidth) -> Ink {
        let margin = |axis: AxisFit| (axis.margin - f64::from(line_width.reach()) - ROUNDING).max(0.0) as usize;
        let (above, left) = (margin(self.y), margin(self.x) / BLOCK * BLOCK);
        Ink { rows: above..SIDE - above, columns: left..SIDE - left }
    }

    /// Replaces `points` by the row's points on the canvas. Reuses the memory that `points` already has.
    #[inline(always)]
    pub fn apply(&self, strokes: &Strokes, points: &mut CanvasPoints) {
        self.x.apply(strokes.x(), &mut points.x);
        self.y.apply(strokes.y(), &mut points.y);
    }
}

/// A rectangle of pixels; its columns are whole blocks of [`BLOCK`].
#[derive(Clone, Debug)]
pub(crate) struct Ink {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strokes::Offsets;

    fn fitted(x: &[f64], y: &[f64]) -> CanvasPoints {
        let offsets = [0, x.len() as i32];
        let strokes = Strokes::new(Offsets::Int32(&offsets), x.into(), y.into()).unwrap();
        let mut points = CanvasPoints::default();
        Fit::new(&strokes).apply(&strokes, &mut points);
        points
    }

    #[test]
    fn longer_side_fills_the_padded_canvas() {
        let points = fitted(&[0.0, 100.0], &[0.0, 50.0]);
        assert_eq!(points.x, [12.0, 244.0]);
        assert_eq!(points.y, [70.0, 186.0]);
    }

    #[test]
    fn coinciding_points_are_at_the_centre() {
        let points = fitted(&[1e300, 1e300], &[-5.0, -5.0]);
        assert_eq!(points.x, [128.0, 128.0]);
        assert_eq!(points.y, [128.0, 128.0]);
    }

    #[test]
    fn flat_lines_are_centred_across() {
        assert_eq!(fitted(&[3.0, 5.0], &[7.0, 7.0]).y, [128.0, 128.0]);
        assert_eq!(fitted(&[3.0, 3.0], &[7.0, 9.0]).x, [128.0, 128.0]);
    }

    #[test]
    fn points_beyond_the_extent_stay_within_the_ink() {
        let values = [0.0, 10.0];
        let strokes = Strokes::new(Offsets::Int32(&[0, 2]), (&values[..]).into(), (&[0.0, 0.0][..]).into()).unwrap();
        let fit = Fit::new(&strokes);
        let mut points = CanvasPoints::default();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 11.0, -1.0] {
            // As if another thread had written it after the extent was found.
            let later = [value, 5.0];
            fit.x.apply((&later[..]).into(), &mut points.x);
            assert!((11.0..=245.0).contains(&points.x[0]), "{value}: {}", points.x[0]);
            assert_eq!(points.x[1], 128.0);
        }
    }

    #[test]
    fn spans_at_the_ends_of_float64_fit() {
        for span in [5e-324, 1e-310, 1e-300, 1e300, f64::MAX] {
            assert_eq!(fitted(&[0.0, span], &[0.0, 0.0]).x, [12.0, 244.0], "span {span}");
        }
    }
}
