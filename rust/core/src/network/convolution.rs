//! 3x3 convolutions over rectangles of a plane, in vector registers.

use fearless_simd::{Simd, SimdFloat, f32x4, f32x8};

use super::plane::{Plane, Rectangle};

/// A convolution of padding 1 with a bias, its channels padded with zeros to what the registers hold.
#[derive(Clone, Debug)]
pub struct Convolution {
    inputs: usize,
    outputs: usize,
    stride: usize,
    /// Kernel row, kernel column, input channel, output channel.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// Channels as activations store them: 4, or a multiple of 8.
pub fn padded(channels: usize) -> usize {
    if channels <= 4 { 4 } else { channels.next_multiple_of(8) }
}

/// What is added to a convolution's sums before they are rectified.
#[derive(Clone, Copy)]
pub enum Residual<'a> {
    None,
    /// Every second pixel of a plane; channels that it lacks get nothing.
    Identity(&'a Plane),
    /// A 1x1 convolution of stride 2 over a plane; its weights are [input channel][output channel].
    Projection(&'a Plane, &'a [f32]),
}

impl Convolution {
    /// A convolution from weights [outputs][3][3][inputs], as MLX keeps them, and a bias [outputs], over planes that
    /// store `stored_inputs` channels.
    pub fn new(weights: &[f32], bias: &[f32], inputs: usize, stored_inputs: usize, stride: usize) -> Self {
        let padded_outputs = padded(bias.len());
        let mut arranged = vec![0.0; 9 * stored_inputs * padded_outputs];
        for (output, filter) in weights.chunks_exact(9 * inputs).enumerate() {
            for (tap, values) in filter.chunks_exact(inputs).enumerate() {
                for (input, &value) in values.iter().enumerate() {
                    arranged[(tap * stored_inputs + input) * padded_outputs + output] = value;
                }
            }
        }
        let mut padded_bias = bias.to_vec();
        padded_bias.resize(padded_outputs, 0.0);
        Convolution { inputs: stored_inputs, outputs: padded_outputs, stride, weights: arranged, bias: padded_bias }
    }

    /// Channels of the output, as they are stored.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Distance in input pixels between neighbouring outputs.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Adds to the bias, for a bias that a shortcut brings along.
    pub fn add_bias(&mut self, more: &[f32]) {
        for (bias, more) in self.bias.iter_mut().zip(more) {
            *bias += more;
        }
    }

    /// Computes the pixels of `area`, and some beside it that come out as they were: convolution, residual, ReLU.
    ///
    /// The channel counts of the published network have kernels of their own, in which the loops are unrolled. A kernel
    /// holds V vectors of channels for P neighbouring pixels in registers: 8 sums, to hide the latency of a multiply-add.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, input: &Plane, output: &mut Plane, residual: Residual, area: &Rectangle) {
        // Kernels for several pixels need planes that these divide.
        let channels = if output.side >= 8 { (self.inputs, self.outputs) } else { (0, self.outputs) };
        let job = Job { simd, input, output, residual, area };
        match channels {
            (1, 4) => self.kernel::<S, f32x4<S>, 1, 8>(1, 4, job),
            (4, 8) => self.kernel::<S, f32x8<S>, 1, 8>(4, 8, job),
            (8, 8) => self.kernel::<S, f32x8<S>, 1, 8>(8, 8, job),
            (8, 16) => self.kernel::<S, f32x8<S>, 2, 4>(8, 16, job),
            (16, 16) => self.kernel::<S, f32x8<S>, 2, 4>(16, 16, job),
            (16, 32) => self.kernel::<S, f32x8<S>, 4, 2>(16, 32, job),
            (32, 32) => self.kernel::<S, f32x8<S>, 4, 2>(32, 32, job),
            (_, 4) => self.kernel::<S, f32x4<S>, 1, 1>(self.inputs, 4, job),
            _ => self.kernel::<S, f32x8<S>, 1, 1>(self.inputs, self.outputs, job),
        }
    }

