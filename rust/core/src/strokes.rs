//! One row of pen strokes, borrowed from whoever owns the memory and valid by construction.

use fearless_simd::{Level, dispatch};
use half::f16;

use crate::error::{Axis, RowError};

/// A number type that coordinates may be stored in.
pub trait Coordinate: Copy + Default + Send + Sync {
    /// The value as float64; integers beyond 2^53 are rounded.
    fn widen(self) -> f64;
}

macro_rules! coordinate_types {
    ($($variant:ident: $type:ty => $widen:expr;)*) => {
        $(impl Coordinate for $type {
            #[inline(always)]
            fn widen(self) -> f64 {
                $widen(self)
            }
        })*

        /// The coordinates of one axis, in the type in which the caller stores them.
        #[derive(Clone, Copy, Debug)]
        pub enum Coordinates<'a> {
            $(#[doc = concat!("Coordinates of type ", stringify!($type), ".")] $variant(&'a [$type]),)*
        }

        $(impl<'a> From<&'a [$type]> for Coordinates<'a> {
            fn from(values: &'a [$type]) -> Self {
                Coordinates::$variant(values)
            }
        })*

        /// Runs an expression with the coordinates bound to a slice of their own type.
        macro_rules! with_values {
            ($coordinates:expr, $values:ident => $body:expr) => {
                match $coordinates { $(Coordinates::$variant($values) => $body,)* }
            };
        }

        impl<'a> Coordinates<'a> {
            /// The coordinates from `start` up to `end`, or `None` where these are out of range.
            pub fn slice(self, start: usize, end: usize) -> Option<Self> {
                with_values!(self, values => Some(values.get(start..end)?.into()))
            }
        }
    };
}

coordinate_types! {
    Int8: i8 => f64::from;
    Int16: i16 => f64::from;
    Int32: i32 => f64::from;
    Int64: i64 => |value| value as f64;
    UInt8: u8 => f64::from;
    UInt16: u16 => f64::from;
    UInt32: u32 => f64::from;
    UInt64: u64 => |value| value as f64;
    Float16: f16 => f64::from;
    Float32: f32 => f64::from;
    Float64: f64 => |value| value;
}

impl Coordinates<'_> {
    /// Number of coordinates.
    pub fn len(self) -> usize {
        with_values!(self, values => values.len())
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The coordinate at `index`, or `None` if there is none.
    pub fn get(self, index: usize) -> Option<f64> {
        with_values!(self, values => values.get(index).map(|value| value.widen()))
    }

    /// Smallest and largest value, or `None` if any is NaN or infinite or there is none.
    fn range(self) -> Option<Range> {
        with_values!(self, values => dispatch!(Level::new(), _simd => Range::of(values)))
    }

    /// Index of the first value that is NaN or infinite, and the value.
    fn first_not_finite(self) -> Option<(usize, f64)> {
        with_values!(self, values => {
            values.iter().map(|value| value.widen()).enumerate().find(|(_, value)| !value.is_finite())
        })
    }

    /// Replaces `out` by the values, each mapped.
    #[inline(always)]
    pub(crate) fn map_into(self, out: &mut Vec<f32>, map: impl Fn(f64) -> f64) {
        out.resize(self.len(), 0.0);
        with_values!(self, values => {
            for (mapped, value) in out.iter_mut().zip(values) {
                *mapped = map(value.widen()) as f32;
            }
        });
    }
}

