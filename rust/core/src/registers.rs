//! The inner loop of every convolution: sums of products in vector registers.

use fearless_simd::{Simd, SimdBase, SimdFloat};

/// Numbers in a vector of the processor. With 16 come 32 registers.
pub fn lanes<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

/// For each of P pixels the sums of W vectors.
///
/// Twelve vectors of sums hide the latency of a multiply-add and leave four of 16 registers for its operands. Where
/// there are 32 registers, there are up to 24.
pub type Sums<F, const W: usize, const P: usize> = [[F; W]; P];

/// Taps that one load spreads over a vector, where output channels have four lanes each: the sums of every fourth tap
/// are apart. Loads take longer than multiply-adds on processors that read one vector of 16 numbers a cycle.
pub const TAPS_AT_ONCE: usize = 4;

/// V vectors of values.
#[inline(always)]
pub fn load<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize>(simd: S, values: &[f32]) -> [F; V] {
    let mut vectors = [F::splat(simd, 0.0); V];
    for (vector, values) in vectors.iter_mut().zip(values.chunks_exact(F::LEN)) {
        *vector = F::from_slice(simd, values);
    }
    vectors
}

/// Adds weights [L][W vectors] times the L taps of each pixel, tap by tap.
#[inline(always)]
pub fn accumulate<S: Simd, F: SimdFloat<S, Element = f32>, const L: usize, const W: usize, const P: usize>(
    simd: S,
    sums: &mut Sums<F, W, P>,
    taps: [&[f32; L]; P],
    weights: &[f32],
) {
    for (tap, weights) in (0..L).zip(weights.chunks_exact(W * F::LEN)) {
        let weights: [F; W] = load(simd, weights);
        for pixel in 0..P {
            let value = F::splat(simd, taps[pixel][tap]);
            for vector in 0..W {
                sums[pixel][vector] = value.mul_add(weights[vector], sums[pixel][vector]);
            }
        }
    }
}

/// The same four taps at a time, weights [L / 4][W vectors].
#[inline(always)]
fn accumulate_fours<S: Simd, F: SimdFloat<S, Element = f32>, const L: usize, const W: usize, const P: usize>(
    simd: S,
    sums: &mut Sums<F, W, P>,
    taps: [&[f32; L]; P],
    weights: &[f32],
) {
    for (first, weights) in (0..L).step_by(TAPS_AT_ONCE).zip(weights.chunks_exact(W * F::LEN)) {
        let mut values = [F::splat(simd, 0.0); P];
        for (value, taps) in values.iter_mut().zip(taps) {
            *value = F::block_splat(F::Block::from_slice(simd, &taps[first..first + TAPS_AT_ONCE]));
        }
        // Vector by vector: there are no registers for all weights.
        for (vector, weights) in weights.chunks_exact(F::LEN).enumerate() {
            let weights = F::from_slice(simd, weights);
            for (sums, value) in sums.iter_mut().zip(values) {
                sums[vector] = value.mul_add(weights, sums[vector]);
            }
        }
    }
}

/// Adds weights times the L taps of each pixel: tap by tap where the sums of V vectors of outputs take W = V vectors, four
/// taps at a time where they take W = 4 V.
#[inline(always)]
pub fn accumulate_in<
    S: Simd,
    F: SimdFloat<S, Element = f32>,
    const L: usize,
    const V: usize,
    const W: usize,
    const P: usize,
>(
    simd: S,
    sums: &mut Sums<F, W, P>,
    taps: [&[f32; L]; P],
    weights: &[f32],
) {
    if const { V == W } {
        accumulate(simd, sums, taps, weights);
    } else {
        accumulate_fours(simd, sums, taps, weights);
    }
}

/// Leaves the sums of V vectors of output channels in the first V vectors.
#[inline(always)]
pub fn join<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize, const W: usize>(sums: &mut [F; W]) {
    if const { V < W } {
        for vector in 0..V {
            let part = |part: usize| sums[TAPS_AT_ONCE * vector + part];
            sums[vector] = neighbours(neighbours(part(0), part(1)), neighbours(part(2), part(3)));
        }
    }
}

/// The sums of neighbouring lanes.
#[inline(always)]
fn neighbours<S: Simd, F: SimdFloat<S, Element = f32>>(a: F, b: F) -> F {
    a.unzip_low(b) + a.unzip_high(b)
}
