//! Rows whose picture says more about a few far points, or about a gap, than about the writing.

use std::fmt;

use crate::coordinates::{Coordinates, Extent};
use crate::rows::Rows;
use crate::strokes::Strokes;
use crate::threads::Threads;

/// A row must be drawn at least this much larger without its far points or its gap. A dot beside a single letter makes
/// less of a difference.
const MIN_GROWTH: f64 = 1.5;

/// One point in so many may be far; of fewer points one.
const POINTS_FOR_EACH_FAR: usize = 25;

/// A row must be at least so many times as high as without its far points, where they leave its size alone. Of 31,000
/// words that people or generators wrote, one is 2.5 times as high.
const MIN_TALLNESS: f64 = 3.0;

/// Parts of a row are apart if more than this share of its height is between them. Two lines of writing are nearer.
const MIN_GAP: f64 = 0.5;

/// A gap is looked for in rows that are at most this many times as wide as high.
const MAX_WIDTH_OF_APART: f64 = 3.0;

/// A few far points hide the writing if the rest would be drawn this much larger. A letter d whose stem has a point at
/// each end would be drawn twice as large without it.
const MIN_HIDING_GROWTH: f64 = 2.5;

/// What is far above or below hides the writing if the row is this many times as high as without it. A dot high above a
/// line, or above a single i, is nearer.
const MIN_HIDING_TALLNESS: f64 = 6.0;

/// Growth is not said more exactly beyond this.
const MAX_GROWTH: f64 = 1000.0;

/// What is far in a row, so that its picture does not show the writing.
///
/// The text is `far points: DETAIL`. Strokes are counted from 0 over all words of the row, points from 0 within their
/// stroke.
#[derive(Clone, Debug, PartialEq)]
pub struct FarPoints {
    /// What is far from the rest.
    pub far: Far,
    /// Number of all points of the row.
    pub points: usize,
    /// Stroke of the first far point.
    pub stroke: usize,
    /// The first far point within its stroke.
    pub point: usize,
    /// How many times as large the rest would be drawn without what is far; for [`Far::Tall`], how many times as high
    /// the row is as without. Infinite if all of the rest is at one point.
    pub growth: f64,
    /// Whether the row has enough points to be writing, and its picture does not show it. Of a few points, a far one may
    /// be as good as the rest.
    pub hides_writing: bool,
}

/// What is far from the rest of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// So many points set the size of the row.
    Few(usize, Sides),
    /// So many points make the row much higher.
    Tall(usize, Sides),
    /// All that comes after the first far point, up to a way back: the parts are on two sides of a gap.
    Part(Sides),
}

/// The sides of the rest that far points lie on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Smaller x.
    pub left: bool,
    /// Larger x.
    pub right: bool,
    /// Smaller y.
    pub above: bool,
    /// Larger y.
    pub below: bool,
}

/// Rows that are looked at together. A row takes a microsecond or two.
const CHUNK: usize = 256;

/// The rows that have far points, in order. Bad rows are left out.
pub fn far_points(rows: &dyn Rows, threads: &Threads) -> Vec<(usize, FarPoints)> {
    let of_row = |row| Some((row, FarPoints::of(&rows.row(row).ok()?)?));
    let chunks = (0..rows.len()).step_by(CHUNK).map(|start| start..(start + CHUNK).min(rows.len())).collect();
    let work = |(): &mut (), chunk: std::ops::Range<usize>| chunk.filter_map(of_row).collect::<Vec<_>>();
    threads.map(chunks, || (), work).into_iter().flatten().collect()
}

impl FarPoints {
    /// The far points of a row, if there are some.
    pub fn of(strokes: &Strokes) -> Option<Self> {
        let extents = [strokes.x_extent(), strokes.y_extent()];
        if longer(extents) <= 0.0 {
            return None;
        }
        // What hides the writing comes first, so that a further point cannot take its place.
        let mut first = None;
        for find in [few_far, part_far, tall] {
            match find(strokes, extents) {
                Some(found) if found.hides_writing => return Some(found),
                found => first = first.or(found),
            }
        }
        first
    }
}

fn longer(extents: [Extent; 2]) -> f64 {
    extents[0].span().max(extents[1].span())
}

