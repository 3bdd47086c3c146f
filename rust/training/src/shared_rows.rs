//! Which rows of a feature map are equal, so that each is computed once.
//!
//! Most of a picture is blank above and below the writing. Rows whose windows hold equal rows of the input have equal
//! sums, so what is equal in the picture stays equal, layer by layer, without a look at any value. Only the first of
//! equal rows is stored. Its gradient is the sum of the gradients of all of them.

use std::collections::HashMap;
use std::hash::Hash;

use penpal_core::SIDE;

/// For each row of a feature map the stored row that it equals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedRows {
    /// For each row the number of its stored row.
    stored: Vec<u16>,
    /// For each stored row the first row that equals it.
    first: Vec<u16>,
    /// For each stored row how many rows equal it.
    counts: Vec<u16>,
}

/// The stored rows of an input in each of the three rows of a window. `None` lies in the border.
pub type Window = [Option<usize>; 3];

impl SharedRows {
    /// The rows of a picture: all blank ones are equal, each other one is alone.
    pub fn of_picture(picture: &[f32]) -> Self {
        let rows = picture.chunks_exact(SIDE).enumerate();
        let key = |(row, pixels): (usize, &[f32])| pixels.iter().any(|pixel| pixel.to_bits() != 0).then_some(row);
        SharedRows::from_keys(rows.map(key))
    }

    /// The rows of the sums of a 3x3 convolution of these rows, with padding 1.
    pub fn after(&self, stride: usize) -> Self {
        SharedRows::from_keys((0..self.stored.len().div_ceil(stride)).map(|row| self.window(row, stride)))
    }

    /// Rows with equal keys are equal.
    fn from_keys<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> Self {
        let mut known = HashMap::new();
        let mut rows = SharedRows::default();
        for (row, key) in (0..).zip(keys) {
            let next = rows.first.len() as u16;
            let stored = *known.entry(key).or_insert(next);
            if stored == next {
                rows.first.push(row);
                rows.counts.push(0);
            }
            rows.stored.push(stored);
            rows.counts[usize::from(stored)] += 1;
        }
        rows
    }

    /// The window of a row of sums.
    fn window(&self, row: usize, stride: usize) -> Window {
        [0, 1, 2].map(|below| {
            let stored = (row * stride + below).checked_sub(1).and_then(|row| self.stored.get(row));
            stored.map(|&stored| usize::from(stored))
        })
    }

    /// The window of each stored row of a convolution's sums, `sums`, in these rows. The second row of a window is the
    /// one that a 1x1 convolution takes in.
    pub fn windows(&self, sums: &SharedRows, stride: usize) -> Vec<Window> {
        sums.first.iter().map(|&row| self.window(usize::from(row), stride)).collect()
    }

    /// For each stored row the first row that equals it.
    pub fn first(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.first.iter().map(|&row| usize::from(row))
    }

    /// How many rows equal each stored row.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.counts.iter().map(|&count| f32::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_rows_are_stored_once_and_so_are_rows_whose_windows_are_equal() {
        let mut picture = vec![0.0; SIDE * SIDE];
        picture[100 * SIDE] = 1.0;
        picture[101 * SIDE] = 1.0;
        let rows = SharedRows::of_picture(&picture);
        assert_eq!(rows.first().collect::<Vec<_>>(), [0, 100, 101]);
        assert_eq!(rows.counts().collect::<Vec<_>>(), [254.0, 1.0, 1.0]);
        // The window of row 50 begins with row 99, that of row 51 with row 101, and that of row 0 in the border.
        let halved = rows.after(2);
        assert_eq!(halved.first().collect::<Vec<_>>(), [0, 1, 50, 51]);
        assert_eq!(halved.counts().collect::<Vec<_>>(), [1.0, 125.0, 1.0, 1.0]);
        assert_eq!(
            rows.windows(&halved, 2),
            [
                [None, Some(0), Some(0)],
                [Some(0), Some(0), Some(0)],
                [Some(0), Some(1), Some(2)],
                [Some(2), Some(0), Some(0)]
            ]
        );
        // Both borders, the blank row, and all rows around the ink.
        assert_eq!(halved.after(1).first().collect::<Vec<_>>(), [0, 1, 2, 49, 50, 51, 52, 127]);
    }
}
