//! One row of pen strokes, borrowed from the owner of the memory. It was valid when it was made: if another thread writes
//! to the memory, what it has is wrong, but no point is beyond its ends.

use std::ops::Range;

use crate::coordinates::{Coordinates, Extent};
use crate::limits::{MAX_POINTS, MAX_STROKES};
use crate::row_error::{Axis, RowError};

/// The index of each stroke's first coordinate, and the end of the last stroke: one entry more than there are strokes.
#[derive(Clone, Copy, Debug)]
pub enum Offsets<'a> {
    /// Offsets of an Arrow `list`.
    Int32(&'a [i32]),
    /// Offsets of an Arrow `large_list`.
    Int64(&'a [i64]),
}

impl<'a> Offsets<'a> {
    /// The entries from `start` up to and including `end`, or `None` if these are out of range.
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

    /// Number of strokes, or of other lists that the entries delimit.
    pub(crate) fn count(self) -> usize {
        match self {
            Offsets::Int32(values) => values.len().saturating_sub(1),
            Offsets::Int64(values) => values.len().saturating_sub(1),
        }
    }
}

/// One row: strokes of points. There is at least one point, every coordinate is finite, and so is the span of each
/// axis.
#[derive(Clone, Copy, Debug)]
pub struct Strokes<'a> {
    offsets: Offsets<'a>,
    first_point: usize,
    x: Coordinates<'a>,
    y: Coordinates<'a>,
    x_extent: Extent,
    y_extent: Extent,
}

impl<'a> Strokes<'a> {
    /// Checks a row whose stroke `i` is the points `offsets[i]` up to `offsets[i + 1]` of `x` and `y`.
    ///
    /// The coordinates may be longer than the row. Only the points within the offsets are read.
    ///
    /// # Errors
    /// [`RowError::BrokenOffsets`], [`RowError::NoPoints`], [`RowError::TooManyStrokes`], [`RowError::TooManyPoints`],
    /// [`RowError::NotFinite`] or [`RowError::SpanOverflow`].
    pub fn new(offsets: Offsets<'a>, x: Coordinates<'a>, y: Coordinates<'a>) -> Result<Self, RowError> {
        Self::with_base(offsets, 0, x, y)
    }

    /// The same as [`Strokes::new`] for coordinates whose first point has the index `base` in the offsets.
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
        let extent_of = |axis, values: Coordinates| {
            let extent = values.extent().ok_or_else(|| not_finite(offsets, first_point, axis, values))?;
            if extent.span().is_finite() { Ok(extent) } else { Err(RowError::SpanOverflow { axis }) }
        };
        let x_extent = extent_of(Axis::X, x)?;
        let y_extent = extent_of(Axis::Y, y)?;
        Ok(Strokes { offsets, first_point, x, y, x_extent, y_extent })
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
    pub fn x_extent(&self) -> Extent {
        self.x_extent
    }

    /// Smallest and largest y.
    pub fn y_extent(&self) -> Extent {
        self.y_extent
    }

    /// The stroke of a point of the row, and the point's index within it.
    pub(crate) fn locate(&self, point: usize) -> (usize, usize) {
        locate(self.offsets, self.first_point + point)
    }

    /// For each stroke, the range of its points within [`Strokes::x`] and [`Strokes::y`]; it may be empty.
    pub fn point_ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut end = 0;
        (1..=self.offsets.count()).map(move |next| {
            let start = end;
            // Another thread may write to the offsets after they were checked.
            let point = self.offsets.get(next).unwrap_or(0).saturating_sub(self.first_point);
            end = point.min(self.x.len()).max(start);
            start..end
        })
    }
}

/// First point and end of a row. Makes sure that the offsets do not decrease.
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

/// The stroke that a point belongs to, and the point's index within it.
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
    fn extents_and_strokes_of_a_slice() {
        let strokes = row(&[1, 3, 3, 4], &[9.0, 1.0, 2.0, -3.0], &[9.0, 0.0, 4.0, 5.0]).unwrap();
        assert_eq!(strokes.x_extent(), Extent { low: -3.0, high: 2.0 });
        assert_eq!(strokes.y_extent(), Extent { low: 0.0, high: 5.0 });
        assert_eq!(strokes.point_ranges().collect::<Vec<_>>(), [0..2, 2..2, 2..3]);
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
        let most = vec![0.0; MAX_POINTS + 1];
        let point_count = |points: usize| {
            let values = Coordinates::Float32(&most[..points]);
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
