//! The inner loop of every convolution: sums of products in vector registers.

use fearless_simd::{Simd, SimdBase, SimdFloat};

/// Numbers in a vector of the processor. With 16 come 32 registers.
pub fn lanes<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

/// For each of P pixels the sums of V vectors of output channels.
///
/// Twelve vectors of sums hide the latency of a multiply-add and leave four of 16 registers for its operands. Where
/// there are 32 registers, the operands that are read for each sum ask for no more than sixteen.
pub type Sums<F, const V: usize, const P: usize> = [[F; V]; P];

/// V vectors of values.
#[inline(always)]
pub fn load<S: Simd, F: SimdFloat<S, Element = f32>, const V: usize>(simd: S, values: &[f32]) -> [F; V] {
    let mut vectors = [F::splat(simd, 0.0); V];
    for (vector, values) in vectors.iter_mut().zip(values.chunks_exact(F::LEN)) {
        *vector = F::from_slice(simd, values);
    }
    vectors
}

/// Adds weights [L][V vectors] times the L taps of each pixel, tap by tap.
#[inline(always)]
pub fn accumulate<S: Simd, F: SimdFloat<S, Element = f32>, const L: usize, const V: usize, const P: usize>(
    simd: S,
    sums: &mut Sums<F, V, P>,
    taps: [&[f32; L]; P],
    weights: &[f32],
) {
    for (tap, weights) in (0..L).zip(weights.chunks_exact(V * F::LEN)) {
        let weights: [F; V] = load(simd, weights);
        for pixel in 0..P {
            let value = F::splat(simd, taps[pixel][tap]);
            for vector in 0..V {
                sums[pixel][vector] = value.mul_add(weights[vector], sums[pixel][vector]);
            }
        }
    }
}
