//! Antialiased polylines: each pair of neighbouring points is a capsule, a pixel takes the largest coverage.
//!
//! Only additions, multiplications, divisions and square roots are used, never a fused multiply-add, so that every
//! processor gives the same bits.

use fearless_simd::{Simd, f32x8, prelude::*};

use crate::canvas::{Canvas, SIDE};
use crate::fit::CanvasPoints;

/// Pixels handled at a time.
const LANES: usize = 8;

/// Centres of `LANES` neighbouring pixels, from the left border of the first.
const CENTRES: [f32; LANES] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5];

/// Squared length in px² under which a segment is drawn as the dot at its start; a millionth of a pixel long.
const DOT_LENGTH_SQUARED: f32 = 1e-12;

/// Slack in px on the columns that a row of a long segment may touch, far above the rounding error of the bound.
const COLUMN_SLACK: f32 = 0.05;

/// Width of a drawn line in pixels: above 0 and at most the side of the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineWidth(f64);

impl LineWidth {
    /// The line width in pixels, or `None` unless it is above 0 and at most 256.
    pub fn new(pixels: f64) -> Option<Self> {
        (pixels > 0.0 && pixels <= SIDE as f64).then_some(LineWidth(pixels))
    }

    /// Distance from a line's centre at which coverage reaches 0.
    pub(crate) fn reach(self) -> f32 {
        (self.0 / 2.0 + 0.5) as f32
    }
}

/// Draws strokes over a canvas. `strokes` gives the range of each stroke's points.
#[inline(always)]
pub fn draw<S: Simd>(
    simd: S,
    canvas: &mut Canvas,
    points: &CanvasPoints,
    strokes: impl Iterator<Item = std::ops::Range<usize>>,
    line_width: LineWidth,
) {
    let reach = line_width.reach();
    for stroke in strokes {
        let (Some(x), Some(y)) = (points.x.get(stroke.clone()), points.y.get(stroke)) else { continue };
        if let (&[x], &[y]) = (x, y) {
            Capsule::new([x, y], [x, y], reach).draw(simd, canvas);
        }
        for (x, y) in x.windows(2).zip(y.windows(2)) {
            Capsule::new([x[0], y[0]], [x[1], y[1]], reach).draw(simd, canvas);
        }
    }
}

/// A segment with everything that is the same for all its pixels.
struct Capsule {
    start: [f32; 2],
    delta: [f32; 2],
    inverse_length_squared: f32,
    reach: f32,
}

impl Capsule {
    #[inline(always)]
    fn new(start: [f32; 2], end: [f32; 2], reach: f32) -> Self {
        let delta = [end[0] - start[0], end[1] - start[1]];
        let length_squared = delta[0] * delta[0] + delta[1] * delta[1];
        let inverse_length_squared = if length_squared > DOT_LENGTH_SQUARED { 1.0 / length_squared } else { 0.0 };
        Capsule { start, delta, inverse_length_squared, reach }
    }

    #[inline(always)]
    fn draw<S: Simd>(&self, simd: S, canvas: &mut Canvas) {
        let (left, right) = self.pixels_across(0);
        let (top, bottom) = self.pixels_across(1);
        for (row, line) in canvas.chunks_exact_mut(SIDE).enumerate().take(bottom + 1).skip(top) {
            let below = row as f32 + 0.5 - self.start[1];
            let (left, right) = if right - left < LANES { (left, right) } else { self.narrow(below, left, right) };
            let mut column = left;
            while column <= right {
                let first = column.min(SIDE - LANES);
                let pixels = line[first..].first_chunk_mut().expect("LANES pixels start at most at SIDE - LANES");
                self.cover(simd, pixels, first, below);
                column += LANES;
            }
        }
    }

    /// First and last pixel along an axis whose centres may lie within reach.
    #[inline(always)]
    fn pixels_across(&self, axis: usize) -> (usize, usize) {
        let (start, delta) = (self.start[axis], self.delta[axis]);
        let low = start + smaller(delta, 0.0) - self.reach - 0.5;
        let high = start + larger(delta, 0.0) + self.reach - 0.5;
        let last = (SIDE - 1) as f32;
        (larger(smaller(low, last), 0.0) as usize, larger(smaller(high, last), 0.0) as usize)
    }

    /// The columns among `left..=right` that a row `below` the start may touch, so that a long slanted segment costs
    /// its length and not its bounding box.
    #[inline(always)]
    fn narrow(&self, below: f32, left: usize, right: usize) -> (usize, usize) {
        let [across, down] = self.delta;
        if down * down < 1.0 {
            return (left, right);
        }
        let at = |distance: f32| across * larger(smaller((below + distance) / down, 1.0), 0.0);
        let (one, other) = (at(-self.reach), at(self.reach));
        let reach = self.reach + COLUMN_SLACK;
        let low = self.start[0] + smaller(one, other) - reach - 0.5;
        let high = self.start[0] + larger(one, other) + reach - 0.5;
        (left.max(larger(low, 0.0) as usize), right.min(larger(high, 0.0) as usize))
    }