/// How many points of so many may be far.
fn few(points: usize) -> usize {
    (points / POINTS_FOR_EACH_FAR).max(1)
}

/// A few points, without which the rest would be drawn larger.
fn few_far(strokes: &Strokes, extents: [Extent; 2]) -> Option<FarPoints> {
    let values = [strokes.x(), strokes.y()];
    let size = longer(extents);
    // A shorter axis does not set the size.
    let ends = [0, 1].map(|axis| {
        let is_long = extents[axis].span() * MIN_GROWTH >= size;
        is_long.then(|| Ends::of(values[axis], extents[axis], 1.0 - 1.0 / MIN_GROWTH)).flatten()
    });
    if ends == [None, None] {
        return None;
    }
    let [x, y] = ends.map(Option::unwrap_or_default);
    let rest = Rest::of(strokes, |at| !(x.has(at[0]) || y.has(at[1])))?;
    let growth = size / longer(rest.extents);
    let sides = Sides { left: x.is_low_far, right: x.is_high_far, above: y.is_low_far, below: y.is_high_far };
    let is_far = rest.far <= few(values[0].len()) && growth >= MIN_GROWTH;
    is_far.then(|| rest.found(strokes, Far::Few(rest.far, sides), growth, growth >= MIN_HIDING_GROWTH))
}

/// A part of a row, far above or below the other.
fn part_far(strokes: &Strokes, extents: [Extent; 2]) -> Option<FarPoints> {
    let [x, y] = extents;
    let points = strokes.y().len();
    if points < POINTS_FOR_EACH_FAR || y.span() * MAX_WIDTH_OF_APART < x.span() {
        return None;
    }
    let gap = widest_gap(strokes.y(), y);
    if gap.span() <= MIN_GAP * y.span() {
        return None;
    }
    let middle = gap.low + gap.span() / 2.0;
    let begins_above = strokes.y().get(0)? < middle;
    // A zigzag goes through the gap again and again.
    let is_above = |index: usize| strokes.y().get(index).is_some_and(|value| value < middle);
    if (1..points).filter(|&index| is_above(index) != is_above(index - 1)).count() > few(points) {
        return None;
    }
    // A few points beside both parts must not hide the gap.
    let beside = Ends::of(strokes.x(), x, 1.0 - 1.0 / MIN_GROWTH).unwrap_or_default();
    let part =
        |is_first: bool| Rest::of(strokes, |at| !beside.has(at[0]) && ((at[1] < middle) == begins_above) == is_first);
    let [first, second] = [part(true)?.extents[0], part(false)?.extents[0]];
    if first.low > first.high || second.low > second.high {
        return None; // A part has no points but those beside.
    }
    let width = first.high.max(second.high) - first.low.min(second.low);
    let growth = width.max(y.span()) / (width - apart(first, second)).max(y.span() - gap.span());
    let (stroke, point) = strokes.locate((0..points).find(|&index| is_above(index) != begins_above)?);
    let sides = Sides { above: !begins_above, below: begins_above, ..Sides::default() };
    let hides_writing = y.span() >= MIN_HIDING_TALLNESS * (y.span() - gap.span());
    let far = Far::Part(sides);
    (growth >= MIN_GROWTH).then_some(FarPoints { far, points, stroke, point, growth, hides_writing })
}

/// A few points far above or below the rest, which is wide enough to set the size of the row all the same.
fn tall(strokes: &Strokes, [_, y]: [Extent; 2]) -> Option<FarPoints> {
    let values = strokes.y();
    if values.len() < POINTS_FOR_EACH_FAR || y.span() <= 0.0 {
        return None;
    }
    let ends = Ends::of(values, y, 1.0 - 1.0 / MIN_TALLNESS)?;
    let rest = Rest::of(strokes, |at| !ends.has(at[1]))?;
    let growth = y.span() / rest.extents[1].span();
    let sides = Sides { above: ends.is_low_far, below: ends.is_high_far, ..Sides::default() };
    // The ends of the smallest numbers are rounded.
    let is_tall = growth >= MIN_TALLNESS;
    is_tall.then(|| rest.found(strokes, Far::Tall(rest.far, sides), growth, growth >= MIN_HIDING_TALLNESS))
}

