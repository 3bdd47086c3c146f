//! 3x3 convolutions of stride 1 with half the multiplications: Winograd's minimal filtering F(4, 3) along the rows
//! (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015).
//!
//! Four neighbouring outputs, a tile, depend on six inputs. Both the inputs and the three weights of a kernel row are
//! transformed to six numbers, whose products, summed over channels and kernel rows, are transformed back to the four
//! outputs: 6 multiplications where the definition has 12.

use fearless_simd::{Simd, SimdBase, SimdFloat, f32x8};

use super::convolution::{Place, Places, Shortcut, block, finish, in_blocks, in_groups};
use super::plane::{Grid, Plane};
use crate::aligned::Aligned;
use crate::registers::{Sums, TAPS_AT_ONCE, accumulate_in, join, load};

/// Outputs that are computed together.
pub const TILE: usize = 4;

/// Inputs that a tile depends on, and values of each transform.
const POINTS: usize = TILE + 2;

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
    /// Number of output channels that are computed together.
    block: usize,
    /// Point, block of output channels, kernel row, input channel, output channel within the block. Four taps that one
    /// load spreads follow each other for each output channel.
    weights: Aligned,
    bias: Vec<f32>,
}

/// The working memory of a layer.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The transformed inputs, with a row of zeros above and below: column of tiles, point, row, channel. The three rows
    /// of a kernel follow each other.
    inputs: Aligned,
    /// For each tile of the list: point, output channel.
    products: Aligned,
    tiles: Vec<Place>,
    /// The tiles of the list and the tiles above and below them.
    near_tiles: Vec<NearTile>,
}

/// Where a tile's inputs are, and where they go.
#[derive(Clone, Copy, Debug)]
struct NearTile {
    window: usize,
    transformed: usize,
}

impl Winograd {
    /// Whether there is a kernel for a convolution from and to `channels` channels, over planes of this side.
    pub fn suits(channels: usize, side: usize) -> bool {
        matches!(channels, 16 | 32) && side.is_multiple_of(TILE)
    }

    /// A convolution from weights [channels][3][3][channels] and a bias, for vectors of `lanes` numbers.
    pub fn new(weights: &[f32], bias: &[f32], lanes: usize) -> Self {
        let channels = bias.len();
        let block = block(channels, lanes);
        let together = if lanes == 16 { TAPS_AT_ONCE } else { 1 };
        let arranged = WEIGHTS_TO_POINTS.iter().flat_map(|factors| {
            let rows = weights.chunks_exact(3 * channels).flat_map(|row| {
                (0..channels).map(|input| {
                    let columns = factors.iter().zip(row.iter().skip(input).step_by(channels));
                    columns.map(|(factor, &weight)| factor * f64::from(weight)).sum::<f64>() as f32
                })
            });
            in_blocks(&rows.collect::<Vec<_>>(), 3 * channels, block, together)
        });
        let weights = Aligned::from(&arranged.collect::<Vec<_>>()[..]);
        Winograd { channels, block, weights, bias: bias.to_vec() }
    }

    /// Number of output channels that are computed together.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Memory for planes of this side.
    pub fn scratch(&self, side: usize) -> Scratch {
        let inputs = Aligned::zeros((side + 2) * (side / TILE) * POINTS * self.channels);
        Scratch { inputs, ..Scratch::default() }
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
        let (transformed, windows) = (self.transformed(output.side), input.windows(1));
        let places = Places::new(transformed, shortcut, output);
        output.changes.list(TILE, |pixel| places.of(pixel), &mut scratch.tiles);
        // The middle row of a tile's window, and of the transformed rows.
        let near = |pixel| NearTile {
            window: windows.place(pixel) + input.row_values(),
            transformed: transformed.place(pixel) + self.channels,
        };
        output.changes.list_with_neighbours(TILE, output.side, near, &mut scratch.near_tiles);
        let multiplications = scratch.tiles.len() * POINTS * 3 * self.channels * self.channels;
        let job = Job { simd, input, output, shortcut, scratch, places };
        if const { S::f32s::LEN == 16 } {
            match self.channels {
                16 => self.compute::<S, S::f32s, 1, 4, 48, 6>(job),
                _ => self.compute::<S, S::f32s, 2, 8, 96, 3>(job),
            }
        } else {
            match self.channels {
                16 => self.compute::<S, f32x8<S>, 2, 2, 48, 6>(job),
                _ => self.compute::<S, f32x8<S>, 2, 2, 96, 6>(job),
            }
        }
        multiplications
    }

    /// Where the transformed inputs of each tile's three rows begin.
    fn transformed(&self, side: usize) -> Grid {
        Grid { first: 0, down: self.channels, right: POINTS * (side + 2) * self.channels / TILE }
    }

