//! 3x3 convolutions at a list of pixels.

use fearless_simd::{Simd, SimdBase, SimdFloat, f32x4, f32x8};

use super::changes::Pixel;
use super::plane::{Grid, Plane};
use super::structure::{Shape, Unit};
use crate::aligned::{Aligned, with_padded_inputs};
use crate::registers::{Sums, TAPS_AT_ONCE, accumulate, accumulate_in, join, load};

/// A convolution of padding 1 with a bias. Its channels are padded with zeros to whole registers.
///
/// Neighbouring pixels of few channels are computed as one that fills a vector.
#[derive(Clone, Debug)]
pub struct Convolution {
    inputs: usize,
    outputs: usize,
    stride: usize,
    /// Number of neighbouring pixels that are computed as one: 1 or 2.
    width: usize,
    /// Number of output channels that are computed together, over all pixels of the width.
    block: usize,
    /// Number of taps that one load spreads: 1 or 4.
    together: usize,
    /// Block of output channels, kernel row, kernel column, input channel, output channel within the block. Four
    /// taps that one load spreads follow each other for each output channel.
    weights: Aligned,
    /// Output channel, tap: the sum of each first tap starts from the bias, those of others from 0.
    bias: Vec<f32>,
}

/// Rearranges weights [outputs][taps] as [block of outputs][group of taps][output within the block][tap], padded with
/// zeros. `together` taps are a group.
pub fn in_blocks(weights: &[f32], taps: usize, block: usize, together: usize) -> Vec<f32> {
    let outputs = weights.len() / taps;
    let mut arranged = vec![0.0; taps * outputs.next_multiple_of(block)];
    for (output, filter) in weights.chunks_exact(taps).enumerate() {
        for (tap, &value) in filter.iter().enumerate() {
            let group = output / block * (taps / together) + tap / together;
            arranged[(group * block + output % block) * together + tap % together] = value;
        }
    }
    arranged
}

/// Number of output channels of a 3x3 convolution that are computed together, with vectors of `lanes` numbers.
pub fn block(outputs: usize, lanes: usize) -> usize {
    let largest = if lanes == 16 { 32 } else { 16 };
    [largest, 16].into_iter().find(|&block| outputs.is_multiple_of(block)).unwrap_or(8)
}

/// Rearranges rows of weights for `width` neighbouring pixels that are computed as one, the first pixel's outputs before
/// the second's. The second pixel's rows lie `step` values to the right; each is 0 where only the other one has weights.
/// Returns the length of the rows too.
pub fn for_neighbours(weights: Vec<f32>, row: usize, step: usize, width: usize) -> (Vec<f32>, usize) {
    let longer = row + step * (width - 1);
    let pixels = (0..width).flat_map(|pixel| {
        weights.chunks_exact(row).flat_map(move |row| {
            let mut longer = vec![0.0; longer];
            longer[pixel * step..][..row.len()].copy_from_slice(row);
            longer
        })
    });
    (pixels.collect(), longer)
}

/// What is added to a convolution's sums before they are rectified.
#[derive(Clone, Copy)]
pub enum Shortcut<'a> {
    None,
    /// Every second pixel of a plane. Nothing is added to channels that the plane does not have.
    Identity(&'a Plane),
    /// A 1x1 convolution of stride 2 over a plane. Its weights are arranged in the blocks of the convolution: block of
    /// output channels, input channel, output channel within the block.
    Projection(&'a Plane, &'a [f32]),
}

impl Shortcut<'_> {
    /// Where it reads, for each pixel of the output.
    fn grid(self) -> Grid {
        match self {
            Shortcut::None => Grid::default(),
            Shortcut::Identity(plane) | Shortcut::Projection(plane, _) => plane.centres(2),
        }
    }
}

/// Where a kernel finds the values for a pixel of the output, or for the first of several neighbours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// What is multiplied by the weights.
    pub input: usize,
    /// In the plane of the shortcut.
    pub shortcut: usize,
    pub output: usize,
}

/// The places of all pixels.
#[derive(Clone, Copy)]
pub struct Places {
    input: Grid,
    shortcut: Grid,
    output: Grid,
}

impl Places {
    pub fn new(input: Grid, shortcut: Shortcut, output: &Plane) -> Self {
        Places { input, shortcut: shortcut.grid(), output: output.centres(1) }
    }

    #[inline(always)]
    pub fn of(&self, pixel: Pixel) -> Place {
        Place { input: self.input.place(pixel), shortcut: self.shortcut.place(pixel), output: self.output.place(pixel) }
    }

    /// The place that lies `columns` to the right of another one.
    #[inline(always)]
    pub fn right_of(&self, place: Place, columns: usize) -> Place {
        Place {
            input: place.input + columns * self.input.right,
            shortcut: place.shortcut + columns * self.shortcut.right,
            output: place.output + columns * self.output.right,
        }
    }
}

/// Whole groups of `size` places. A group beyond the end of the list computes the last place again.
pub fn in_groups(places: &mut Vec<Place>, size: usize) {
    if let Some(&last) = places.last() {
        places.resize(places.len().next_multiple_of(size), last);
    }
}

