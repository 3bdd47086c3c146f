//! The gradient of the weights of a convolution.

use fearless_simd::{Simd, SimdFloat, f32x4, f32x8};

use crate::feature_map::FeatureMap;
use crate::shared_rows::Window;
use crate::windows::block;
use penpal_core::network::structure::Shape;
use penpal_core::registers::load;

/// The gradient of the weights [outputs][kernel][kernel][inputs], from a picture's input, the windows of its stored sums
/// in it, and the gradient of these sums.
#[inline(always)]
pub fn weight_gradient<S: Simd>(
    simd: S,
    shape: Shape,
    input: &FeatureMap,
    windows: &[Window],
    by_sums: &FeatureMap,
) -> Vec<f32> {
    let (length, block) = (shape.kernel * shape.stored_inputs, block(shape.stored_outputs()));
    let mut sums = vec![0.0; shape.kernel * length * shape.stored_outputs()];
    let job = Job { simd, shape, input, windows, by_sums, length };
    // For the published network, eight to twelve sums at a time hide the latency of a multiply-add and fit into
    // registers.
    match (shape.stored_inputs, block) {
        (1, 4) => job.kernel::<f32x4<S>, 3, 3, 1>(&mut sums),
        (1, 8) => job.kernel::<f32x8<S>, 3, 3, 1>(&mut sums),
        (1, _) => job.kernel::<f32x8<S>, 1, 3, 2>(&mut sums),
        (_, 4) => job.kernel::<f32x4<S>, 1, 4, 1>(&mut sums),
        (_, 8) if length.is_multiple_of(12) => job.kernel::<f32x8<S>, 1, 12, 1>(&mut sums),
        (_, 8) => job.kernel::<f32x8<S>, 1, 4, 1>(&mut sums),
        (_, _) => job.kernel::<f32x8<S>, 1, 4, 2>(&mut sums),
    }
    arranged(shape, block, &sums)
}

struct Job<'a, S: Simd> {
    simd: S,
    shape: Shape,
    input: &'a FeatureMap,
    windows: &'a [Window],
    by_sums: &'a FeatureMap,
    /// Values of a row of a window.
    length: usize,
}

impl<S: Simd> Job<'_, S> {
    /// R rows of the kernel at a time, T values of each row, V vectors of output channels. Writes `sums` [block of
    /// output channels][kernel row][value of the row][output channel within the block].
    #[inline(always)]
    fn kernel<F: SimdFloat<S, Element = f32>, const R: usize, const T: usize, const V: usize>(&self, sums: &mut [f32]) {
        let Job { simd, shape, input, windows, by_sums, length } = *self;
        let (block, first) = (V * F::LEN, if shape.kernel == 3 { 0 } else { 1 });
        let step = shape.stride * input.channels;
        let groups = (0..by_sums.channels).step_by(block).flat_map(|channel| {
            let rows = (0..shape.kernel).step_by(R);
            rows.flat_map(move |row| (0..length).step_by(T).map(move |tap| (channel, row, tap)))
        });
        for (channel, kernel_row, tap) in groups {
            let mut totals = [[[F::splat(simd, 0.0); V]; T]; R];
            for (row, window) in windows.iter().enumerate() {
                let mut rows: [&[f32]; R] = [&[]; R];
                for (below, values) in rows.iter_mut().enumerate() {
                    let row = window[first + kernel_row + below].map_or(input.border(), |row| input.row(row));
                    *values = &row[first * input.channels + tap..];
                }
                let gradients = by_sums.pixels(row).chunks_exact(by_sums.channels);
                for (column, gradient) in gradients.enumerate() {
                    let gradient: [F; V] = load(simd, &gradient[channel..channel + block]);
                    for (totals, values) in totals.iter_mut().zip(&rows) {
                        let taps: &[f32; T] = values[column * step..].first_chunk().expect("in the border");
                        for (totals, &tap) in totals.iter_mut().zip(taps) {
                            let value = F::splat(simd, tap);
                            for (total, &gradient) in totals.iter_mut().zip(&gradient) {
                                *total = value.mul_add(gradient, *total);
                            }
                        }
                    }
                }
            }
            for (below, totals) in totals.iter().enumerate() {
                let start = (channel * shape.kernel + (kernel_row + below) * block) * length + tap * block;
                let written = sums[start..start + T * block].chunks_exact_mut(F::LEN);
                for (written, total) in written.zip(totals.as_flattened()) {
                    total.store_slice(written);
                }
            }
        }
    }
}

/// Sums [block of outputs][kernel row][kernel column][stored input][output within the block] as
/// [outputs][kernel][kernel][inputs].
fn arranged(shape: Shape, block: usize, sums: &[f32]) -> Vec<f32> {
    let (kernel, stored) = (shape.kernel, shape.stored_inputs);
    let mut weights = Vec::with_capacity(shape.weights());
    for output in 0..shape.outputs {
        for place in 0..kernel * kernel {
            let start = (output / block * kernel * kernel + place) * stored;
            weights.extend((0..shape.inputs).map(|input| sums[(start + input) * block + output % block]));
        }
    }
    weights
}
