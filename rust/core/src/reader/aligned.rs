//! Numbers that begin at a cache line, so that no vector lies across two.

use std::ops::{Deref, DerefMut};

/// Bytes of the longest vectors, and of a cache line.
const LINE: usize = 64;

/// Zeros at first. As long as asked for, or longer.
#[derive(Debug, Default)]
pub struct Aligned {
    values: Vec<f32>,
    start: usize,
}

impl Aligned {
    /// At least `count` zeros.
    pub fn zeros(count: usize) -> Self {
        let values = vec![0.0; count + LINE / size_of::<f32>()];
        // Without an answer they begin anywhere, which is slower and no less right.
        let start = values.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        Aligned { values, start }
    }

    /// Makes room for `count` numbers. If there was less, all are 0.
    pub fn grow(&mut self, count: usize) {
        if self.len() < count {
            *self = Aligned::zeros(count.next_power_of_two());
        }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.start..]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..]
    }
}