impl Convolution {
    /// A 3x3 convolution from weights [outputs][3][3][inputs], as MLX keeps them, and a bias [outputs], for vectors of
    /// `lanes` numbers.
    pub fn new(unit: Unit, weights: &[f32], bias: &[f32], lanes: usize) -> Self {
        let Shape { inputs, stored_inputs, stride, .. } = unit.shape;
        let outputs = unit.shape.stored_outputs();
        let width = match (stored_inputs, outputs, stride) {
            (1, 4, _) => 2,
            // A third fewer multiply-adds where the second pixel has most of the first one's inputs.
            (4, 8, 2) | (8, 8, 1) if lanes == 16 && unit.side.is_multiple_of(2) => 2,
            _ => 1,
        };
        let block = block(width * outputs, lanes).min(width * outputs);
        let together = match (stored_inputs, outputs) {
            (4 | 8, 8) if lanes == 16 && width == 2 => TAPS_AT_ONCE,
            (8 | 16, 16) | (16 | 32, 32) if lanes == 16 => TAPS_AT_ONCE,
            _ => 1,
        };
        let mut bias = bias.to_vec();
        bias.resize(outputs, 0.0);
        let mut weights = with_padded_inputs(weights, inputs, stored_inputs);
        weights.resize(9 * stored_inputs * outputs, 0.0);
        let (weights, row) = for_neighbours(weights, 3 * stored_inputs, stride * stored_inputs, width);
        bias = with_padded_inputs(&bias.repeat(width), 1, together);
        let weights = Aligned::from(&in_blocks(&weights, 3 * row, block, together)[..]);
        Convolution { inputs: stored_inputs, outputs, stride, width, block, together, weights, bias }
    }

    /// Number of neighbouring pixels that are computed as one.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of output channels that are computed together, over all pixels of the width.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Number of taps that one load spreads.
    pub fn together(&self) -> usize {
        self.together
    }

    /// Recomputes what the changes of the input reach: convolution, shortcut, ReLU. `list` is overwritten. Returns the
    /// number of multiplications.
    pub fn apply<S: Simd>(
        &self,
        simd: S,
        input: &Plane,
        output: &mut Plane,
        shortcut: Shortcut,
        list: &mut Vec<Place>,
    ) -> usize {
        output.changes.set_reached(&input.changes, self.stride, output.side);
        if self.inputs > 1 {
            // An infinite input of one pixel, times a weight of 0, makes its neighbours NaN.
            output.changes.grow(self.width);
        }
        let places = Places::new(input.windows(self.stride), shortcut, output);
        output.changes.list(self.width, |pixel| places.of(pixel), list);
        let multiplications = list.len() * self.weights.len();
        // A separate function: otherwise every layer would get its own copy of all kernels.
        simd.vectorize(
            #[inline(always)]
            || self.compute(Job { simd, input, output, shortcut, list }),
        );
        multiplications
    }

    /// The channel counts of the published network have kernels with unrolled loops.
    #[inline(always)]
    fn compute<S: Simd>(&self, job: Job<S>) {
        if const { S::f32s::LEN == 16 } {
            match (self.inputs, self.outputs) {
                _ if self.together == 1 => {}
                (4, 8) => return self.kernel::<S, S::f32s, 20, 1, 4, 6>(job),
                (8, 8) => return self.kernel::<S, S::f32s, 32, 1, 4, 6>(job),
                (8, 16) => return self.kernel::<S, S::f32s, 24, 1, 4, 6>(job),
                (16, 16) => return self.kernel::<S, S::f32s, 48, 1, 4, 6>(job),
                (16, 32) => return self.kernel::<S, S::f32s, 48, 2, 8, 3>(job),
                _ => return self.kernel::<S, S::f32s, 96, 2, 8, 3>(job),
            }
            match self.block {
                16 => return self.any_kernel::<S, S::f32s, 1>(job),
                32 => return self.any_kernel::<S, S::f32s, 2>(job),
                _ => {}
            }
        }
        match (self.inputs, self.outputs) {
            (1, 4) => self.kernel::<S, f32x8<S>, 5, 1, 1, 12>(job),
            (4, 8) => self.kernel::<S, f32x8<S>, 12, 1, 1, 12>(job),
            (8, 8) => self.kernel::<S, f32x8<S>, 24, 1, 1, 12>(job),
            (8, 16) => self.kernel::<S, f32x8<S>, 24, 2, 2, 6>(job),
            (16, 16 | 32) => self.kernel::<S, f32x8<S>, 48, 2, 2, 6>(job),
            (32, 32) => self.kernel::<S, f32x8<S>, 96, 2, 2, 6>(job),
            (_, 4) => self.any_kernel::<S, f32x4<S>, 1>(job),
            _ if self.block == 8 => self.any_kernel::<S, f32x8<S>, 1>(job),
            _ => self.any_kernel::<S, f32x8<S>, 2>(job),
        }
    }