    /// Raises `LANES` pixels of a row, from column `first` on, to their coverage by this capsule.
    #[inline(always)]
    fn cover<S: Simd>(&self, simd: S, pixels: &mut [f32; LANES], first: usize, below: f32) {
        let splat = |value| f32x8::splat(simd, value);
        let (zero, one) = (splat(0.0), splat(1.0));
        let right = f32x8::from_slice(simd, &CENTRES) + splat(first as f32 - self.start[0]);
        let along = (right * splat(self.delta[0]) + splat(below * self.delta[1])) * splat(self.inverse_length_squared);
        let along = along.min(one).max(zero);
        let across = right - along * splat(self.delta[0]);
        let down = splat(below) - along * splat(self.delta[1]);
        let distance = (across * across + down * down).sqrt();
        let coverage = (splat(self.reach) - distance).min(one).max(zero);
        f32x8::from_slice(simd, pixels).max(coverage).store_slice(pixels);
    }
}

/// As `f32::max` but without its care for NaN, which never occurs here: one instruction.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::canvas::PIXELS;

    fn drawn(points: &[[f32; 2]], line_width: f64) -> Box<Canvas> {
        let mut canvas: Box<Canvas> = vec![0.0; PIXELS].try_into().unwrap();
        let x = points.iter().map(|point| point[0]).collect();
        let y = points.iter().map(|point| point[1]).collect();
        let width = LineWidth::new(line_width).unwrap();
        let (points, stroke) = (CanvasPoints { x, y }, std::iter::once(0..points.len()));
        dispatch!(Level::new(), simd => draw(simd, &mut canvas, &points, stroke, width));
        canvas
    }

    /// Coverage of the pixel at (column, row) by the segment, in float64 and straight from the definition.
    fn expected(column: usize, row: usize, a: [f32; 2], b: [f32; 2], line_width: f64) -> f64 {
        let [ax, ay, bx, by] = [a[0], a[1], b[0], b[1]].map(f64::from);
        let (px, py) = (column as f64 + 0.5 - ax, row as f64 + 0.5 - ay);
        let (dx, dy) = (bx - ax, by - ay);
        let length_squared = dx * dx + dy * dy;
        let along = if length_squared > 0.0 { ((px * dx + py * dy) / length_squared).clamp(0.0, 1.0) } else { 0.0 };
        (line_width / 2.0 + 0.5 - (px - along * dx).hypot(py - along * dy)).clamp(0.0, 1.0)
    }

    #[test]
    fn segments_match_the_definition() {
        let segments = [
            [[128.0, 128.0], [128.0, 128.0]],
            [[12.0, 12.0], [244.0, 244.0]],
            [[244.0, 13.3], [12.0, 201.7]],
            [[12.0, 30.2], [244.0, 30.9]],
            [[12.0, 31.2], [244.0, 32.9]],
            [[77.1, 12.0], [77.4, 244.0]],
            [[100.0, 100.0], [100.3, 99.9]],
            [[100.0, 100.0], [100.0 + 1e-5, 100.0]],
            [[243.9, 243.9], [244.0, 12.0]],
            [[0.0, 0.0], [256.0, 3.0]],
        ];
        for [a, b] in segments {
            for line_width in [0.01, 1.0, 1.5, 2.0, 40.0, 256.0] {
                let canvas = drawn(&[a, b], line_width);
                for (index, &pixel) in canvas.iter().enumerate() {
                    let want = expected(index % SIDE, index / SIDE, a, b, line_width);
                    assert!((f64::from(pixel) - want).abs() < 1e-4, "{a:?} {b:?} {line_width} {index} {pixel} {want}");
                }
            }
        }
    }

    #[test]
    fn a_stroke_of_one_point_is_a_dot() {
        assert_eq!(drawn(&[[20.5, 30.5]], 2.0), drawn(&[[20.5, 30.5], [20.5, 30.5]], 2.0));
        assert_eq!(drawn(&[[20.5, 30.5]], 2.0)[30 * SIDE + 20], 1.0);
    }

    #[test]
    fn no_points_leave_the_canvas_blank() {
        assert!(drawn(&[], 2.0).iter().all(|&pixel| pixel == 0.0));
    }

    #[test]
    fn line_widths_have_limits() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 256.1] {
            assert_eq!(LineWidth::new(bad), None, "{bad}");
        }
    }
}
