//! The rows of a feature map that are stored.

use penpal_core::Aligned;

/// Rows of pixels with several channels each, with a blank pixel at either end and a blank row for the borders above and
/// below. Nothing writes to the border, so it stays 0.
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

    /// Sets the number of stored rows. Their pixels have any values then.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        let needed = (rows + 1) * self.row_values();
        if self.values.len() < needed {
            // A map has at most as many rows as columns.
            let most = (self.columns + 1) * self.row_values();
            self.values = Aligned::zeros(needed.next_power_of_two().min(most).max(needed));
        }
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