/// The ends of an axis that a few points are in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ends {
    low: f64,
    high: f64,
    is_low_far: bool,
    is_high_far: bool,
}

impl Ends {
    /// The ends are `share` of the axis each. `None` if there are points in neither, or too many.
    fn of(values: Coordinates, extent: Extent, share: f64) -> Option<Self> {
        let end = extent.span() * share;
        let inner = Extent { low: extent.low + end, high: extent.high - end };
        let (before, after) = values.count_outside(inner);
        let is_few = |count: usize| (1..=few(values.len())).contains(&count) && count < values.len();
        let (is_low_far, is_high_far) = (is_few(before), is_few(after));
        // Without those at one end, the others would still set the size.
        let is_far = if is_low_far && is_high_far { is_few(before + after) } else { is_low_far || is_high_far };
        is_far.then_some(Ends { low: inner.low, high: inner.high, is_low_far, is_high_far })
    }

    fn has(self, value: f64) -> bool {
        (self.is_low_far && value < self.low) || (self.is_high_far && value > self.high)
    }
}

/// What is left of a row without its far points.
struct Rest {
    extents: [Extent; 2],
    /// Number of far points.
    far: usize,
    /// The first far point.
    first: usize,
}

impl Rest {
    /// `None` if no point is far.
    fn of(strokes: &Strokes, is_near: impl Fn([f64; 2]) -> bool) -> Option<Self> {
        let (mut first, mut far) = (None, 0);
        let mut extents = [Extent { low: f64::INFINITY, high: f64::NEG_INFINITY }; 2];
        for index in 0..strokes.x().len() {
            let at = [strokes.x().get(index)?, strokes.y().get(index)?];
            if !is_near(at) {
                first = first.or(Some(index));
                far += 1;
                continue;
            }
            for (extent, value) in extents.iter_mut().zip(at) {
                *extent = Extent { low: extent.low.min(value), high: extent.high.max(value) };
            }
        }
        Some(Rest { extents, far, first: first? })
    }

    fn found(&self, strokes: &Strokes, far: Far, growth: f64, hides: bool) -> FarPoints {
        let (stroke, point) = strokes.locate(self.first);
        let points = strokes.x().len();
        FarPoints { far, points, stroke, point, growth, hides_writing: hides && points >= POINTS_FOR_EACH_FAR }
    }
}

/// The widest gap between neighbouring values, if it is wider than two in [`BINS`] of all; a gap of no width if not.
fn widest_gap(values: Coordinates, extent: Extent) -> Extent {
    const BINS: usize = 64;
    let mut bins = [Extent { low: f64::INFINITY, high: f64::NEG_INFINITY }; BINS];
    for value in (0..values.len()).filter_map(|index| values.get(index)) {
        let place = (value - extent.low) / extent.span() * BINS as f64;
        let bin = &mut bins[(place as usize).min(BINS - 1)];
        *bin = Extent { low: bin.low.min(value), high: bin.high.max(value) };
    }
    let mut widest = Extent { low: extent.low, high: extent.low };
    let mut before = extent.low;
    for bin in bins.iter().filter(|bin| bin.low <= bin.high) {
        let gap = Extent { low: before, high: bin.low };
        widest = if gap.span() > widest.span() { gap } else { widest };
        before = bin.high;
    }
    widest
}

/// How far two extents are apart; 0 if they meet.
fn apart(one: Extent, other: Extent) -> f64 {
    (one.low - other.high).max(other.low - one.high).max(0.0)
}

impl fmt::Display for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let down = match (self.above, self.below) {
            (true, true) => "above and below",
            (true, false) => "above",
            (false, true) => "below",
            (false, false) => "",
        };
        let across = match (self.left, self.right) {
            (true, true) => "to the left and right of",
            (true, false) => "to the left of",
            (false, true) => "to the right of",
            (false, false) => "",
        };
        let both = if down.is_empty() || across.is_empty() { "" } else { " and " };
        write!(f, "{down}{both}{across}")
    }
}

