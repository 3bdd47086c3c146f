//! Rows whose size on the canvas is set by a few points far from the rest.

use std::fmt;
use std::ops::Range;

use crate::coordinates::{Coordinates, Extent};
use crate::rows::Rows;
use crate::strokes::Strokes;
use crate::threads::Threads;

/// The rest of a row must be drawn at least this much larger without its far points. A dot beside a single letter
/// makes less of a difference.
const MIN_GROWTH: f64 = 1.5;

/// One point in so many may be far; of fewer points one.
const POINTS_FOR_EACH_FAR: usize = 25;

/// Growth is not said more exactly beyond this.
const MAX_GROWTH: f64 = 1000.0;

/// A few points at one end of a row or both, without which the rest would be drawn larger.
///
/// The text is `far points: DETAIL`. Strokes are counted from 0 over all words of the row, points from 0 within their
/// stroke.
#[derive(Clone, Debug, PartialEq)]
pub struct FarPoints {
    /// Number of far points.
    pub far: usize,
    /// Number of all points of the row.
    pub points: usize,
    /// Where the far points lie.
    pub side: Side,
    /// Stroke of the first far point.
    pub stroke: usize,
    /// The first far point within its stroke.
    pub point: usize,
    /// How many times as large the rest would be drawn without them; infinite if all of it is at one point.
    pub growth: f64,
}

/// Rows that are looked at together. A row takes a microsecond or two.
const CHUNK: usize = 256;

/// The rows that have far points, in order. Bad rows are left out.
pub fn far_points(rows: &dyn Rows, threads: &Threads) -> Vec<(usize, FarPoints)> {
    let of_row = |row| Some((row, FarPoints::of(&rows.row(row).ok()?)?));
    let chunks = (0..rows.len()).step_by(CHUNK).map(|start| start..(start + CHUNK).min(rows.len())).collect();
    let work = |(): &mut (), chunk: Range<usize>| chunk.filter_map(of_row).collect::<Vec<_>>();
    threads.map(chunks, || (), work).into_iter().flatten().collect()
}

/// The side of the rest that far points lie on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Smaller x.
    Left,
    /// Larger x.
    Right,
    /// Smaller y.
    Above,
    /// Larger y.
    Below,
    /// Both ends in x.
    LeftAndRight,
    /// Both ends in y.
    AboveAndBelow,
}

impl FarPoints {
    /// The far points of a row, if a few set its size.
    pub fn of(strokes: &Strokes) -> Option<Self> {
        let (x, y) = (strokes.x_extent(), strokes.y_extent());
        let is_wide = x.span() >= y.span();
        let (values, extent, across) = if is_wide { (strokes.x(), x, y.span()) } else { (strokes.y(), y, x.span()) };
        if extent.span() <= 0.0 || across * MIN_GROWTH > extent.span() {
            return None;
        }
        let inner = inner_extent(extent);
        let (before, after) = values.count_outside(inner);
        let few = (values.len() / POINTS_FOR_EACH_FAR).max(1);
        let is_few = |count: usize| (1..=few).contains(&count) && count < values.len();
        let [low, high, both] = if is_wide {
            [Side::Left, Side::Right, Side::LeftAndRight]
        } else {
            [Side::Above, Side::Below, Side::AboveAndBelow]
        };
        let (far, side, kept) = match (is_few(before), is_few(after)) {
            (true, false) => (before, low, Extent { low: inner.low, ..extent }),
            (false, true) => (after, high, Extent { high: inner.high, ..extent }),
            // Without those at one end, the others would still set the size.
            (true, true) if before + after <= few => (before + after, both, inner),
            _ => return None,
        };
        let (first, rest) = split(values, kept)?;
        let growth = extent.span() / rest.span().max(across);
        let (stroke, point) = strokes.locate(first);
        (growth >= MIN_GROWTH).then_some(FarPoints { far, points: values.len(), side, stroke, point, growth })
    }
}

/// The part of an extent that is left without a far end on either side.
fn inner_extent(extent: Extent) -> Extent {
    let end = extent.span() * (1.0 - 1.0 / MIN_GROWTH);
    Extent { low: extent.low + end, high: extent.high - end }
}

/// The index of the first value outside of an extent, and the extent of the values inside.
fn split(values: Coordinates, kept: Extent) -> Option<(usize, Extent)> {
    let (mut first, mut rest) = (None, Extent { low: f64::INFINITY, high: f64::NEG_INFINITY });
    for index in 0..values.len() {
        let value = values.get(index)?;
        if value < kept.low || value > kept.high {
            first = first.or(Some(index));
        } else {
            rest = Extent { low: rest.low.min(value), high: rest.high.max(value) };
        }
    }
    Some((first?, rest))
}

