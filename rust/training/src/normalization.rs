//! Batch norm in training, with the mean and the variance of the batch (Ioffe and Szegedy, 2015) or fixed ones.

use fearless_simd::{Simd, SimdFloat, f32x4, f32x8, prelude::*};

use crate::feature_map::FeatureMap;

/// Two sums for each channel of a map.
pub type ChannelSums = [Vec<f64>; 2];

/// Batch norm of the channels of a unit's sums.
pub struct Normalization {
    mean: Vec<f32>,
    /// One over the standard deviation.
    precision: Vec<f32>,
    /// From sums to normalized sums.
    map: ChannelMap,
    /// Number of values of a channel that the mean and the variance come from; infinite where they are fixed, since then
    /// no value moves them.
    count: f64,
}

/// The mean and the variance of each channel.
pub type Statistics = [Vec<f32>; 2];

/// The statistics of `count` values, from their sums and sums of squares.
pub fn statistics(moments: &ChannelSums, count: usize) -> Statistics {
    let count = count as f64;
    let mean: Vec<f64> = moments[0].iter().map(|sum| sum / count).collect();
    let squares = moments[1].iter().zip(&mean);
    // Not `max`, which would turn NaN into 0.
    let above_zero = |value: f64| if value < 0.0 { 0.0 } else { value };
    let variance = squares.map(|(sum, mean)| above_zero(sum / count - mean * mean) as f32).collect();
    [mean.into_iter().map(|mean| mean as f32).collect(), variance]
}

/// A linear map for each channel.
struct ChannelMap {
    factor: Vec<f32>,
    term: Vec<f32>,
}

/// The backward pass of batch norm: the gradient of a sum is a linear map of the gradient of the normalized sum plus a
/// linear map of the sum.
pub struct BackwardMap<'a> {
    of_gradient: &'a [f32],
    of_sum: ChannelMap,
}

/// What is done with normalized sums.
#[derive(Clone, Copy)]
pub enum After {
    /// They are stored.
    Store,
    /// Negative ones become 0.
    Rectify,
    /// They are added to what is there, and negative ones become 0.
    AddAndRectify,
}

impl Normalization {
    /// By the statistics of `count` values. `epsilon` is added to the variances.
    pub fn of_batch(scale: &[f32], shift: &[f32], statistics: &Statistics, count: usize, epsilon: f32) -> Self {
        Self::new(scale, shift, statistics, count as f64, epsilon)
    }

    /// By fixed statistics of the first channels, in maps of `stored` channels.
    pub fn fixed(scale: &[f32], shift: &[f32], statistics: &Statistics, stored: usize, epsilon: f32) -> Self {
        let statistics = statistics.each_ref().map(|values| padded(values, stored));
        Self::new(scale, shift, &statistics, f64::INFINITY, epsilon)
    }

    fn new(scale: &[f32], shift: &[f32], [mean, variance]: &Statistics, count: f64, epsilon: f32) -> Self {
        let mean = mean.clone();
        let precision: Vec<f32> = variance.iter().map(|variance| 1.0 / (variance + epsilon).sqrt()).collect();
        let (scale, shift) = (padded(scale, mean.len()), padded(shift, mean.len()));
        let factor: Vec<f32> = scale.iter().zip(&precision).map(|(scale, precision)| scale * precision).collect();
        let term = (0..mean.len()).map(|channel| shift[channel] - mean[channel] * factor[channel]).collect();
        Normalization { mean, precision, map: ChannelMap { factor, term }, count }
    }

    /// Whether all sums have a normalized one.
    pub fn is_finite(&self) -> bool {
        [&self.map.factor, &self.map.term].into_iter().flatten().all(|value| value.is_finite())
    }

