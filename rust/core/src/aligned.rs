//! Numbers that begin at a cache line, so that no vector lies across two.

use std::ops::{Deref, DerefMut};

/// Bytes of the longest vectors, and of a cache line.
const LINE: usize = 64;

/// Zeros at first.
#[derive(Debug, Default)]
pub struct Aligned {
    values: Vec<f32>,
    start: usize,
}

impl Aligned {
    /// `count` zeros.
    pub fn zeros(count: usize) -> Self {
        let mut values = vec![0.0; count + LINE / size_of::<f32>()];
        // Without an answer they begin anywhere, which is slower and no less right.
        let start = values.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        values.truncate(start + count);
        Aligned { values, start }
    }

    /// Makes room for `count` numbers or more. If there was less, all are 0.
    pub fn grow(&mut self, count: usize) {
        if self.len() < count {
            *self = Aligned::zeros(count.next_power_of_two());
        }
    }
}

impl From<&[f32]> for Aligned {
    fn from(values: &[f32]) -> Self {
        let mut aligned = Aligned::zeros(values.len());
        aligned[..values.len()].copy_from_slice(values);
        aligned
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        Aligned::from(&**self)
    }
}

impl Deref for Aligned {
    type Target = [f32];

    // A call in a kernel would spill all of its sums.
    #[inline(always)]
    fn deref(&self) -> &[f32] {
        &self.values[self.start..]
    }
}

impl DerefMut for Aligned {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..]
    }
}

/// Pads the last of an array's axes, of `from` values, with zeros.
pub fn with_padded_inputs(weights: &[f32], from: usize, to: usize) -> Vec<f32> {
    weights
        .chunks_exact(from)
        .flat_map(|values| values.iter().copied().chain(std::iter::repeat_n(0.0, to - from)))
        .collect()
}