impl fmt::Display for FarPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FarPoints { far, points, side, stroke, point, growth } = self;
        let (verb, them) = if *far == 1 { ("is", "it") } else { ("are", "them") };
        let side = match side {
            Side::Left => "to the left of",
            Side::Right => "to the right of",
            Side::Above => "above",
            Side::Below => "below",
            Side::LeftAndRight => "to the left and right of",
            Side::AboveAndBelow => "above and below",
        };
        let growth = if *growth > MAX_GROWTH { format!("more than {MAX_GROWTH}") } else { format!("{growth:.1}") };
        write!(
            f,
            "far points: {far} of {points} points {verb} far {side} the rest, from stroke {stroke}, point {point} on; \
             without {them} the row would be drawn {growth} times as large"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strokes::Offsets;

    fn found_in(x: &[f64], y: &[f64], offsets: &[i32]) -> Option<FarPoints> {
        FarPoints::of(&Strokes::new(Offsets::Int32(offsets), x.into(), y.into()).unwrap())
    }

    fn wave(points: usize) -> (Vec<f64>, Vec<f64>) {
        (0..points).map(|point| (point as f64, ((point * 7) % 13) as f64)).unzip()
    }

    #[test]
    fn a_line_has_none() {
        let (x, y) = wave(100);
        assert_eq!(found_in(&x, &y, &[0, 100]), None);
        assert_eq!(found_in(&y, &x, &[0, 100]), None);
        assert_eq!(found_in(&[0.0, 5.0], &[0.0, 0.0], &[0, 2]), None, "two points are the whole row");
        assert_eq!(found_in(&[5.0], &[5.0], &[0, 1]), None);
        assert_eq!(found_in(&[5.0; 3], &[5.0; 3], &[0, 3]), None);
    }

    #[test]
    fn a_lone_first_point_is_far() {
        let (mut x, mut y) = wave(100);
        x.insert(0, -200.0);
        y.insert(0, 3.0);
        let found = found_in(&x, &y, &[0, 1, 101]).unwrap();
        assert_eq!((found.far, found.points, found.side, found.stroke, found.point), (1, 101, Side::Left, 0, 0));
        assert!((found.growth - 299.0 / 99.0).abs() < 1e-12);
        assert_eq!(
            found.to_string(),
            "far points: 1 of 101 points is far to the left of the rest, from stroke 0, point 0 on; without it the row \
             would be drawn 3.0 times as large"
        );
    }

    #[test]
    fn a_spike_is_found_on_every_side() {
        for (side, across, down) in [
            (Side::Left, -900.0, 0.0),
            (Side::Right, 900.0, 0.0),
            (Side::Above, 0.0, -900.0),
            (Side::Below, 0.0, 900.0),
        ] {
            let (mut x, mut y) = wave(100);
            x[41] += across;
            y[41] += down;
            y[42] += down;
            x[42] += across;
            let found = found_in(&x, &y, &[0, 40, 100]).unwrap();
            assert_eq!((found.far, found.side, found.stroke, found.point), (2, side, 1, 1));
        }
    }

    #[test]
    fn far_points_at_both_ends_are_found_together() {
        let (mut x, mut y) = wave(100);
        (x[0], x[99]) = (-400.0, 500.0);
        let found = found_in(&x, &y, &[0, 40, 100]).unwrap();
        assert_eq!((found.far, found.side, found.stroke, found.point), (2, Side::LeftAndRight, 0, 0));
        assert!((found.growth - 900.0 / 97.0).abs() < 1e-12);
        assert!(found.to_string().contains("2 of 100 points are far to the left and right of the rest"));
        std::mem::swap(&mut x, &mut y);
        assert_eq!(found_in(&x, &y, &[0, 100]).unwrap().side, Side::AboveAndBelow);
        // Of 100 points four may be far, at both ends together.
        (y[1], y[98], y[97]) = (-390.0, 490.0, 480.0);
        assert_eq!(found_in(&x, &y, &[0, 100]), None);
        assert_eq!(found_in(&[0.0, 5.0, 10.0], &[0.0, 1.0, 0.0], &[0, 3]), None, "a short stroke");
    }

    #[test]
    fn growth_without_end_is_not_said_in_digits() {
        for x in [[1.0, 1.0, 9.0], [1e300, 1.0, 2.0]] {
            let found = found_in(&x, &[1.0; 3], &[0, 3]).unwrap();
            assert!(found.to_string().ends_with("without it the row would be drawn more than 1000 times as large"));
        }
    }

    #[test]
    fn many_points_are_not_far() {
        let (mut x, y) = wave(100);
        x[95..].iter_mut().for_each(|value| *value += 1000.0);
        assert_eq!(found_in(&x, &y, &[0, 100]), None);
        let mut x = wave(100).0;
        x[97..].iter_mut().for_each(|value| *value += 1000.0);
        assert_eq!(found_in(&x, &y, &[0, 100]).unwrap().far, 3);
    }

    #[test]
    fn rows_are_found_by_their_index() {
        let mut rows = crate::rows::OwnedRows::default();
        for row in 0..1000 {
            let (x, y) = wave(60);
            x.iter()
                .zip(&y)
                .for_each(|(&x, &y)| rows.push_point(if row % 300 == 7 && x == 0.0 { -99.0 } else { x }, y));
            rows.end_stroke();
            rows.end_row(if row == 307 { Err(crate::row_error::RowError::NullRow) } else { Ok(()) });
        }
        for threads in [1, 2] {
            let found = far_points(&rows, &Threads::new(threads).unwrap());
            assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [7, 607, 907]);
        }
    }

    #[test]
    fn a_small_distance_is_not_far() {
        let (mut x, y) = wave(100);
        x[99] += 40.0;
        assert_eq!(found_in(&x, &y, &[0, 100]), None);
        x[99] += 20.0;
        assert!(found_in(&x, &y, &[0, 100]).is_some());
    }
}