    /// Writes the normalized sums to `output`.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, sums: &FeatureMap, output: &mut FeatureMap, after: After) {
        let (add, floor) = match after {
            After::Store => (false, f32::NEG_INFINITY),
            After::Rectify => (false, 0.0),
            After::AddAndRectify => (true, 0.0),
        };
        match sums.channels {
            4 => self.map.apply::<S, f32x4<S>>(simd, sums, output, add, floor),
            _ => self.map.apply::<S, f32x8<S>>(simd, sums, output, add, floor),
        }
    }

    /// For each channel the sum of a picture's gradients, and the sum of gradients times deviations from the mean.
    #[inline(always)]
    pub fn gradient_sums<S: Simd>(&self, simd: S, sums: &FeatureMap, gradient: &FeatureMap) -> ChannelSums {
        pair_sums(simd, gradient, |row| sums.pixels(row), &self.mean, std::iter::repeat(1.0))
    }

    /// The gradients of scale and shift of the first channels, from the gradient sums of all pictures.
    pub fn gradients(&self, totals: &ChannelSums, channels: usize) -> [Vec<f32>; 2] {
        let by_scale =
            totals[1].iter().zip(&self.precision).map(|(sum, &precision)| (sum * f64::from(precision)) as f32);
        let by_shift = totals[0].iter().map(|&sum| sum as f32);
        [by_scale.take(channels).collect(), by_shift.take(channels).collect()]
    }

    /// The backward pass, from the gradient sums of all pictures.
    ///
    /// With n = (sum - mean) precision and g the gradient of scale n + shift, the gradient of the sum is
    /// scale precision (g - mean(g) - n mean(g n)).
    pub fn backward_map(&self, totals: &ChannelSums) -> BackwardMap<'_> {
        let channel = |channel: usize| {
            let (mean, factor) = (f64::from(self.mean[channel]), f64::from(self.map.factor[channel]));
            let precision = f64::from(self.precision[channel]);
            let along = -factor * precision * precision * totals[1][channel] / self.count;
            let constant = -factor * totals[0][channel] / self.count - along * mean;
            (along as f32, constant as f32)
        };
        let (factor, term) = (0..self.mean.len()).map(channel).unzip();
        BackwardMap { of_gradient: &self.map.factor, of_sum: ChannelMap { factor, term } }
    }
}

/// The values of all stored channels: 0 for those that only pad.
fn padded(values: &[f32], stored: usize) -> Vec<f32> {
    [values, &vec![0.0; stored - values.len()]].concat()
}

impl ChannelMap {
    #[inline(always)]
    fn apply<S: Simd, F: SimdFloat<S, Element = f32>>(
        &self,
        simd: S,
        from: &FeatureMap,
        to: &mut FeatureMap,
        add: bool,
        floor: f32,
    ) {
        let floor = F::splat(simd, floor);
        combine(simd, from, to, |_, channel, from: F, to: F| {
            let [factor, term]: [F; 2] = [&self.factor, &self.term].map(|values| vector(simd, values, channel));
            let mapped = from.mul_add(factor, term);
            (if add { mapped + to } else { mapped }).max(floor)
        });
    }
}

impl BackwardMap<'_> {
    /// Replaces the sums by their gradient. `counts` says how many rows equal each stored one.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, gradient: &FeatureMap, sums: &mut FeatureMap, counts: &[f32]) {
        match sums.channels {
            4 => self.apply_in::<S, f32x4<S>>(simd, gradient, sums, counts),
            _ => self.apply_in::<S, f32x8<S>>(simd, gradient, sums, counts),
        }
    }

    #[inline(always)]
    fn apply_in<S: Simd, F: SimdFloat<S, Element = f32>>(
        &self,
        simd: S,
        gradient: &FeatureMap,
        sums: &mut FeatureMap,
        counts: &[f32],
    ) {
        let ChannelMap { factor, term } = &self.of_sum;
        combine(simd, gradient, sums, |row, channel, gradient: F, sum: F| {
            let [of_gradient, factor, term]: [F; 3] =
                [self.of_gradient, factor, term].map(|values| vector(simd, values, channel));
            gradient.mul_add(of_gradient, sum.mul_add(factor, term) * F::splat(simd, counts[row]))
        });
    }
}

