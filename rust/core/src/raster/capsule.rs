//! A segment of any length, drawn row by row.

use fearless_simd::Simd;

use super::distances::Distances;
use super::line::{DOT_LENGTH_SQUARED, Line};
use crate::canvas::{LANES, SIDE};

/// Slack in px on the columns that a row of a long segment may touch, far above the rounding error of the bound.
const COLUMN_SLACK: f32 = 0.05;

/// A segment with all values that its pixels share.
pub struct Capsule {
    start: [f32; 2],
    delta: [f32; 2],
    direction: [f32; 2],
    half_length: f32,
    reach: f32,
}

impl Capsule {
    #[inline(always)]
    pub fn new(start: [f32; 2], end: [f32; 2], reach: f32) -> Self {
        let delta = [end[0] - start[0], end[1] - start[1]];
        let length_squared = delta[0] * delta[0] + delta[1] * delta[1];
        if length_squared <= DOT_LENGTH_SQUARED {
            return Capsule { start, delta, direction: [1.0, 0.0], half_length: 0.0, reach };
        }
        let length = length_squared.sqrt();
        Capsule { start, delta, direction: delta.map(|delta| delta / length), half_length: length / 2.0, reach }
    }

    #[inline(always)]
    pub fn draw<S: Simd>(&self, simd: S, distances: &mut Distances) {
        let (left, right) = self.pixels_across(0);
        let (top, bottom) = self.pixels_across(1);
        for row in top..=bottom {
            let (left, right) = if right - left < LANES { (left, right) } else { self.narrow(row, left, right) };
            for column in (left..=right).step_by(LANES) {
                let first = column.min(SIDE - LANES);
                distances.lower_lanes(simd, row, first, self.line(row, first));
            }
        }
    }

    /// The segment relative to a pixel.
    #[inline(always)]
    fn line(&self, row: usize, column: usize) -> Line {
        let [right, below] = self.direction;
        let centre = [column as f32 + 0.5 - self.start[0], row as f32 + 0.5 - self.start[1]];
        Line {
            along: centre[0] * right + centre[1] * below - self.half_length,
            beside: centre[0] * below - centre[1] * right,
            direction: self.direction,
            half_length: self.half_length,
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

    /// The columns within `left..=right` that a row may touch. The time for a long slanted segment then depends on its
    /// length and not on its bounding box.
    #[inline(always)]
    fn narrow(&self, row: usize, left: usize, right: usize) -> (usize, usize) {
        let [across, down] = self.delta;
        if down * down < 1.0 {
            return (left, right);
        }
        let below = row as f32 + 0.5 - self.start[1];
        let at = |distance: f32| across * larger(smaller((below + distance) / down, 1.0), 0.0);
        let (one, other) = (at(-self.reach), at(self.reach));
        let reach = self.reach + COLUMN_SLACK;
        let low = self.start[0] + smaller(one, other) - reach - 0.5;
        let high = self.start[0] + larger(one, other) + reach - 0.5;
        (left.max(larger(low, 0.0) as usize), right.min(larger(high, 0.0) as usize))
    }
}

/// `f32::max` without its handling of NaN, which never occurs here: one instruction.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}
