//! Logits to log-probabilities, and these to probabilities.

use std::f64::consts::{LN_2, LOG2_E};

use fearless_simd::Simd;

/// Sums that do not wait for one another.
const LANES: usize = 16;

/// Turns logits [frames][outputs] into log-probabilities, in place; the outputs are a multiple of 8.
#[inline(always)]
pub fn log_softmax<S: Simd>(simd: S, logits: &mut [f32], outputs: usize) {
    simd.vectorize(
        #[inline(always)]
        || {
            for frame in logits.chunks_exact_mut(outputs) {
                let most = largest(frame);
                let mut sums = [0.0; LANES];
                let (chunks, rest) = frame.as_chunks::<LANES>();
                for chunk in chunks {
                    for lane in 0..LANES {
                        sums[lane] += exponential(chunk[lane] - most);
                    }
                }
                let total = sums.iter().sum::<f32>() + rest.iter().map(|value| exponential(value - most)).sum::<f32>();
                let normalizer = most + total.ln();
                frame.iter_mut().for_each(|value| *value -= normalizer);
            }
        },
    );
}

/// The largest value.
#[inline(always)]
pub fn largest(values: &[f32]) -> f32 {
    let larger = |one: f32, other: f32| if one > other { one } else { other };
    let mut most = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            most[lane] = larger(chunk[lane], most[lane]);
        }
    }
    most.iter_mut().zip(rest).for_each(|(most, &value)| *most = larger(value, *most));
    // Halves of halves, which takes fewer steps than one lane after the other.
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            most[lane] = larger(most[lane], most[lane + width]);
        }
    }
    most[0]
}

/// e to a power that is not above 0, to 3e-7 of itself, in a form that the compiler puts into vectors.
#[inline(always)]
fn exponential(power: f32) -> f32 {
    // Adding this leaves an integer in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let power = if power > -87.0 { power } else { -87.0 };
    let shifted = power * std::f32::consts::LOG2_E + ROUNDER;
    let whole = shifted - ROUNDER;
    let rest = power - whole * LN_2_HIGH - whole * LN_2_LOW;
    // Taylor's series; |rest| is at most ln 2 / 2.
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest * (1.0 / 720.0))))));
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// Replaces `probabilities` by those of logarithms that are not above 0, to 1e-9 of themselves, in float64; what is
/// below e^-700 counts as that.
#[inline(always)]
pub fn exponentials(logarithms: &[f32], probabilities: &mut [f64]) {
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    for (probability, &logarithm) in probabilities.iter_mut().zip(logarithms) {
        let power = f64::from(logarithm);
        let power = if power > -700.0 { power } else { -700.0 };
        let shifted = power * LOG2_E + ROUNDER;
        let rest = power - (shifted - ROUNDER) * LN_2;
        let series = [1.0 / 40_320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
        let series = series.into_iter().fold(0.0, |sum, factor| sum * rest + factor);
        *probability = series * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_close() {
        let powers: Vec<f32> = (0..8000).map(|step| -0.01 * step as f32).collect();
        let mut found = vec![0.0; powers.len()];
        exponentials(&powers, &mut found);
        for (&power, found) in powers.iter().zip(found) {
            let expected = f64::from(power).exp();
            assert!((found / expected - 1.0).abs() < 1e-9, "e^{power}: {found}");
            assert!((f64::from(exponential(power)) / expected - 1.0).abs() < 3e-7, "e^{power}");
        }
    }

    #[test]
    fn what_is_far_below_is_next_to_nothing() {
        let mut found = [1.0; 3];
        exponentials(&[-1e30, f32::NEG_INFINITY, -701.0], &mut found);
        assert!(found.into_iter().all(|value| value < 1e-300));
        assert!(exponential(-1e30) < 1e-37);
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
    }
}
