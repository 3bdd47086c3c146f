//! For each pixel the smallest squared distance to what has been drawn.

use fearless_simd::{Simd, f32x8, prelude::*};

use super::line::Line;
use crate::canvas::{BLOCK, LANES, PIXELS, RowBits, SIDE};

/// Distances of neighbouring pixels from the first.
const STEPS: [f32; LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

/// Squared distance of a pixel with nothing nearby.
const FAR: f32 = f32::MAX;

/// Squares of distances are rounded, so those of pixels without ink may be this much too small.
const SQUARE_SLACK: f32 = 1.0001;

/// Squared distances in px², row-major.
#[derive(Clone, Debug)]
pub struct Distances(Vec<f32>);

impl Default for Distances {
    fn default() -> Self {
        Distances(vec![FAR; PIXELS])
    }
}

impl Distances {
    /// Whether no pixel has ink.
    #[cfg(test)]
    pub fn are_beyond(&self, reach: f32) -> bool {
        self.0.iter().all(|&distance| distance.sqrt() >= reach)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.fill(FAR);
    }

    /// Lowers the distances in a window, [`LANES`] columns wide, whose first pixel has the index `place`. `line` is
    /// called after the bounds check, because values loaded straight into all lanes are faster.
    #[inline(always)]
    pub fn lower_window<S: Simd, const ROWS: usize>(&mut self, simd: S, place: usize, line: impl FnOnce() -> Line) {
        let window = self.0[place..].split_at_mut((ROWS - 1) * SIDE + LANES).0;
        let mut places = Places::new(simd, line());
        for row in 0..ROWS {
            places.lower(&mut window[row * SIDE..row * SIDE + LANES]);
            places.step_down();
        }
    }

    /// Lowers `LANES` pixels of a row from column `first` on.
    #[inline(always)]
    pub fn lower_lanes<S: Simd>(&mut self, simd: S, row: usize, first: usize, line: Line) {
        Places::new(simd, line).lower(&mut self.0[row * SIDE + first..][..LANES]);
    }

    /// See [`super::Raster::take_row`].
    #[inline(always)]
    pub fn take_row<S: Simd>(&mut self, simd: S, row: usize, first: usize, out: &mut [f32], reach: f32) -> RowBits {
        let splat = |value| f32x8::splat(simd, value);
        let mut ink = RowBits::default();
        let distances = &mut self.0[row * SIDE + first..][..out.len()];
        let (distances, out) = (distances.as_chunks_mut::<BLOCK>().0, out.as_chunks_mut::<BLOCK>().0);
        for ((distances, out), column) in distances.iter_mut().zip(out).zip((first..).step_by(BLOCK)) {
            let (distances, out) = (distances.as_chunks_mut::<LANES>().0, out.as_chunks_mut::<LANES>().0);
            let smallest = distances.iter().fold(splat(FAR), |least, lanes| least.min(f32x8::from_slice(simd, lanes)));
            if !smallest.simd_lt(splat(reach * reach * SQUARE_SLACK)).any_true() {
                continue;
            }
            let mut inked = 0;
            for (index, (distances, out)) in distances.iter_mut().zip(out).enumerate() {
                let distance = f32x8::from_slice(simd, distances).sqrt();
                let coverage = (splat(reach) - distance).min(splat(1.0)).max(splat(0.0));
                coverage.store_slice(out);
                splat(FAR).store_slice(distances);
                inked |= coverage.simd_gt(splat(0.0)).to_bitmask() << (index * LANES);
            }
            ink[column / 64 % ink.len()] |= inked << (column % 64);
        }
        ink
    }
}

/// The places of `LANES` neighbouring pixels relative to a segment.
struct Places<S: Simd> {
    along: f32x8<S>,
    beside: f32x8<S>,
    direction: [f32x8<S>; 2],
    half_length: f32x8<S>,
}

impl<S: Simd> Places<S> {
    /// The pixel that the line is relative to, and its neighbours to the right.
    #[inline(always)]
    fn new(simd: S, line: Line) -> Self {
        let splat = |value| f32x8::splat(simd, value);
        let steps = f32x8::from_slice(simd, &STEPS);
        let direction = [splat(line.direction[0]), splat(line.direction[1])];
        let along = splat(line.along) + steps * direction[0];
        let beside = splat(line.beside) + steps * direction[1];
        Places { along, beside, direction, half_length: splat(line.half_length) }
    }

    /// Moves to the pixels below.
    #[inline(always)]
    fn step_down(&mut self) {
        self.along += self.direction[1];
        self.beside -= self.direction[0];
    }

    #[inline(always)]
    fn lower(&self, pixels: &mut [f32]) {
        let simd = self.along.simd;
        let beyond = (self.along.abs() - self.half_length).max(f32x8::splat(simd, 0.0));
        let distance = beyond * beyond + self.beside * self.beside;
        f32x8::from_slice(simd, pixels).min(distance).store_slice(pixels);
    }
}
