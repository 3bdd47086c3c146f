//! Activations over time.

use super::product::TAPS;
use crate::aligned::Aligned;

/// Channels of each of some frames, with frames of zeros before and after them.
#[derive(Debug)]
pub struct Frames {
    pub channels: usize,
    margin: usize,
    count: usize,
    values: Aligned,
}

impl Frames {
    /// No frames yet, and `margin` frames of zeros on each side.
    pub fn new(channels: usize, margin: usize) -> Self {
        Frames { channels, margin, count: 0, values: Aligned::default() }
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Starts a row of `count` frames. The caller writes their values.
    pub fn restart(&mut self, count: usize) {
        self.count = count;
        let end = (self.margin + count) * self.channels;
        // A product's last window may look at some values more, with weights of 0.
        let total = end + self.margin * self.channels + TAPS;
        self.values.grow(total);
        self.values[end..total].fill(0.0);
    }

    /// The values from `frames` frames before the first, to the end of the margin after the last.
    pub fn before(&self, frames: usize) -> &[f32] {
        &self.values[(self.margin - frames) * self.channels..]
    }

    /// The values of the frames.
    pub fn values_mut(&mut self) -> &mut [f32] {
        let first = self.margin * self.channels;
        &mut self.values[first..first + self.count * self.channels]
    }
}
