//! 3x3 convolutions of stride 1 with half the multiplications: Winograd's minimal filtering F(4, 3) along the rows
//! (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015).
//!
//! Four neighbouring outputs, a tile, depend on six inputs. Both the inputs and the three weights of a kernel row are
//! transformed to six numbers, whose products, summed over channels and kernel rows, are transformed back to the four
//! outputs: 6 multiplications where the definition has 12.

use fearless_simd::{Simd, f32x8, prelude::*};

use super::changes::Pixel;
use super::convolution::{Shortcut, finish, in_blocks};
use super::plane::Plane;
use super::registers::{Sums, accumulate, load};

/// Outputs that are computed together.
pub const TILE: usize = 4;

/// Inputs that a tile depends on, and values of each transform.
const POINTS: usize = TILE + 2;

/// Output channels that are computed together, as two vectors.
const BLOCK: usize = 16;

/// From the weights of a kernel row to the weights of the points.
const WEIGHTS_TO_POINTS: [[f64; 3]; POINTS] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// A convolution with the same number of outputs and inputs: 16 or 32. With 8, the transforms take the time that the
/// multiplications save.
#[derive(Clone, Debug)]
pub struct Winograd {
    channels: usize,
    /// Point, block of output channels, kernel row, input channel, output channel within the block.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// The working memory of a layer.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// For each point a plane of transformed inputs, with a row of zeros above and below: row, tile, channel.
    inputs: [Vec<f32>; POINTS],
    /// For each tile of the list: point, output channel.
    products: Vec<f32>,
    tiles: Vec<Pixel>,
    /// The tiles of the list and the tiles above and below them.
    near_tiles: Vec<Pixel>,
}

impl Winograd {
    /// Whether there is a kernel for a convolution from and to `channels` channels, over planes of this side.
    pub fn suits(channels: usize, side: usize) -> bool {
        matches!(channels, 16 | 32) && side.is_multiple_of(TILE)
    }

