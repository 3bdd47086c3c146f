//! Convolutions as sums over windows: forward, and backward to the gradient of the input.

use fearless_simd::{Simd, SimdFloat, f32x4, f32x8};

use penpal_core::network::plane::Plane;
use penpal_core::network::registers::{Sums, accumulate};
use penpal_core::network::structure::Shape;

/// Weighted sums over windows of an input, one window for each pixel of an output.
pub struct Windows {
    /// Rows and columns of a window, and the step from a window to the next.
    rows: usize,
    columns: usize,
    stride: usize,
    /// Row and column of the first window, border included.
    first: usize,
    inputs: usize,
    outputs: usize,
    /// Number of output channels that are computed together: 4, 8 or 16.
    block: usize,
    /// Block of output channels, row, column, input channel, output channel within the block.
    weights: Vec<f32>,
    /// The sums are written to every `step`-th pixel, from row `start.0` and column `start.1` on.
    step: usize,
    start: (usize, usize),
}

/// Kernel rows (or columns) that reach the even or the odd rows of the input of a convolution of stride 2.
///
/// Input row r meets output row o through kernel row r - 2 o + 1: an even row 2 i meets o = i through kernel row 1, an
/// odd row 2 i + 1 meets o = i through row 2 and o = i + 1 through row 0.
const PHASES: [&[usize]; 2] = [&[1], &[2, 0]];

impl Windows {
    /// A convolution, from its input to its sums. `weights` are [outputs][kernel][kernel][inputs].
    pub fn forward(shape: Shape, weights: &[f32]) -> Self {
        let kernel: &[usize] = if shape.kernel == 3 { &[0, 1, 2] } else { &[0] };
        let first = if shape.kernel == 3 { 0 } else { 1 };
        let weight = |row, column, input, output| weight_of(shape, weights, output, row, column, input);
        let channels = (shape.stored_inputs, shape.stored_outputs());
        Windows { stride: shape.stride, first, ..Windows::new(kernel, kernel, channels, weight) }
    }

    /// The same convolution from the gradient of its sums to the gradient of its input.
    pub fn backward(shape: Shape, weights: &[f32]) -> Vec<Self> {
        let weight = |row, column, output, input| weight_of(shape, weights, output, row, column, input);
        let channels = (shape.stored_outputs(), shape.stored_inputs);
        match (shape.kernel, shape.stride) {
            (3, 1) => vec![Windows { first: 0, ..Windows::new(&[2, 1, 0], &[2, 1, 0], channels, weight) }],
            (3, _) => [(0, 0), (0, 1), (1, 0), (1, 1)]
                .map(|start| {
                    let windows = Windows::new(PHASES[start.0], PHASES[start.1], channels, weight);
                    Windows { step: 2, start, ..windows }
                })
                .into(),
            (_, stride) => vec![Windows { step: stride, ..Windows::new(&[0], &[0], channels, weight) }],
        }
    }

    /// Windows whose first row and column have the weights of the kernel's `rows[0]` and `columns[0]`.
    fn new(
        rows: &[usize],
        columns: &[usize],
        (inputs, outputs): (usize, usize),
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let block = block(outputs);
        let mut weights = Vec::with_capacity(rows.len() * columns.len() * inputs * outputs);
        for first in (0..outputs).step_by(block) {
            for &row in rows {
                for &column in columns {
                    for input in 0..inputs {
                        weights.extend((first..first + block).map(|output| weight(row, column, input, output)));
                    }
                }
            }
        }
        let (rows, columns) = (rows.len(), columns.len());
        Windows { rows, columns, stride: 1, first: 1, inputs, outputs, block, weights, step: 1, start: (0, 0) }
    }

    /// Writes the sums to `output`, or adds them with `add`.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, input: &Plane, output: &mut Plane, add: bool) {
        debug_assert_eq!((input.channels, output.channels), (self.inputs, self.outputs));
        // The windows of the published network have kernels with an unrolled loop over their rows.
        match (self.columns * self.inputs, self.block) {
            (3, 4) => self.kernel::<S, f32x4<S>, 3, 1, 12>(simd, input, output, add),
            (8, 4) => self.kernel::<S, f32x4<S>, 8, 1, 12>(simd, input, output, add),
            (16, 4) => self.kernel::<S, f32x4<S>, 16, 1, 12>(simd, input, output, add),
            (12, 8) => self.kernel::<S, f32x8<S>, 12, 1, 12>(simd, input, output, add),
            (16, 8) => self.kernel::<S, f32x8<S>, 16, 1, 12>(simd, input, output, add),
            (24, 8) => self.kernel::<S, f32x8<S>, 24, 1, 12>(simd, input, output, add),
            (32, 8) => self.kernel::<S, f32x8<S>, 32, 1, 12>(simd, input, output, add),
            (24, 16) => self.kernel::<S, f32x8<S>, 24, 2, 6>(simd, input, output, add),
            (32, 16) => self.kernel::<S, f32x8<S>, 32, 2, 6>(simd, input, output, add),
            (48, 16) => self.kernel::<S, f32x8<S>, 48, 2, 6>(simd, input, output, add),
            (64, 16) => self.kernel::<S, f32x8<S>, 64, 2, 6>(simd, input, output, add),
            (96, 16) => self.kernel::<S, f32x8<S>, 96, 2, 6>(simd, input, output, add),
            (3, 8) => self.kernel::<S, f32x8<S>, 3, 1, 12>(simd, input, output, add),
            (3, _) => self.kernel::<S, f32x8<S>, 3, 2, 6>(simd, input, output, add),
            (_, 4) => self.kernel::<S, f32x4<S>, 4, 1, 12>(simd, input, output, add),
            (_, 8) => self.kernel::<S, f32x8<S>, 4, 1, 12>(simd, input, output, add),
            (_, _) => self.kernel::<S, f32x8<S>, 4, 2, 6>(simd, input, output, add),
        }
    }

    /// P neighbouring pixels and T values of a row of their windows at a time, V vectors of output channels.
    #[inline(always)]
    fn kernel<S: Simd, F: SimdFloat<S, Element = f32>, const T: usize, const V: usize, const P: usize>(
        &self,
        simd: S,
        input: &Plane,
        output: &mut Plane,
        add: bool,
    ) {
        let (side, length) = (output.side / self.step, self.columns * self.inputs);
        let blocks = self.weights.chunks_exact(self.rows * length * self.block);
        for (channel, weights) in (0..).step_by(self.block).zip(blocks) {
            for row in 0..side {
                for column in (0..side).step_by(P) {
                    let mut sums: Sums<F, V, P> = [[F::splat(simd, 0.0); V]; P];
                    for (below, weights) in weights.chunks_exact(length * self.block).enumerate() {
                        let row = row * self.stride + self.first + below;
                        for (tap, weights) in (0..length).step_by(T).zip(weights.chunks_exact(T * self.block)) {
                            let mut taps = [&[0.0; T]; P];
                            for (pixel, taps) in taps.iter_mut().enumerate() {
                                // Past the end of a row its last window is used again.
                                let column = (column + pixel).min(side - 1) * self.stride + self.first;
                                let window = &input.bordered_slice(row, column, self.columns)[tap..];
                                *taps = window.first_chunk().expect("a window's row is of whole groups of taps");
                            }
                            accumulate(simd, &mut sums, taps, weights);
                        }
                    }
                    for (pixel, sums) in sums[..P.min(side - column)].iter().enumerate() {
                        let (row, column) = (row * self.step, (column + pixel) * self.step);
                        let written = output.pixels_mut(row + self.start.0, column + self.start.1, 1);
                        let written = &mut written[channel..channel + self.block];
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
