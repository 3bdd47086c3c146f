//! For each pixel the smallest squared distance to what has been drawn.

use fearless_simd::{Simd, f32x8, prelude::*};

use super::segments::{Line, WINDOW_ROWS};
use crate::canvas::{PIXELS, SIDE};

/// Pixels handled at a time.
pub const LANES: usize = 8;

/// A bit for each pixel of a row, the first pixel in the lowest bit of the first word.
pub type RowBits = [u64; SIDE / 64];

/// Centres of `LANES` neighbouring pixels, from the left border of the first.
const CENTRES: [f32; LANES] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5];

/// Squared distance of a pixel that nothing is near to.
const FAR: f32 = f32::MAX;

/// Squared distances in px², row-major.
#[derive(Clone, Debug)]
pub struct Distances(Vec<f32>);

impl Default for Distances {
    fn default() -> Self {
        Distances(vec![FAR; PIXELS])
    }
}

impl Distances {
    /// Whether nothing is drawn.
    #[cfg(test)]
    pub fn are_clear(&self) -> bool {
        self.0.iter().all(|&distance| distance == FAR)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.fill(FAR);
    }

    /// Lowers the pixels of a window whose first pixel has the index `place`.
    #[inline(always)]
    pub fn lower_window<S: Simd>(&mut self, simd: S, place: usize, line: Line) {
        const LENGTH: usize = (WINDOW_ROWS - 1) * SIDE + LANES;
        let window: &mut [f32; LENGTH] = self.0[place..].first_chunk_mut().expect("windows lie in the canvas");
        for row in 0..WINDOW_ROWS {
            lower(simd, &mut window[row * SIDE..row * SIDE + LANES], line, row as f32 + 0.5);
        }
    }

    /// Lowers `LANES` pixels of a row from column `first` on.
    #[inline(always)]
    pub fn lower_lanes<S: Simd>(&mut self, simd: S, row: usize, first: usize, line: Line) {
        lower(simd, &mut self.0[row * SIDE + first..][..LANES], line, 0.5);
    }

    /// See [`super::Raster::take_row`].
    #[inline(always)]
    pub fn take_row<S: Simd>(&mut self, simd: S, row: usize, first: usize, out: &mut [f32], reach: f32) -> RowBits {
        let splat = |value| f32x8::splat(simd, value);
        let mut ink = RowBits::default();
        let distances = &mut self.0[row * SIDE + first..][..out.len()];
        let (distances, out) = (distances.as_chunks_mut::<LANES>().0, out.as_chunks_mut::<LANES>().0);
        for (index, (distances, out)) in distances.iter_mut().zip(out).enumerate() {
            let distance = f32x8::from_slice(simd, distances).sqrt();
            let coverage = (splat(reach) - distance).min(splat(1.0)).max(splat(0.0));
            coverage.store_slice(out);
            splat(FAR).store_slice(distances);
            let column = first + index * LANES;
            ink[column / 64 % ink.len()] |= coverage.simd_gt(splat(0.0)).to_bitmask() << (column % 64);
        }
        ink
    }
}

/// Lowers `LANES` neighbouring pixels, the first of them at the line's corner and their centres `down` from it.
#[inline(always)]
fn lower<S: Simd>(simd: S, pixels: &mut [f32], line: Line, down: f32) {
    let distance = line.squared_distance(simd, f32x8::from_slice(simd, &CENTRES), f32x8::splat(simd, down));
    f32x8::from_slice(simd, pixels).min(distance).store_slice(pixels);
}
