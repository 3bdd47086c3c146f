//! The coordinates of one axis and their extent.

use fearless_simd::{Level, dispatch};

/// The coordinates of one axis, in the type in which the caller stores them.
#[derive(Clone, Copy, Debug)]
pub enum Coordinates<'a> {
    /// float32.
    Float32(&'a [f32]),
    /// float64.
    Float64(&'a [f64]),
}

/// Evaluates an expression with the coordinates bound to a slice of their type.
macro_rules! with_values {
    ($coordinates:expr, $values:ident => $body:expr) => {
        match $coordinates {
            Coordinates::Float32($values) => $body,
            Coordinates::Float64($values) => $body,
        }
    };
}

impl<'a> From<&'a [f32]> for Coordinates<'a> {
    fn from(values: &'a [f32]) -> Self {
        Coordinates::Float32(values)
    }
}

impl<'a> From<&'a [f64]> for Coordinates<'a> {
    fn from(values: &'a [f64]) -> Self {
        Coordinates::Float64(values)
    }
}

impl<'a> Coordinates<'a> {
    /// Number of coordinates.
    pub fn len(self) -> usize {
        with_values!(self, values => values.len())
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The coordinates from `start` up to `end`, or `None` if these are out of range.
    pub fn slice(self, start: usize, end: usize) -> Option<Self> {
        with_values!(self, values => Some(values.get(start..end)?.into()))
    }

    /// The coordinate at `index`, or `None` if there is none.
    pub fn get(self, index: usize) -> Option<f64> {
        with_values!(self, values => values.get(index).map(|&value| widened(value)))
    }

    /// Smallest and largest value, or `None` if there is none or one is NaN or infinite.
    pub(crate) fn extent(self) -> Option<Extent> {
        with_values!(self, values => dispatch!(Level::new(), _simd => Extent::of(values)))
    }

    /// Number of values below and above an extent.
    pub(crate) fn count_outside(self, extent: Extent) -> (usize, usize) {
        with_values!(self, values => dispatch!(Level::new(), _simd => outside(values, extent)))
    }

    /// Index of the first value that is NaN or infinite, and the value.
    pub(crate) fn first_not_finite(self) -> Option<(usize, f64)> {
        (0..self.len()).filter_map(|index| Some((index, self.get(index)?))).find(|(_, value)| !value.is_finite())
    }

    /// Replaces `out` by the mapped values.
    #[inline(always)]
    pub(crate) fn map_into(self, out: &mut Vec<f32>, map: impl Fn(f64) -> f64) {
        out.resize(self.len(), 0.0);
        with_values!(self, values => {
            for (mapped, &value) in out.iter_mut().zip(values) {
                *mapped = map(widened(value)) as f32;
            }
        });
    }
}

#[inline(always)]
fn outside<T: Copy + Into<f64>>(values: &[T], extent: Extent) -> (usize, usize) {
    values.iter().fold((0, 0), |(below, above), &value| {
        let value: f64 = value.into();
        (below + usize::from(value < extent.low), above + usize::from(value > extent.high))
    })
}

#[inline(always)]
fn widened(value: impl Into<f64>) -> f64 {
    value.into()
}

/// Smallest and largest coordinate of an axis, both finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The smallest coordinate.
    pub low: f64,
    /// The largest coordinate.
    pub high: f64,
}

impl Extent {
    /// Independent accumulators, so that the loop runs in vector registers.
    const LANES: usize = 8;

    #[inline(always)]
    fn of<T: Copy + Default + Into<f64>>(values: &[T]) -> Option<Self> {
        let mut low = [f64::INFINITY; Self::LANES];
        let mut high = [f64::NEG_INFINITY; Self::LANES];
        // A NaN or an infinity times 0 is NaN and stays NaN in the sum; anything finite adds 0.
        let mut poison = [0.0; Self::LANES];
        // The compiler vectorizes only chunks of a constant length.
        let (chunks, rest) = values.as_chunks::<{ Self::LANES }>();
        // The remainder, padded with its first value.
        let mut last = [T::default(); Self::LANES];
        last.fill(rest.first().copied().unwrap_or_default());
        last[..rest.len()].copy_from_slice(rest);
        let last = if rest.is_empty() { &[] } else { std::slice::from_ref(&last) };
        for chunk in chunks.iter().chain(last) {
            for lane in 0..Self::LANES {
                let value: f64 = chunk[lane].into();
                low[lane] = if value < low[lane] { value } else { low[lane] };
                high[lane] = if value > high[lane] { value } else { high[lane] };
                poison[lane] += value * 0.0;
            }
        }
        let finite = !values.is_empty() && poison.iter().all(|&sum| sum == 0.0);
        finite.then(|| Extent {
            low: low.into_iter().fold(f64::INFINITY, f64::min),
            high: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
        })
    }

    /// Largest minus smallest coordinate.
    pub fn span(self) -> f64 {
        self.high - self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extent_of_more_values_than_lanes() {
        let values: Vec<f32> = (0..100).map(|value| ((value * 37) % 101 - 50) as f32).collect();
        let expected = Extent { low: -50.0, high: 50.0 };
        assert_eq!(Coordinates::Float32(&values).extent(), Some(expected));
    }
}
