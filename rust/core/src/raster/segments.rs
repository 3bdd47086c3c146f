//! The segments between neighbouring points, prepared eight at a time.

use fearless_simd::{Simd, f32x8, i32x8, mask32x8, prelude::*};

use super::DOT_LENGTH_SQUARED;
use super::distances::LANES;
use crate::canvas::SIDE;
use crate::fit::CanvasPoints;

/// Rows of the window of pixels that a short segment touches; it is [`LANES`] columns wide. At the default line width
/// it holds 19 of 20 segments of a text line, which are 0.9 px long on average.
pub const WINDOW_ROWS: usize = 4;

/// Windows begin at multiples of so many columns: a row that was just written, for the segment before, is read again
/// from the same place, which the processor does without waiting for its cache.
const WINDOW_STEP: usize = 4;

/// Stands for the index of a window's first pixel where a segment has no window.
const NO_WINDOW: i32 = -1;

/// A segment, seen from a pixel's corner.
#[derive(Clone, Copy)]
pub struct Line {
    /// From the segment's start to the corner, in px.
    pub corner: [f32; 2],
    /// From the segment's start to its end.
    pub delta: [f32; 2],
    /// `delta` divided by the squared length; 0 for a dot.
    pub slope: [f32; 2],
}

impl Line {
    /// Squared distance to the points that lie `across` and `down` from the corner.
    #[inline(always)]
    pub fn squared_distance<S: Simd>(self, simd: S, across: f32x8<S>, down: f32x8<S>) -> f32x8<S> {
        let splat = |value| f32x8::splat(simd, value);
        let (across, down) = (across + splat(self.corner[0]), down + splat(self.corner[1]));
        let along = across * splat(self.slope[0]) + down * splat(self.slope[1]);
        let along = along.min(splat(1.0)).max(splat(0.0));
        let across = across - along * splat(self.delta[0]);
        let down = down - along * splat(self.delta[1]);
        across * across + down * down
    }
}

/// `LANES` segments that follow one another.
#[derive(Clone, Debug)]
struct Group {
    corner: [[f32; LANES]; 2],
    delta: [[f32; LANES]; 2],
    slope: [[f32; LANES]; 2],
    window: [i32; LANES],
}

/// The segments from each point of a row to the next, those from stroke to stroke included.
#[derive(Clone, Debug, Default)]
pub struct Segments(Vec<Group>);

impl Segments {
    /// Replaces all segments by those of `points`, drawn to a distance of `reach`.
    #[inline(always)]
    pub fn prepare<S: Simd>(&mut self, simd: S, points: &CanvasPoints, reach: f32) {
        self.0.clear();
        let count = points.x.len().saturating_sub(1);
        for first in (0..count).step_by(LANES) {
            self.0.push(Group::new(simd, from(&points.x, first), from(&points.y, first), reach));
        }
    }

    /// The segment from a point to the next as seen from the corner of its window, and the index of the window's first
    /// pixel; `None` for a segment that needs more than a window.
    #[inline(always)]
    pub fn short(&self, segment: usize) -> Option<(usize, Line)> {
        let (group, lane) = (&self.0[segment / LANES], segment % LANES);
        let of = |axes: &[[f32; LANES]; 2]| [axes[0][lane], axes[1][lane]];
        let line = Line { corner: of(&group.corner), delta: of(&group.delta), slope: of(&group.slope) };
        usize::try_from(group.window[lane]).ok().map(|window| (window, line))
    }
}

/// `LANES + 1` values from index `first` on; past the end the last one is repeated.
#[inline(always)]
fn from(values: &[f32], first: usize) -> [f32; LANES + 1] {
    match values[first..].first_chunk() {
        Some(values) => *values,
        None => std::array::from_fn(|index| values[(first + index).min(values.len() - 1)]),
    }
}

impl Group {
    #[inline(always)]
    fn new<S: Simd>(simd: S, x: [f32; LANES + 1], y: [f32; LANES + 1], reach: f32) -> Self {
        let splat = |value| f32x8::splat(simd, value);
        // Two calls: through an array's map they would not be inlined, and lose the vector instructions.
        let across = Axis::new(simd, &x, reach, WINDOW_STEP, LANES);
        let down = Axis::new(simd, &y, reach, 1, WINDOW_ROWS);
        let length_squared = across.delta * across.delta + down.delta * down.delta;
        let inverse = splat(1.0) / length_squared;
        let inverse = length_squared.simd_gt(splat(DOT_LENGTH_SQUARED)).select(inverse, splat(0.0));
        let fits: mask32x8<S> = across.fits & down.fits;
        let window: i32x8<S> = (down.first * splat(SIDE as f32) + across.first).to_int();
        let window = fits.select(window, i32x8::splat(simd, NO_WINDOW));
        Group {
            corner: [(across.first - across.start).into(), (down.first - down.start).into()],
            delta: [across.delta.into(), down.delta.into()],
            slope: [(across.delta * inverse).into(), (down.delta * inverse).into()],
            window: window.into(),
        }
    }
}

/// One axis of `LANES` segments.
struct Axis<S: Simd> {
    start: f32x8<S>,
    delta: f32x8<S>,
    /// First pixel of the window.
    first: f32x8<S>,
    /// Whether the window holds all pixels that the segment reaches.
    fits: mask32x8<S>,
}

impl<S: Simd> Axis<S> {
    /// Windows begin at multiples of `step` and are `length` pixels long.
    #[inline(always)]
    fn new(simd: S, values: &[f32; LANES + 1], reach: f32, step: usize, length: usize) -> Self {
        let splat = |value| f32x8::splat(simd, value);
        let start = f32x8::from_slice(simd, &values[..LANES]);
        let end = f32x8::from_slice(simd, &values[1..]);
        // Pixel p is reached where its centre p + 0.5 is.
        let low = (start.min(end) - splat(reach - 0.5)).max(splat(0.0));
        let high = start.max(end) + splat(reach - 0.5);
        let last = splat((SIDE - length) as f32);
        let first = ((low * splat(1.0 / step as f32)).floor() * splat(step as f32)).min(last);
        let fits = high.simd_lt(first + splat(length as f32)) | first.simd_ge(last);
        Axis { start, delta: end - start, first, fits }
    }
}