/// Where each stroke starts among the coordinates; one more entry than there are strokes.
#[derive(Clone, Copy, Debug)]
pub enum Offsets<'a> {
    /// Offsets of an Arrow `list`.
    Int32(&'a [i32]),
    /// Offsets of an Arrow `large_list`.
    Int64(&'a [i64]),
}

impl<'a> Offsets<'a> {
    /// The entries from `start` up to and including `end`, or `None` where these are out of range.
    pub fn slice(self, start: usize, end: usize) -> Option<Self> {
        let range = start..end.checked_add(1)?;
        match self {
            Offsets::Int32(values) => values.get(range).map(Offsets::Int32),
            Offsets::Int64(values) => values.get(range).map(Offsets::Int64),
        }
    }

    /// The entry at `index`, or `None` if there is none or it is negative.
    pub fn get(self, index: usize) -> Option<usize> {
        match self {
            Offsets::Int32(values) => values.get(index).and_then(|&value| value.try_into().ok()),
            Offsets::Int64(values) => values.get(index).and_then(|&value| value.try_into().ok()),
        }
    }

    /// Number of strokes, or of whatever else lies between neighbouring entries.
    pub(crate) fn count(self) -> usize {
        match self {
            Offsets::Int32(values) => values.len().saturating_sub(1),
            Offsets::Int64(values) => values.len().saturating_sub(1),
        }
    }
}

/// Smallest and largest coordinate of an axis, both finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The smallest coordinate.
    pub low: f64,
    /// The largest coordinate.
    pub high: f64,
}

impl Range {
    /// Independent accumulators, so that the loop runs in vector registers.
    const LANES: usize = 8;

    #[inline(always)]
    fn of<T: Coordinate>(values: &[T]) -> Option<Self> {
        let mut low = [f64::INFINITY; Self::LANES];
        let mut high = [f64::NEG_INFINITY; Self::LANES];
        // A NaN or an infinity times 0 is NaN and stays NaN in the sum; anything finite adds 0.
        let mut poison = [0.0; Self::LANES];
        // Chunks of a length that the compiler knows, or it would leave the lanes apart.
        let (chunks, rest) = values.as_chunks::<{ Self::LANES }>();
        // What is left over, its first value repeated.
        let mut last = [T::default(); Self::LANES];
        last.fill(rest.first().copied().unwrap_or_default());
        last[..rest.len()].copy_from_slice(rest);
        let last = if rest.is_empty() { &[] } else { std::slice::from_ref(&last) };
        for chunk in chunks.iter().chain(last) {
            for lane in 0..Self::LANES {
                let value = chunk[lane].widen();
                low[lane] = if value < low[lane] { value } else { low[lane] };
                high[lane] = if value > high[lane] { value } else { high[lane] };
                poison[lane] += value * 0.0;
            }
        }
        let finite = !values.is_empty() && poison.iter().all(|&sum| sum == 0.0);
        finite.then(|| Range {
            low: low.into_iter().fold(f64::INFINITY, f64::min),
            high: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
        })
    }

    /// Largest minus smallest coordinate.
    pub fn span(self) -> f64 {
        self.high - self.low
    }
}

/// Most points that a row may have, a thousand times those of a written line. At the default line width the slowest row
/// then takes some two seconds, its segments all going from corner to corner.
pub const MAX_POINTS: usize = 1 << 20;

/// Most strokes that a row may have; those without points count too.
pub const MAX_STROKES: usize = 1 << 20;

/// One row: strokes of points. There is at least one point, every coordinate is finite, and so is the span of each axis.
#[derive(Clone, Copy, Debug)]
pub struct Strokes<'a> {
    offsets: Offsets<'a>,
    first_point: usize,
    x: Coordinates<'a>,
    y: Coordinates<'a>,
    x_range: Range,
    y_range: Range,
}

impl<'a> Strokes<'a> {
    /// Checks a row whose stroke `i` is the points `offsets[i]` up to `offsets[i + 1]` of `x` and `y`.
    ///
    /// The coordinates may be longer than the row; only the points that the offsets name are looked at.
    ///
    /// # Errors
    /// [`RowError::BrokenOffsets`], [`RowError::NoPoints`], [`RowError::TooManyStrokes`], [`RowError::TooManyPoints`],
    /// [`RowError::NotFinite`] or [`RowError::SpanOverflow`].
    pub fn new(offsets: Offsets<'a>, x: Coordinates<'a>, y: Coordinates<'a>) -> Result<Self, RowError> {
        Self::with_base(offsets, 0, x, y)
    }