    /// V vectors of output channels and P tiles at a time, each a sum over L values of three kernel rows in W vectors.
    #[inline(always)]
    fn compute<
        S: Simd,
        F: SimdFloat<S, Element = f32>,
        const V: usize,
        const W: usize,
        const L: usize,
        const P: usize,
    >(
        &self,
        mut job: Job<S>,
    ) {
        let tiles = job.scratch.tiles.len();
        in_groups(&mut job.scratch.tiles, P);
        job.scratch.products.grow(job.scratch.tiles.len() * POINTS * self.channels);
        self.transform_inputs::<S, F, L>(&mut job);
        self.multiply::<S, F, V, W, L, P>(&mut job);
        self.transform_outputs::<S, F, V, L>(job, tiles);
    }

    #[inline(always)]
    fn transform_inputs<S: Simd, F: SimdFloat<S, Element = f32>, const L: usize>(&self, job: &mut Job<S>) {
        let Job { simd, input, scratch, .. } = job;
        let channels = L / 3;
        let point_values = (input.side + 2) * channels;
        for &NearTile { window, transformed } in &scratch.near_tiles {
            let window = input.slice_at(window, POINTS * channels);
            let target = &mut scratch.inputs[transformed..][..(POINTS - 1) * point_values + channels];
            for channel in (0..channels).step_by(F::LEN) {
                let pixel = |pixel: usize| F::from_slice(*simd, &window[pixel * channels + channel..][..F::LEN]);
                let points = to_points(*simd, std::array::from_fn(pixel));
                for (point, value) in points.iter().enumerate() {
                    value.store_slice(&mut target[point * point_values + channel..][..F::LEN]);
                }
            }
        }
    }

    /// For each tile and point the sums over kernel rows and input channels.
    #[inline(always)]
    fn multiply<
        S: Simd,
        F: SimdFloat<S, Element = f32>,
        const V: usize,
        const W: usize,
        const L: usize,
        const P: usize,
    >(
        &self,
        job: &mut Job<S>,
    ) {
        let simd = job.simd;
        let (channels, block) = (L / 3, V * F::LEN);
        let point_values = (job.input.side + 2) * channels;
        let Scratch { inputs, products, tiles, .. } = &mut *job.scratch;
        for (part, weights) in self.weights.chunks_exact(L * block).enumerate() {
            let (point, channel) = (part / (channels / block), part % (channels / block) * block);
            let groups = tiles.as_chunks::<P>().0;
            for (group, products) in groups.iter().zip(products.chunks_exact_mut(P * POINTS * channels)) {
                let mut taps = [&[0.0; L]; P];
                for (taps, tile) in taps.iter_mut().zip(group) {
                    let first = tile.input + point * point_values;
                    *taps = inputs[first..].first_chunk().expect("a row of zeros lies below");
                }
                let mut sums: Sums<F, W, P> = [[F::splat(simd, 0.0); W]; P];
                accumulate_in::<S, F, L, V, W, P>(simd, &mut sums, taps, weights);
                for (products, sums) in products.chunks_exact_mut(POINTS * channels).zip(&mut sums) {
                    join::<S, F, V, W>(sums);
                    let target = &mut products[point * channels + channel..][..block];
                    for (target, sum) in target.chunks_exact_mut(F::LEN).zip(&sums[..V]) {
                        sum.store_slice(target);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn transform_outputs<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const L: usize>(
        &self,
        job: Job<S>,
        tiles: usize,
    ) {
        let Job { simd, output, shortcut, scratch, places, .. } = job;
        let channels = L / 3;
        let products = scratch.products.chunks_exact(POINTS * channels);
        for (tile, products) in scratch.tiles[..tiles].iter().zip(products) {
            let pixels: [Place; TILE] = std::array::from_fn(|right| places.right_of(*tile, right));
            for channel in (0..channels).step_by(V * F::LEN) {
                let bias: [F; V] = load(simd, &self.bias[channel..channel + V * F::LEN]);
                let mut sums: Sums<F, V, TILE> = [bias; TILE];
                for vector in 0..V {
                    let first = channel + vector * F::LEN;
                    let point = |point: usize| F::from_slice(simd, &products[point * channels + first..][..F::LEN]);
                    let outputs = from_points(simd, std::array::from_fn(point));
                    for (sums, output) in sums.iter_mut().zip(outputs) {
                        sums[vector] = output + sums[vector];
                    }
                }
                finish::<S, F, V, V, TILE>(simd, sums, shortcut, &pixels, 1, channel, output);
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
    scratch: &'a mut Scratch,
    places: Places,
}

/// From six neighbouring inputs to the points.
#[inline(always)]
fn to_points<S: Simd, F: SimdFloat<S, Element = f32>>(simd: S, d: [F; POINTS]) -> [F; POINTS] {
    let times = |factor: f32, value: F, more: F| F::splat(simd, factor).mul_add(value, more);
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
fn from_points<S: Simd, F: SimdFloat<S, Element = f32>>(simd: S, m: [F; POINTS]) -> [F; TILE] {
    let times = |factor: f32, value: F, more: F| F::splat(simd, factor).mul_add(value, more);
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    let (far_sum, far_difference) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] + sum + far_sum,
        times(2.0, far_difference, difference),
        times(4.0, far_sum, sum),
        times(8.0, far_difference, difference) + m[5],
    ]
}