    /// A convolution from weights [channels][3][3][channels] and a bias.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        let channels = bias.len();
        let arranged = WEIGHTS_TO_POINTS.iter().flat_map(|factors| {
            let rows = weights.chunks_exact(3 * channels).flat_map(|row| {
                (0..channels).map(|input| {
                    let columns = factors.iter().zip(row.iter().skip(input).step_by(channels));
                    columns.map(|(factor, &weight)| factor * f64::from(weight)).sum::<f64>() as f32
                })
            });
            in_blocks(&rows.collect::<Vec<_>>(), 3 * channels, BLOCK)
        });
        Winograd { channels, weights: arranged.collect(), bias: bias.to_vec() }
    }

    /// Memory for planes of this side.
    pub fn scratch(&self, side: usize) -> Scratch {
        let plane = vec![0.0; (side + 2) * (side / TILE) * self.channels];
        Scratch { inputs: std::array::from_fn(|_| plane.clone()), ..Scratch::default() }
    }

    /// Recomputes every tile that the changes of the input reach: convolution, shortcut, ReLU. Returns the number of
    /// multiplications without the transforms.
    #[inline(always)]
    pub fn apply<S: Simd>(
        &self,
        simd: S,
        input: &Plane,
        output: &mut Plane,
        shortcut: Shortcut,
        scratch: &mut Scratch,
    ) -> usize {
        output.changes.set_reached(&input.changes, 1, output.side);
        // A tile is computed as a whole: a change of any of its inputs may change the last bits of all its outputs.
        output.changes.grow(TILE);
        output.changes.list(TILE, &mut scratch.tiles);
        output.changes.list_with_neighbours(TILE, output.side, &mut scratch.near_tiles);
        self.transform_inputs(simd, input, scratch);
        let products = scratch.tiles.len() * POINTS * self.channels;
        if scratch.products.len() < products {
            scratch.products.resize(products, 0.0);
        }
        match self.channels {
            16 => self.multiply::<S, 16>(simd, output.side, scratch),
            _ => self.multiply::<S, 32>(simd, output.side, scratch),
        }
        self.transform_outputs(simd, output, shortcut, scratch);
        scratch.tiles.len() * POINTS * 3 * self.channels * self.channels
    }

    #[inline(always)]
    fn transform_inputs<S: Simd>(&self, simd: S, input: &Plane, scratch: &mut Scratch) {
        let row_tiles = input.side / TILE;
        for &Pixel { row, column } in &scratch.near_tiles {
            let place = ((row + 1) * row_tiles + column / TILE) * self.channels;
            let window = input.bordered_slice(row + 1, column, POINTS);
            for channel in (0..self.channels).step_by(f32x8::<S>::LEN) {
                let pixel = |pixel: usize| {
                    f32x8::from_slice(simd, &window[pixel * self.channels + channel..][..f32x8::<S>::LEN])
                };
                let points = to_points(simd, std::array::from_fn(pixel));
                for (plane, value) in scratch.inputs.iter_mut().zip(&points) {
                    value.store_slice(&mut plane[place + channel..][..f32x8::<S>::LEN]);
                }
            }
        }
    }

    /// For each tile and point the sums over kernel rows and input channels.
    #[inline(always)]
    fn multiply<S: Simd, const CHANNELS: usize>(&self, simd: S, side: usize, scratch: &mut Scratch) {
        const TILES: usize = 6;
        let Scratch { inputs, products, tiles, .. } = scratch;
        let Some(last) = tiles.len().checked_sub(1) else { return };
        let row_tiles = side / TILE;
        let row_weights = CHANNELS * BLOCK;
        for (part, weights) in self.weights.chunks_exact(3 * row_weights).enumerate() {
            let (point, channel) = (part / (CHANNELS / BLOCK), part % (CHANNELS / BLOCK) * BLOCK);
            let inputs = inputs[point].as_chunks::<CHANNELS>().0;
            for first in (0..tiles.len()).step_by(TILES) {
                // A group beyond the end of the list computes the last tile again.
                let mut group = [last; TILES];
                group.iter_mut().zip(first..last).for_each(|(slot, tile)| *slot = tile);
                let mut sums: Sums<f32x8<S>, 2, TILES> = [[f32x8::splat(simd, 0.0); 2]; TILES];
                for (row, weights) in weights.chunks_exact(row_weights).enumerate() {
                    let mut taps = [&[0.0; CHANNELS]; TILES];
                    for (taps, &tile) in taps.iter_mut().zip(&group) {
                        let Pixel { row: top, column } = tiles[tile];
                        *taps = &inputs[(top + row) * row_tiles + column / TILE];
                    }
                    accumulate(simd, &mut sums, taps, weights);
                }
                for (tile, sums) in group.iter().zip(&sums) {
                    let target = &mut products[(tile * POINTS + point) * CHANNELS + channel..][..BLOCK];
                    for (target, sum) in target.chunks_exact_mut(f32x8::<S>::LEN).zip(sums) {
                        sum.store_slice(target);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn transform_outputs<S: Simd>(&self, simd: S, output: &mut Plane, shortcut: Shortcut, scratch: &Scratch) {
        let products = scratch.products.chunks_exact(POINTS * self.channels);
        for (&Pixel { row, column }, products) in scratch.tiles.iter().zip(products) {
            for channel in (0..self.channels).step_by(f32x8::<S>::LEN) {
                let [bias]: [f32x8<S>; 1] = load(simd, &self.bias[channel..channel + f32x8::<S>::LEN]);
                let point = |point: usize| {
                    f32x8::from_slice(simd, &products[point * self.channels + channel..][..f32x8::<S>::LEN])
                };
                let sums = from_points(simd, std::array::from_fn(point));
                for (column, &sum) in (column..).zip(&sums) {
                    let pixel = Pixel { row, column };
                    finish(simd, [sum + bias], shortcut, pixel, channel, output);
                }
            }
        }
    }
}

/// From six neighbouring inputs to the points.
#[inline(always)]
fn to_points<S: Simd>(simd: S, d: [f32x8<S>; POINTS]) -> [f32x8<S>; POINTS] {
    let times = |factor: f32, value: f32x8<S>, more: f32x8<S>| f32x8::splat(simd, factor).mul_add(value, more);
    let (even, odd) = (times(-4.0, d[2], d[4]), times(-4.0, d[1], d[3]));
    let (near, far) = (d[4] - d[2], d[3] - d[1]);
    [
        times(4.0, d[0], times(-5.0, d[2], d[4])),
        even + odd,
        even - odd,
        times(2.0, far, near),
        times(-2.0, far, near),
        times(4.0, d[1], times(-5.0, d[3], d[5])),
    ]
}

/// From the points to four neighbouring outputs.
#[inline(always)]
fn from_points<S: Simd>(simd: S, m: [f32x8<S>; POINTS]) -> [f32x8<S>; TILE] {
    let times = |factor: f32, value: f32x8<S>, more: f32x8<S>| f32x8::splat(simd, factor).mul_add(value, more);
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    let (far_sum, far_difference) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] + sum + far_sum,
        times(2.0, far_difference, difference),
        times(4.0, far_sum, sum),
        times(8.0, far_difference, difference) + m[5],
    ]
}