/// The backward pass of ReLU: sets gradients to 0 where the output is 0.
#[inline(always)]
pub fn rectify_gradient<S: Simd>(simd: S, output: &FeatureMap, gradient: &mut FeatureMap) {
    let zero = f32x4::splat(simd, 0.0);
    combine(simd, output, gradient, |_, _, output: f32x4<S>, gradient| output.simd_gt(zero).select(gradient, zero));
}

/// Replaces the values of `to` by `combined`, a function of the row, the first channel, the values of `from` and the
/// values of `to`.
#[inline(always)]
fn combine<S: Simd, F: SimdFloat<S, Element = f32>>(
    simd: S,
    from: &FeatureMap,
    to: &mut FeatureMap,
    combined: impl Fn(usize, usize, F, F) -> F,
) {
    let channels = from.channels;
    for row in 0..from.rows {
        let pixels = from.pixels(row).chunks_exact(channels);
        for (from, to) in pixels.zip(to.pixels_mut(row).chunks_exact_mut(channels)) {
            for channel in (0..channels).step_by(F::LEN) {
                let value = combined(row, channel, vector(simd, from, channel), vector(simd, to, channel));
                value.store_slice(&mut to[channel..channel + F::LEN]);
            }
        }
    }
}

/// The values from a channel on.
#[inline(always)]
fn vector<S: Simd, F: SimdFloat<S, Element = f32>>(simd: S, values: &[f32], channel: usize) -> F {
    F::from_slice(simd, &values[channel..channel + F::LEN])
}

/// The total of the pictures' sums, added in order.
pub fn add_up(pictures: Vec<ChannelSums>) -> ChannelSums {
    let mut pictures = pictures.into_iter();
    let mut totals = pictures.next().unwrap_or_default();
    for pair in pictures {
        for (totals, sums) in totals.iter_mut().zip(pair) {
            totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
    }
    totals
}

/// For each channel the sum of a map's values and the sum of their squares. `counts` says how many rows equal each
/// stored one.
#[inline(always)]
pub fn moments<S: Simd>(simd: S, map: &FeatureMap, counts: impl Iterator<Item = f32>) -> ChannelSums {
    pair_sums(simd, map, |row| map.pixels(row), &vec![0.0; map.channels], counts)
}

/// For each channel the sum of a map's values, and the sum of their products with another map's values minus `offsets`.
/// Each row counts as often as `counts` says.
#[inline(always)]
fn pair_sums<'a, S: Simd>(
    simd: S,
    map: &'a FeatureMap,
    other: impl Fn(usize) -> &'a [f32],
    offsets: &[f32],
    counts: impl Iterator<Item = f32>,
) -> ChannelSums {
    let mut totals = [vec![0.0; map.channels], vec![0.0; map.channels]];
    for (row, count) in (0..map.rows).zip(counts) {
        // Each row is summed in float32, the row sums in float64.
        let (rows, count) = ((map.pixels(row), other(row)), f64::from(count));
        match map.channels {
            4 => row_sums::<S, f32x4<S>>(simd, rows, offsets, count, &mut totals),
            _ => row_sums::<S, f32x8<S>>(simd, rows, offsets, count, &mut totals),
        }
    }
    totals
}

#[inline(always)]
fn row_sums<S: Simd, F: SimdFloat<S, Element = f32>>(
    simd: S,
    (values, others): (&[f32], &[f32]),
    offsets: &[f32],
    count: f64,
    totals: &mut ChannelSums,
) {
    let channels = offsets.len();
    for channel in (0..channels).step_by(F::LEN) {
        let offset: F = vector(simd, offsets, channel);
        let (mut sum, mut products) = (F::splat(simd, 0.0), F::splat(simd, 0.0));
        for (value, other) in values.chunks_exact(channels).zip(others.chunks_exact(channels)) {
            let value: F = vector(simd, value, channel);
            sum += value;
            products = value.mul_add(vector::<S, F>(simd, other, channel) - offset, products);
        }
        for (total, sums) in totals.iter_mut().zip([sum, products]) {
            for (total, &sum) in total[channel..].iter_mut().zip(sums.as_slice()) {
                *total += count * f64::from(sum);
            }
        }
    }
}