    /// The channel counts are constants at most calls, and fold into the loops.
    #[inline(always)]
    fn kernel<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const P: usize>(
        &self,
        inputs: usize,
        outputs: usize,
        job: Job<S>,
    ) {
        let Job { simd, input, output, residual, area } = job;
        let area = area.in_groups_of(P);
        let row_weights = 3 * inputs * outputs;
        let zero = F::splat(simd, 0.0);
        for row in area.rows {
            for column in area.columns.clone().step_by(P) {
                for channel in (0..outputs).step_by(V * F::LEN) {
                    let bias = &self.bias[channel..channel + V * F::LEN];
                    let mut sums: Sums<F, V, P> = [load(simd, bias); P];
                    for kernel_row in 0..3 {
                        let window = input.bordered(
                            row * self.stride + kernel_row,
                            column * self.stride,
                            (P - 1) * self.stride + 3,
                        );
                        let taps: [&[f32]; P] =
                            std::array::from_fn(|pixel| &window[pixel * self.stride * inputs..][..3 * inputs]);
                        let weights = &self.weights[kernel_row * row_weights..][..row_weights];
                        accumulate(simd, &mut sums, taps, weights, outputs, channel);
                    }
                    add_residual(simd, &mut sums, residual, (row, column), channel, outputs);
                    let written = output.pixels_mut(row, column, P);
                    for (pixel, sums) in written.chunks_exact_mut(outputs).zip(sums) {
                        for (target, sum) in pixel[channel..].chunks_exact_mut(F::LEN).zip(sums) {
                            sum.max(zero).store_slice(target);
                        }
                    }
                }
            }
        }
    }
}

/// What a convolution works on.
struct Job<'a, S: Simd> {
    simd: S,
    input: &'a Plane,
    output: &'a mut Plane,
    residual: Residual<'a>,
    area: &'a Rectangle,
}

/// For P pixels, V vectors of output channels.
type Sums<F, const V: usize, const P: usize> = [[F; V]; P];

#[inline(always)]
fn load<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize>(simd: S, values: &[f32]) -> [F; V] {
    std::array::from_fn(|vector| F::from_slice(simd, &values[vector * F::LEN..(vector + 1) * F::LEN]))
}

/// Adds weights [taps][outputs] times the taps of each pixel, tap by tap.
#[inline(always)]
fn accumulate<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const P: usize>(
    simd: S,
    sums: &mut Sums<F, V, P>,
    taps: [&[f32]; P],
    weights: &[f32],
    outputs: usize,
    channel: usize,
) {
    for (tap, weights) in weights.chunks_exact(outputs).enumerate() {
        let weights: [F; V] = load(simd, &weights[channel..channel + V * F::LEN]);
        for pixel in 0..P {
            let value = F::splat(simd, taps[pixel][tap]);
            for vector in 0..V {
                sums[pixel][vector] = value.mul_add(weights[vector], sums[pixel][vector]);
            }
        }
    }
}

#[inline(always)]
fn add_residual<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const P: usize>(
    simd: S,
    sums: &mut Sums<F, V, P>,
    residual: Residual,
    (row, column): (usize, usize),
    channel: usize,
    outputs: usize,
) {
    let (Residual::Identity(plane) | Residual::Projection(plane, _)) = residual else { return };
    let around = plane.pixels(2 * row, 2 * column, 2 * P - 1);
    let pixels: [&[f32]; P] = std::array::from_fn(|pixel| &around[2 * pixel * plane.channels..][..plane.channels]);
    if let Residual::Projection(_, weights) = residual {
        accumulate(simd, sums, pixels, weights, outputs, channel);
        return;
    }
    for (sums, pixel) in sums.iter_mut().zip(pixels) {
        for (vector, sum) in sums.iter_mut().enumerate() {
            let first = channel + vector * F::LEN;
            if let Some(old) = pixel.get(first..first + F::LEN) {
                *sum += F::from_slice(simd, old);
            } else if let Some(old) = pixel.get(first..) {
                // Four old channels in a vector of eight.
                for (lane, &value) in old.iter().enumerate() {
                    sum[lane] += value;
                }
            }
        }
    }
}