    /// A kernel for P pixels at a time, with L values in a row of the 3x3 window, V vectors in a block and W in its sums.
    #[inline(always)]
    fn kernel<
        S: Simd,
        F: SimdFloat<S, Element = f32>,
        const L: usize,
        const V: usize,
        const W: usize,
        const P: usize,
    >(
        &self,
        job: Job<S>,
    ) {
        let Job { simd, input, output, shortcut, list } = job;
        in_groups(list, P);
        let block = V * F::LEN;
        for (channel, weights) in (0..).step_by(block).zip(self.weights.chunks_exact(3 * L * block)) {
            let bias: [F; W] = load(simd, &self.bias[channel * (W / V)..][..W * F::LEN]);
            for group in list.as_chunks::<P>().0 {
                let mut sums: Sums<F, W, P> = [bias; P];
                for (row, weights) in weights.chunks_exact(L * block).enumerate() {
                    let down = row * input.row_values();
                    let mut taps = [&[0.0; L]; P];
                    taps.iter_mut().zip(group).for_each(|(taps, place)| *taps = input.at(place.input + down));
                    accumulate_in::<S, F, L, V, W, P>(simd, &mut sums, taps, weights);
                }
                finish::<S, F, V, W, P>(simd, sums, shortcut, group, self.width, channel, output);
            }
        }
    }

    /// The same for any number of channels, a pixel at a time.
    #[inline(always)]
    fn any_kernel<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize>(&self, job: Job<S>) {
        let Job { simd, input, output, shortcut, list } = job;
        let (block, taps) = (V * F::LEN, 3 * self.inputs);
        for (channel, weights) in (0..).step_by(block).zip(self.weights.chunks_exact(3 * taps * block)) {
            let bias: [F; V] = load(simd, &self.bias[channel..channel + block]);
            for &place in list.iter() {
                let mut sums: Sums<F, V, 1> = [bias];
                for (row, weights) in weights.chunks_exact(taps * block).enumerate() {
                    let window = input.slice_at(place.input + row * input.row_values(), taps);
                    for (tap, weights) in window.iter().zip(weights.chunks_exact(block)) {
                        accumulate(simd, &mut sums, [&[*tap]], weights);
                    }
                }
                finish::<S, F, V, V, 1>(simd, sums, shortcut, &[place], 1, channel, output);
            }
        }
    }
}

/// What a convolution works on.
struct Job<'a, S: Simd> {
    simd: S,
    input: &'a Plane,
    output: &'a mut Plane,
    shortcut: Shortcut<'a>,
    list: &'a mut Vec<Place>,
}

/// Adds the shortcut to the sums of some pixels, each of which is `width` neighbours, from output `channel` on, rectifies
/// and stores them.
#[inline(always)]
pub fn finish<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const W: usize, const P: usize>(
    simd: S,
    mut sums: Sums<F, W, P>,
    shortcut: Shortcut,
    places: &[Place; P],
    width: usize,
    channel: usize,
    output: &mut Plane,
) {
    if let Shortcut::Projection(plane, weights) = shortcut {
        // Planes other than the picture store a multiple of four channels.
        let block = V * F::LEN;
        let inputs = (2 * width - 1) * plane.channels;
        let weights = &weights[channel * inputs..][..block * inputs];
        for (first, weights) in (0..).step_by(TAPS_AT_ONCE).zip(weights.chunks_exact(TAPS_AT_ONCE * block)) {
            let mut taps = [&[0.0; TAPS_AT_ONCE]; P];
            taps.iter_mut().zip(places).for_each(|(taps, place)| *taps = plane.at(place.shortcut + first));
            accumulate_in::<S, F, TAPS_AT_ONCE, V, W, P>(simd, &mut sums, taps, weights);
        }
    }
    // In short loops, which are unrolled: otherwise the sums would go through memory.
    for sums in &mut sums {
        join::<S, F, V, W>(sums);
    }
    if let Shortcut::Identity(plane) = shortcut {
        for (sums, place) in sums.iter_mut().zip(places) {
            add_identity(simd, &mut sums[..V], plane.slice_at(place.shortcut, plane.channels), channel);
        }
    }
    for (sums, place) in sums.iter().zip(places) {
        let written = output.slice_at_mut(place.output + channel, V * F::LEN);
        for (target, sum) in written.chunks_exact_mut(F::LEN).zip(&sums[..V]) {
            sum.max(F::splat(simd, 0.0)).store_slice(target);
        }
    }
}

#[inline(always)]
fn add_identity<S: Simd, F: SimdFloat<S, Element = f32>>(simd: S, sums: &mut [F], old: &[f32], channel: usize) {
    for (vector, sum) in sums.iter_mut().enumerate() {
        let first = channel + vector * F::LEN;
        if let Some(old) = old.get(first..first + F::LEN) {
            *sum += F::from_slice(simd, old);
        } else if let Some(old @ [_, ..]) = old.get(first..) {
            // Fewer old channels than a vector holds.
            let mut padded = [0.0; 16];
            padded.iter_mut().zip(old).for_each(|(padded, old)| *padded = *old);
            *sum += F::from_slice(simd, &padded[..F::LEN]);
        }
    }
}
