//! Convolutions as sums over windows: forward, and backward to the gradient of the input.

use fearless_simd::{Simd, SimdFloat, f32x4, f32x8};

use crate::feature_map::FeatureMap;
use penpal_core::network::structure::Shape;
use penpal_core::registers::{Sums, accumulate};

/// Weighted sums over windows of an input, one window for each pixel of an output.
pub struct Windows {
    /// Rows of the 3x3 kernel that have weights.
    rows: &'static [usize],
    /// Columns of a window, and the step from a window to the next.
    columns: usize,
    stride: usize,
    /// Column of the first window, border included.
    first: usize,
    inputs: usize,
    outputs: usize,
    /// Number of output channels that are computed together: 4, 8 or 16.
    block: usize,
    /// Block of output channels, row, column, input channel, output channel within the block.
    weights: Vec<f32>,
    /// The sums are written to every `step`-th pixel of a row, from column `start` on.
    step: usize,
    start: usize,
}

/// The rows, borders included, that the three rows of the kernel meet. `None` is blank.
pub type WindowRows<'a> = [Option<&'a [f32]>; 3];

/// Kernel columns that reach the even or the odd columns of the input of a convolution of stride 2.
///
/// Input column c meets output column o through kernel column c - 2 o + 1: an even column 2 i meets o = i through kernel
/// column 1, an odd column 2 i + 1 meets o = i through column 2 and o = i + 1 through column 0.
const PHASES: [&[usize]; 2] = [&[1], &[2, 0]];

impl Windows {
    /// A convolution, from its input to its sums. `weights` are [outputs][kernel][kernel][inputs].
    pub fn forward(shape: Shape, weights: &[f32]) -> Self {
        let kernel: &[usize] = if shape.kernel == 3 { &[0, 1, 2] } else { &[0] };
        let first = if shape.kernel == 3 { 0 } else { 1 };
        let channels = (shape.stored_inputs, shape.stored_outputs());
        let weight = |row, column, input, output| weight_of(shape, weights, output, row, column, input);
        Windows { stride: shape.stride, first, ..Windows::new(shape, kernel, channels, weight) }
    }

    /// The same convolution from the gradient of its sums to the gradient of its input.
    pub fn backward(shape: Shape, weights: &[f32]) -> Vec<Self> {
        let weight = |row, column, output, input| weight_of(shape, weights, output, row, column, input);
        let channels = (shape.stored_outputs(), shape.stored_inputs);
        match (shape.kernel, shape.stride) {
            (3, 1) => vec![Windows { first: 0, ..Windows::new(shape, &[2, 1, 0], channels, weight) }],
            (3, _) => [0, 1]
                .map(|start| Windows { step: 2, start, ..Windows::new(shape, PHASES[start], channels, weight) })
                .into(),
            (_, stride) => vec![Windows { step: stride, ..Windows::new(shape, &[0], channels, weight) }],
        }
    }

    /// Windows whose first column has the weights of the kernel's `columns[0]`.
    fn new(
        shape: Shape,
        columns: &[usize],
        (inputs, outputs): (usize, usize),
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let block = block(outputs);
        let mut weights = Vec::with_capacity(shape.kernel * columns.len() * inputs * outputs);
        for first in (0..outputs).step_by(block) {
            for row in 0..shape.kernel {
                for &column in columns {
                    for input in 0..inputs {
                        weights.extend((first..first + block).map(|output| weight(row, column, input, output)));
                    }
                }
            }
        }
        let rows: &[usize] = if shape.kernel == 3 { &[0, 1, 2] } else { &[1] };
        Windows {
            rows,
            columns: columns.len(),
            stride: 1,
            first: 1,
            inputs,
            outputs,
            block,
            weights,
            step: 1,
            start: 0,
        }
    }

