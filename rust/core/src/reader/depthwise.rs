//! A convolution over frames of each channel by itself.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::frames::Frames;
use crate::registers::load;

/// Weights [tap][channel], padded with zeros to the channels that are stored.
#[derive(Clone, Debug)]
pub struct Depthwise {
    channels: usize,
    dilation: usize,
    weights: Vec<f32>,
}

impl Depthwise {
    /// From weights [channels][kernel].
    pub fn new(weights: &[f32], kernel: usize, stored_channels: usize, dilation: usize) -> Self {
        let mut arranged = vec![0.0; kernel * stored_channels];
        for (channel, taps) in weights.chunks_exact(kernel).enumerate() {
            for (tap, &weight) in taps.iter().enumerate() {
                arranged[tap * stored_channels + channel] = weight;
            }
        }
        Depthwise { channels: stored_channels, dilation, weights: arranged }
    }

    fn kernel(&self) -> usize {
        self.weights.len() / self.channels
    }

    /// Frames that it looks back and ahead.
    pub fn reach(&self) -> usize {
        self.kernel() / 2 * self.dilation
    }

    /// Computes the outputs [frames][channels].
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, input: &Frames, output: &mut [f32]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let input = input.before(self.reach());
                match self.kernel() {
                    // Vectors of 16 come with 32 registers.
                    9 if S::f32s::LEN == 16 => self.apply_kernel::<S, S::f32s, 2, 9>(simd, input, output),
                    9 => self.apply_kernel::<S, S::f32s, 1, 9>(simd, input, output),
                    _ => self.apply_any(input, output),
                }
            },
        );
    }

    /// For a kernel of K taps and V vectors of channels, whose weights stay in registers from frame to frame.
    #[inline(always)]
    fn apply_kernel<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const K: usize>(
        &self,
        simd: S,
        input: &[f32],
        output: &mut [f32],
    ) {
        let span = self.dilation * self.channels;
        let block = V * F::LEN;
        for channel in (0..self.channels).step_by(block) {
            let mut weights = [[F::splat(simd, 0.0); V]; K];
            for (tap, weights) in weights.iter_mut().enumerate() {
                *weights = load(simd, &self.weights[tap * self.channels + channel..][..block]);
            }
            let ahead: [&[f32]; K] = std::array::from_fn(|tap| &input[tap * span + channel..]);
            for (frame, output) in output.chunks_exact_mut(self.channels).enumerate() {
                let start = frame * self.channels;
                let mut sums = [F::splat(simd, 0.0); V];
                for tap in 0..K {
                    let values: [F; V] = load(simd, &ahead[tap][start..start + block]);
                    for vector in 0..V {
                        sums[vector] = values[vector].mul_add(weights[tap][vector], sums[vector]);
                    }
                }
                for (output, sum) in output[channel..channel + block].chunks_exact_mut(F::LEN).zip(sums) {
                    sum.store_slice(output);
                }
            }
        }
    }

    /// For any kernel.
    #[inline(always)]
    fn apply_any(&self, input: &[f32], output: &mut [f32]) {
        for (frame, output) in output.chunks_exact_mut(self.channels).enumerate() {
            output.fill(0.0);
            for (tap, weights) in self.weights.chunks_exact(self.channels).enumerate() {
                let input = &input[(frame + tap * self.dilation) * self.channels..][..self.channels];
                for ((output, value), weight) in output.iter_mut().zip(input).zip(weights) {
                    *output += value * weight;
                }
            }
        }
    }
}
