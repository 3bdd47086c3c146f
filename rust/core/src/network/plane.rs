//! Activations of one layer, with a border of zeros.

use super::changes::{Changes, Pixel};
use crate::aligned::Aligned;

/// A square picture of several channels, row-major with channels last, in a border of one blank pixel.
#[derive(Clone, Debug)]
pub struct Plane {
    /// Width and height in pixels, without the border.
    pub side: usize,
    /// Values of a pixel.
    pub channels: usize,
    /// What the ink changed.
    pub(super) changes: Changes,
    values: Aligned,
}

/// Where values of pixels lie in a plane.
#[derive(Clone, Copy, Default)]
pub(super) struct Grid {
    /// The index for row 0 and column 0.
    pub first: usize,
    /// Values from a row to the next.
    pub down: usize,
    /// Values from a column to the next.
    pub right: usize,
}

impl Grid {
    /// The index of a pixel's first value.
    #[inline(always)]
    pub fn place(self, Pixel { row, column }: Pixel) -> usize {
        self.first + row * self.down + column * self.right
    }
}

impl Plane {
    /// A plane of zeros.
    pub fn new(side: usize, channels: usize) -> Self {
        let values = Aligned::zeros((side + 2) * (side + 2) * channels);
        Plane { side, channels, changes: Changes::default(), values }
    }

    /// The index of a pixel's first value, border included: row 0 and column 0 are border.
    #[inline(always)]
    pub(super) fn place(&self, row: usize, column: usize) -> usize {
        (row * (self.side + 2) + column) * self.channels
    }

    /// Values of a row, border included.
    #[inline(always)]
    pub(super) fn row_values(&self) -> usize {
        (self.side + 2) * self.channels
    }

    /// Where the 3x3 windows of a convolution of this stride begin, for each of its outputs.
    pub(super) fn windows(&self, stride: usize) -> Grid {
        Grid { first: 0, down: stride * self.row_values(), right: stride * self.channels }
    }

    /// The pixels in the middle of these windows.
    pub(super) fn centres(&self, stride: usize) -> Grid {
        Grid { first: self.place(1, 1), ..self.windows(stride) }
    }

    /// The `L` values from an index on.
    #[inline(always)]
    pub(super) fn at<const L: usize>(&self, place: usize) -> &[f32; L] {
        self.values[place..].first_chunk().expect("windows lie in the border")
    }

    /// The `count` values from an index on.
    #[inline(always)]
    pub(super) fn slice_at(&self, place: usize, count: usize) -> &[f32] {
        &self.values[place..][..count]
    }

    /// The same as [`Plane::slice_at`], mutable.
    #[inline(always)]
    pub(super) fn slice_at_mut(&mut self, place: usize, count: usize) -> &mut [f32] {
        &mut self.values[place..][..count]
    }

    /// `count` pixels of a row, border included.
    #[inline(always)]
    pub fn bordered_slice(&self, row: usize, column: usize, count: usize) -> &[f32] {
        &self.values[self.place(row, column)..][..count * self.channels]
    }

    /// `count` pixels of a row, without the border.
    #[inline(always)]
    pub fn pixels(&self, row: usize, column: usize, count: usize) -> &[f32] {
        self.bordered_slice(row + 1, column + 1, count)
    }

    /// The same as [`Plane::pixels`], mutable.
    #[inline(always)]
    pub fn pixels_mut(&mut self, row: usize, column: usize, count: usize) -> &mut [f32] {
        let place = self.place(row + 1, column + 1);
        &mut self.values[place..][..count * self.channels]
    }

    /// Copies all pixels, without the border.
    pub fn fill(&mut self, pixels: &[f32]) {
        for (row, pixels) in pixels.chunks_exact(self.side * self.channels).enumerate() {
            self.pixels_mut(row, 0, self.side).copy_from_slice(pixels);
        }
    }

    /// For each row the first of the rows above it that all have its bits.
    pub(super) fn equal_rows(&self) -> Vec<usize> {
        let bits = |row| self.pixels(row, 0, self.side).iter().map(|value| value.to_bits());
        let mut first = 0;
        let rows = (0..self.side).map(|row| {
            if !bits(first).eq(bits(row)) {
                first = row;
            }
            first
        });
        rows.collect()
    }

    /// Copies the changed pixels, and the pixels between them, from a plane of the same shape with these equal rows.
    pub(super) fn restore(&mut self, from: &Plane, equal_rows: &[usize]) {
        for row in self.changes.rows() {
            let span = self.changes.span(row);
            let blank = from.pixels(equal_rows[row], span.start, span.len());
            self.pixels_mut(row, span.start, span.len()).copy_from_slice(blank);
        }
    }

    /// Sets the changed pixels, and the pixels between them, to 0.
    pub(super) fn clear(&mut self) {
        for row in self.changes.rows() {
            let span = self.changes.span(row);
            self.pixels_mut(row, span.start, span.len()).fill(0.0);
        }
    }
}