    /// Writes the sums to `output`, or adds them with `add`. `windows` are the rows of the input that each row
    /// of the output takes in.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, windows: &[WindowRows<'_>], output: &mut FeatureMap, add: bool) {
        debug_assert_eq!((windows.len(), output.channels), (output.rows, self.outputs));
        // The windows of the published network have kernels with an unrolled loop over their rows.
        match (self.columns * self.inputs, self.block) {
            (3, 4) => self.kernel::<S, f32x4<S>, 3, 1, 12>(simd, windows, output, add),
            (8, 4) => self.kernel::<S, f32x4<S>, 8, 1, 12>(simd, windows, output, add),
            (16, 4) => self.kernel::<S, f32x4<S>, 16, 1, 12>(simd, windows, output, add),
            (12, 8) => self.kernel::<S, f32x8<S>, 12, 1, 12>(simd, windows, output, add),
            (16, 8) => self.kernel::<S, f32x8<S>, 16, 1, 12>(simd, windows, output, add),
            (24, 8) => self.kernel::<S, f32x8<S>, 24, 1, 12>(simd, windows, output, add),
            (32, 8) => self.kernel::<S, f32x8<S>, 32, 1, 12>(simd, windows, output, add),
            (24, 16) => self.kernel::<S, f32x8<S>, 24, 2, 6>(simd, windows, output, add),
            (32, 16) => self.kernel::<S, f32x8<S>, 32, 2, 6>(simd, windows, output, add),
            (48, 16) => self.kernel::<S, f32x8<S>, 48, 2, 6>(simd, windows, output, add),
            (64, 16) => self.kernel::<S, f32x8<S>, 64, 2, 6>(simd, windows, output, add),
            (96, 16) => self.kernel::<S, f32x8<S>, 96, 2, 6>(simd, windows, output, add),
            (3, 8) => self.kernel::<S, f32x8<S>, 3, 1, 12>(simd, windows, output, add),
            (3, _) => self.kernel::<S, f32x8<S>, 3, 2, 6>(simd, windows, output, add),
            (_, 4) => self.kernel::<S, f32x4<S>, 4, 1, 12>(simd, windows, output, add),
            (_, 8) => self.kernel::<S, f32x8<S>, 4, 1, 12>(simd, windows, output, add),
            (_, _) => self.kernel::<S, f32x8<S>, 4, 2, 6>(simd, windows, output, add),
        }
    }

    /// P neighbouring pixels and T values of a row of their windows at a time, V vectors of output channels.
    #[inline(always)]
    fn kernel<S: Simd, F: SimdFloat<S, Element = f32>, const T: usize, const V: usize, const P: usize>(
        &self,
        simd: S,
        windows: &[WindowRows<'_>],
        output: &mut FeatureMap,
        add: bool,
    ) {
        let (columns, length) = (output.columns / self.step, self.columns * self.inputs);
        let blocks = self.weights.chunks_exact(self.rows.len() * length * self.block);
        for (channel, weights) in (0..).step_by(self.block).zip(blocks) {
            for (row, window) in windows.iter().enumerate() {
                for column in (0..columns).step_by(P) {
                    let mut sums: Sums<F, V, P> = [[F::splat(simd, 0.0); V]; P];
                    for (&row, weights) in self.rows.iter().zip(weights.chunks_exact(length * self.block)) {
                        let Some(values) = window[row] else { continue };
                        for (tap, weights) in (0..length).step_by(T).zip(weights.chunks_exact(T * self.block)) {
                            let mut taps = [&[0.0; T]; P];
                            for (pixel, taps) in taps.iter_mut().enumerate() {
                                // Past the end of a row its last window is used again.
                                let column = (column + pixel).min(columns - 1) * self.stride + self.first;
                                let values = &values[column * self.inputs..][..length];
                                *taps = values[tap..].first_chunk().expect("a window's row is of whole groups of taps");
                            }
                            accumulate(simd, &mut sums, taps, weights);
                        }
                    }
                    for (pixel, sums) in sums[..P.min(columns - column)].iter().enumerate() {
                        let column = (column + pixel) * self.step + self.start;
                        let written = &mut output.pixels_mut(row)[column * self.outputs + channel..][..self.block];
                        for (written, &sum) in written.chunks_exact_mut(F::LEN).zip(sums) {
                            let sum = if add { sum + F::from_slice(simd, written) } else { sum };
                            sum.store_slice(written);
                        }
                    }
                }
            }
        }
    }
}

/// Output channels that are computed together.
pub fn block(outputs: usize) -> usize {
    [16, 8].into_iter().find(|&block| outputs.is_multiple_of(block)).unwrap_or(4)
}

/// A weight of [outputs][kernel][kernel][inputs]. 0 for padding channels.
fn weight_of(shape: Shape, weights: &[f32], output: usize, row: usize, column: usize, input: usize) -> f32 {
    if output < shape.outputs && input < shape.inputs {
        weights[((output * shape.kernel + row) * shape.kernel + column) * shape.inputs + input]
    } else {
        0.0
    }
}