    /// As [`Strokes::new`], where the coordinates begin with the point that the offsets call `base`.
    pub(crate) fn with_base(
        offsets: Offsets<'a>,
        base: usize,
        x: Coordinates<'a>,
        y: Coordinates<'a>,
    ) -> Result<Self, RowError> {
        if offsets.count() > MAX_STROKES {
            return Err(RowError::TooManyStrokes { strokes: offsets.count() });
        }
        let (first_point, end) = point_range(offsets)?;
        let broken = RowError::BrokenOffsets { stroke: offsets.count().saturating_sub(1) };
        let (Some(from), Some(to)) = (first_point.checked_sub(base), end.checked_sub(base)) else {
            return Err(broken);
        };
        let x = x.slice(from, to).ok_or(broken.clone())?;
        let y = y.slice(from, to).ok_or(broken)?;
        match x.len() {
            0 => return Err(RowError::NoPoints),
            1..=MAX_POINTS => {}
            points => return Err(RowError::TooManyPoints { points }),
        }
        let range_of = |axis, values: Coordinates| {
            let range = values.range().ok_or_else(|| not_finite(offsets, first_point, axis, values))?;
            if range.span().is_finite() { Ok(range) } else { Err(RowError::SpanOverflow { axis }) }
        };
        let x_range = range_of(Axis::X, x)?;
        let y_range = range_of(Axis::Y, y)?;
        Ok(Strokes { offsets, first_point, x, y, x_range, y_range })
    }

    /// The x coordinates of all points of the row.
    pub fn x(&self) -> Coordinates<'a> {
        self.x
    }

    /// The y coordinates of all points of the row.
    pub fn y(&self) -> Coordinates<'a> {
        self.y
    }

    /// Smallest and largest x.
    pub fn x_range(&self) -> Range {
        self.x_range
    }

    /// Smallest and largest y.
    pub fn y_range(&self) -> Range {
        self.y_range
    }

    /// For each stroke, the range of its points within [`Strokes::x`] and [`Strokes::y`]; it may be empty.
    pub fn point_ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let point = |index| self.offsets.get(index).unwrap_or(0).saturating_sub(self.first_point);
        (0..self.offsets.count()).map(move |stroke| point(stroke)..point(stroke + 1))
    }
}

/// First point and end of a row, once its offsets are known not to decrease.
fn point_range(offsets: Offsets) -> Result<(usize, usize), RowError> {
    let broken = |stroke| RowError::BrokenOffsets { stroke };
    if offsets.count() == 0 {
        return Err(RowError::NoPoints);
    }
    let first = offsets.get(0).ok_or(broken(0))?;
    let mut end = first;
    for stroke in 0..offsets.count() {
        let next = offsets.get(stroke + 1).ok_or(broken(stroke))?;
        if next < end {
            return Err(broken(stroke));
        }
        end = next;
    }
    Ok((first, end))
}

#[cold]
fn not_finite(offsets: Offsets, first_point: usize, axis: Axis, values: Coordinates) -> RowError {
    let Some((index, value)) = values.first_not_finite() else { return RowError::NoPoints };
    let (stroke, point) = locate(offsets, first_point + index);
    RowError::NotFinite { stroke, point, axis, value: value.to_string() }
}