impl fmt::Display for FarPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FarPoints { far, points, stroke, point, growth, .. } = self;
        let growth = if *growth > MAX_GROWTH { format!("more than {MAX_GROWTH}") } else { format!("{growth:.1}") };
        let first = format_args!("from stroke {stroke}, point {point} on");
        let of = |count: usize| if count == 1 { ("is", "it") } else { ("are", "them") };
        match far {
            Far::Few(count, sides) => {
                let (verb, them) = of(*count);
                write!(f, "far points: {count} of {points} points {verb} far {sides} the rest, {first}; ")?;
                write!(f, "without {them} the row would be drawn {growth} times as large")
            }
            Far::Tall(count, sides) => {
                let (verb, them) = of(*count);
                write!(f, "far points: {count} of {points} points {verb} far {sides} the rest, {first}; ")?;
                write!(f, "with {them} the row is {growth} times as high as without")
            }
            Far::Part(sides) => {
                write!(f, "far points: {first}, a part of the row is far {sides} the rest; ")?;
                write!(f, "moved together the row would be drawn {growth} times as large")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strokes::Offsets;

    const NO_SIDE: Sides = Sides { left: false, right: false, above: false, below: false };
    const LEFT: Sides = Sides { left: true, ..NO_SIDE };
    const RIGHT: Sides = Sides { right: true, ..NO_SIDE };
    const ABOVE: Sides = Sides { above: true, ..NO_SIDE };
    const BELOW: Sides = Sides { below: true, ..NO_SIDE };

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
        assert_eq!((found.far, found.points, found.stroke, found.point), (Far::Few(1, LEFT), 101, 0, 0));
        assert!(found.hides_writing);
        assert!((found.growth - 299.0 / 99.0).abs() < 1e-12);
        assert_eq!(
            found.to_string(),
            "far points: 1 of 101 points is far to the left of the rest, from stroke 0, point 0 on; without it the row \
             would be drawn 3.0 times as large"
        );
    }

    #[test]
    fn a_spike_is_found_on_every_side() {
        for (sides, across, down) in [
            (LEFT, -900.0, 0.0),
            (RIGHT, 900.0, 0.0),
            (ABOVE, 0.0, -900.0),
            (BELOW, 0.0, 900.0),
            (Sides { above: true, ..LEFT }, -900.0, -900.0),
            (Sides { below: true, ..RIGHT }, 900.0, 700.0),
        ] {
            let (mut x, mut y) = wave(100);
            x[41] += across;
            y[41] += down;
            y[42] += down;
            x[42] += across;
            let found = found_in(&x, &y, &[0, 40, 100]).unwrap();
            assert_eq!((found.far, found.stroke, found.point), (Far::Few(2, sides), 1, 1));
        }
    }

    #[test]
    fn far_points_at_both_ends_are_found_together() {
        let (mut x, mut y) = wave(100);
        (x[0], x[99]) = (-400.0, 500.0);
        let found = found_in(&x, &y, &[0, 40, 100]).unwrap();
        let across = Sides { right: true, ..LEFT };
        assert_eq!((found.far, found.stroke, found.point), (Far::Few(2, across), 0, 0));
        assert!((found.growth - 900.0 / 97.0).abs() < 1e-12);
        assert!(found.to_string().contains("2 of 100 points are far to the left and right of the rest"));
        std::mem::swap(&mut x, &mut y);
        let down = Sides { below: true, ..ABOVE };
        assert_eq!(found_in(&x, &y, &[0, 100]).unwrap().far, Far::Few(2, down));
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
        assert_eq!(found_in(&x, &y, &[0, 100]).unwrap().far, Far::Few(3, RIGHT));
    }

    #[test]
    fn far_points_in_several_directions_are_found_together() {
        let (mut x, mut y) = wave(100);
        (x[10], y[10]) = (-900.0, -600.0);
        (x[30], y[30]) = (-800.0, 500.0);
        let found = found_in(&x, &y, &[0, 20, 100]).unwrap();
        let sides = Sides { left: true, above: true, below: true, right: false };
        assert_eq!((found.far, found.stroke, found.point), (Far::Few(2, sides), 0, 10));
        assert!((found.growth - 1100.0 / 99.0).abs() < 1e-12);
        assert!(found.to_string().contains("2 of 100 points are far above and below and to the left of the rest"));
        (x[50], x[70]) = (-700.0, -750.0);
        assert!(found_in(&x, &y, &[0, 100]).is_some());
        x[90] = -740.0;
        assert_eq!(found_in(&x, &y, &[0, 100]), None, "of 100 points four may be far");
    }

    #[test]
    fn a_point_far_above_a_wide_row_makes_it_tall() {
        let (mut x, mut y) = wave(100);
        (x[50], y[50]) = (50.0, -40.0);
        let found = found_in(&x, &y, &[0, 100]).unwrap();
        assert_eq!((found.far, found.point), (Far::Tall(1, ABOVE), 50));
        assert!((found.growth - 52.0 / 12.0).abs() < 1e-12);
        assert_eq!(
            found.to_string(),
            "far points: 1 of 100 points is far above the rest, from stroke 0, point 50 on; with it the row is 4.3 \
             times as high as without"
        );
        assert!(!found.hides_writing, "a line with a dot high above it is as large as without");
        y[50] = -70.0;
        assert!(found_in(&x, &y, &[0, 100]).unwrap().hides_writing);
        y[50] = 25.0;
        assert_eq!(found_in(&x, &y, &[0, 100]), None, "a dot nearby");
        assert_eq!(found_in(&x[..24], &[-40.0, 1.0].repeat(12), &[0, 24]), None);
    }

    #[test]
    fn a_part_far_above_the_other_is_found() {
        for (across, down, growth) in [(0.0, 200.0, 2.1), (200.0, 200.0, 3.0), (0.0, -200.0, 2.1), (0.0, 90.0, 1.0)] {
            let (mut x, mut y) = wave(100);
            x[60..].iter_mut().for_each(|value| *value += across);
            y[60..].iter_mut().for_each(|value| *value += down);
            let found = found_in(&x, &y, &[0, 40, 100]);
            assert_eq!(found.is_some(), growth > 1.5);
            if let Some(found) = found {
                let sides = if down > 0.0 { BELOW } else { ABOVE };
                assert_eq!((found.far, found.stroke, found.point), (Far::Part(sides), 1, 20));
                assert!((found.growth - growth).abs() < 0.1, "{found:?}");
                let text = found.to_string();
                assert!(
                    text.starts_with("far points: from stroke 1, point 20 on, a part of the row is far "),
                    "{text}"
                );
                assert!(text.contains(" the rest; moved together the row would be drawn "), "{text}");
            }
        }
        // An i whose dot is high: noted, and seen.
        let mut i_with_dot: Vec<f64> = (0..40).map(f64::from).collect();
        i_with_dot.extend([-55.0; 4]);
        let found = found_in(&[0.0; 44], &i_with_dot, &[0, 40, 44]).unwrap();
        assert!(matches!(found.far, Far::Part(_)) && !found.hides_writing);
        // A further point to the left does not show what was hidden.
        let (mut x, mut y) = wave(100);
        y[60..].iter_mut().for_each(|value| *value += 200.0);
        assert!(found_in(&x, &y, &[0, 100]).unwrap().hides_writing);
        (x[0], y[0]) = (-250.0, 0.0);
        assert!(found_in(&x, &y, &[0, 100]).unwrap().hides_writing);
        let two_lines: Vec<f64> = (0..100).map(|point| f64::from(point / 50 * 25 + point % 13)).collect();
        assert_eq!(found_in(&wave(100).0, &two_lines, &[0, 100]), None);
    }

    #[test]
    fn few_points_may_be_as_good_as_the_rest() {
        let found = found_in(&[0.0, 1.0, 2.0, 90.0], &[0.0, 1.0, 0.0, 0.0], &[0, 4]).unwrap();
        assert!(!found.hides_writing);
        // A letter d: a round bowl, and a stem of two points.
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = (0..40).map(|point| (f64::from(point) / 6.0).sin_cos()).unzip();
        x.extend([1.0, 1.0]);
        y.extend([-3.0, 1.0]);
        let found = found_in(&x, &y, &[0, 40, 42]).unwrap();
        assert_eq!(found.far, Far::Few(1, ABOVE));
        assert!(!found.hides_writing);
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
