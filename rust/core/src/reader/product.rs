//! Windows of an array times a matrix: a convolution over time, or a linear unit on each frame.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use crate::aligned::Aligned;
use crate::registers::{Sums, accumulate, load};

/// Values of a window that are unrolled together; windows are padded to a multiple.
pub const TAPS: usize = 16;

/// Windows that are computed together. With two vectors of outputs, or four where there are 32 registers, the sums hide
/// the latency of a multiply-add.
const WINDOWS: usize = 6;

/// A matrix, arranged for the registers, and the distance from one window to the next.
#[derive(Debug)]
pub struct Product {
    step: usize,
    taps: usize,
    outputs: usize,
    /// Outputs that are computed together.
    block: usize,
    /// Block of outputs, tap, output within the block.
    weights: Aligned,
    bias: Vec<f32>,
}

/// What is done with the sums.
#[derive(Clone, Copy, Debug)]
pub enum After {
    /// They are stored.
    Store,
    /// Negative ones become 0.
    Rectify,
    /// They are added to what is there, and negative ones become 0.
    AddAndRectify,
}

impl Product {
    /// A product from weights [outputs][taps] and a bias [outputs]; `lanes` is the length of a vector. The outputs are
    /// stored padded, with the bias `padding`.
    pub fn new(weights: &[f32], bias: &[f32], step: usize, padding: f32, lanes: usize) -> Self {
        let taps = weights.len() / bias.len();
        let stored_taps = taps.next_multiple_of(TAPS);
        let block = block(bias.len(), lanes);
        let outputs = bias.len().next_multiple_of(block);
        let mut arranged = Aligned::zeros(outputs * stored_taps);
        for (output, filter) in weights.chunks_exact(taps).enumerate() {
            for (tap, &weight) in filter.iter().enumerate() {
                arranged[(output / block * stored_taps + tap) * block + output % block] = weight;
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(outputs, padding);
        Product { step, taps: stored_taps, outputs, block, weights: arranged, bias }
    }

    /// Outputs of a window, as they are stored.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Computes the outputs [windows][outputs] of windows that begin at the first value of the input.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, input: &[f32], output: &mut [f32], after: After) {
        // A function of its own, or every layer would get its own copy of the kernels.
        simd.vectorize(
            #[inline(always)]
            || {
                if self.block == 4 * S::f32s::LEN {
                    self.kernel::<S, S::f32s, 4>(simd, input, output, after);
                } else {
                    self.kernel::<S, S::f32s, 2>(simd, input, output, after);
                }
            },
        );
    }

    /// A kernel for V vectors of outputs.
    #[inline(always)]
    fn kernel<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize>(
        &self,
        simd: S,
        input: &[f32],
        output: &mut [f32],
        after: After,
    ) {
        let block = V * F::LEN;
        let count = output.len() / self.outputs;
        for (channel, weights) in (0..self.outputs).step_by(block).zip(self.weights.chunks_exact(self.taps * block)) {
            let bias: [F; V] = load(simd, &self.bias[channel..channel + block]);
            for (first, group) in (0..).step_by(WINDOWS).zip(output.chunks_mut(WINDOWS * self.outputs)) {
                // A group beyond the end computes the last window again.
                let windows: [&[[f32; TAPS]]; WINDOWS] = std::array::from_fn(|index| {
                    let start = (first + index).min(count - 1) * self.step;
                    input[start..start + self.taps].as_chunks().0
                });
                let mut sums: Sums<F, V, WINDOWS> = [bias; WINDOWS];
                for (chunk, weights) in weights.chunks_exact(TAPS * block).enumerate() {
                    accumulate(simd, &mut sums, windows.map(|window| &window[chunk]), weights);
                }
                for (sums, output) in sums.into_iter().zip(group.chunks_exact_mut(self.outputs)) {
                    finish(simd, sums, &mut output[channel..channel + block], after);
                }
            }
        }
    }
}

/// Outputs that are computed together: as many vectors as the registers hold sums of, unless most would be padding.
fn block(outputs: usize, lanes: usize) -> usize {
    let two = 2 * lanes;
    let four = 4 * lanes;
    // Vectors of 16 come with 32 registers.
    if lanes == 16 && outputs.next_multiple_of(four) == outputs.next_multiple_of(two) { four } else { two }
}

#[inline(always)]
fn finish<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize>(
    simd: S,
    sums: [F; V],
    output: &mut [f32],
    after: After,
) {
    for (output, mut sum) in output.chunks_exact_mut(F::LEN).zip(sums) {
        if matches!(after, After::AddAndRectify) {
            sum += F::from_slice(simd, output);
        }
        if !matches!(after, After::Store) {
            sum = sum.max(F::splat(simd, 0.0));
        }
        sum.store_slice(output);
    }
}
