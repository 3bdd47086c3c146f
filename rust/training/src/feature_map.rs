//! The rows of a feature map that are stored.

use penpal_core::Aligned;

/// Rows of pixels with several channels each, in a border of one blank pixel at the left and right.
#[derive(Default)]
pub struct FeatureMap {
    /// Stored rows.
    pub rows: usize,
    /// Pixels of a row, without the border.
    pub columns: usize,
    /// Values of a pixel.
    pub channels: usize,
    /// A blank row, then the stored ones.
    values: Aligned,
}

impl FeatureMap {
    /// A map without rows.
    pub fn new(columns: usize, channels: usize) -> Self {
        FeatureMap { rows: 0, columns, channels, values: Aligned::default() }
    }

    /// Sets the number of stored rows, whose values are undefined then.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        self.values.grow((rows + 1) * self.row_values());
    }

    /// Values of a row, border included.
    fn row_values(&self) -> usize {
        (self.columns + 2) * self.channels
    }

    /// A row of the border.
    #[inline(always)]
    pub fn border(&self) -> &[f32] {
        &self.values[..self.row_values()]
    }

    /// A row, border included.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[(row + 1) * self.row_values()..][..self.row_values()]
    }

    /// The pixels of a row.
    #[inline(always)]
    pub fn pixels(&self, row: usize) -> &[f32] {
        &self.row(row)[self.channels..][..self.columns * self.channels]
    }

    /// The pixels of a row, mutable.
    #[inline(always)]
    pub fn pixels_mut(&mut self, row: usize) -> &mut [f32] {
        let start = (row + 1) * self.row_values() + self.channels;
        &mut self.values[start..][..self.columns * self.channels]
    }
}