/// The stroke that holds a point, and the point's index within it.
pub(crate) fn locate(offsets: Offsets, point: usize) -> (usize, usize) {
    let starts_after = |stroke: &usize| offsets.get(stroke + 1).is_some_and(|end| point < end);
    let stroke = (0..offsets.count()).find(starts_after).unwrap_or(0);
    (stroke, point - offsets.get(stroke).unwrap_or(0).min(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(offsets: &'a [i32], x: &'a [f64], y: &'a [f64]) -> Result<Strokes<'a>, RowError> {
        Strokes::new(Offsets::Int32(offsets), x.into(), y.into())
    }

    #[test]
    fn ranges_and_strokes_of_a_slice() {
        let strokes = row(&[1, 3, 3, 4], &[9.0, 1.0, 2.0, -3.0], &[9.0, 0.0, 4.0, 5.0]).unwrap();
        assert_eq!(strokes.x_range(), Range { low: -3.0, high: 2.0 });
        assert_eq!(strokes.y_range(), Range { low: 0.0, high: 5.0 });
        assert_eq!(strokes.point_ranges().collect::<Vec<_>>(), [0..2, 2..2, 2..3]);
    }

    #[test]
    fn range_of_more_values_than_lanes() {
        let values: Vec<i16> = (0..100).map(|value| (value * 37) % 101 - 50).collect();
        let expected = Range { low: -50.0, high: 50.0 };
        assert_eq!(Coordinates::Int16(&values).range(), Some(expected));
    }

    #[test]
    fn empty_rows_have_no_points() {
        assert_eq!(row(&[], &[], &[]).unwrap_err(), RowError::NoPoints);
        assert_eq!(row(&[0], &[], &[]).unwrap_err(), RowError::NoPoints);
        assert_eq!(row(&[0, 0, 0], &[1.0], &[1.0]).unwrap_err(), RowError::NoPoints);
    }

    #[test]
    fn lying_offsets_are_refused() {
        let values = [0.0; 3];
        assert_eq!(row(&[0, 2, 1], &values, &values).unwrap_err(), RowError::BrokenOffsets { stroke: 1 });
        assert_eq!(row(&[-1, 2], &values, &values).unwrap_err(), RowError::BrokenOffsets { stroke: 0 });
        assert_eq!(row(&[0, 2, 9], &values, &values).unwrap_err(), RowError::BrokenOffsets { stroke: 1 });
        assert_eq!(row(&[0, 3], &values, &values[..2]).unwrap_err(), RowError::BrokenOffsets { stroke: 0 });
    }

    #[test]
    fn not_finite_names_stroke_and_point() {
        let x: Vec<f64> = (0..20).map(|index| if index == 17 { f64::NAN } else { 1.0 }).collect();
        let y = [0.0; 20];
        let error = row(&[0, 5, 16, 20], &x, &y).unwrap_err();
        assert_eq!(error, RowError::NotFinite { stroke: 2, point: 1, axis: Axis::X, value: "NaN".into() });
        let infinite = [0.0, f64::NEG_INFINITY];
        let error = row(&[0, 2], &[0.0, 1.0], &infinite).unwrap_err();
        assert_eq!(error, RowError::NotFinite { stroke: 0, point: 1, axis: Axis::Y, value: "-inf".into() });
    }

    #[test]
    fn rows_beyond_the_limits_are_refused() {
        let most = vec![0_i8; MAX_POINTS + 1];
        let point_count = |points: usize| {
            let values = Coordinates::Int8(&most[..points]);
            Strokes::new(Offsets::Int64(&[0, points as i64]), values, values).map(|strokes| strokes.x().len())
        };
        assert_eq!(point_count(MAX_POINTS), Ok(MAX_POINTS));
        assert_eq!(point_count(MAX_POINTS + 1), Err(RowError::TooManyPoints { points: MAX_POINTS + 1 }));
        let mut offsets = vec![0; MAX_STROKES];
        offsets.push(1);
        assert!(row(&offsets, &[1.0], &[1.0]).is_ok());
        offsets.push(1);
        assert_eq!(row(&offsets, &[1.0], &[1.0]).unwrap_err(), RowError::TooManyStrokes { strokes: MAX_STROKES + 1 });
    }

    #[test]
    fn a_span_beyond_float64_is_refused() {
        let error = row(&[0, 2], &[-1e308, 1e308], &[0.0, 1.0]).unwrap_err();
        assert_eq!(error, RowError::SpanOverflow { axis: Axis::X });
    }
}
