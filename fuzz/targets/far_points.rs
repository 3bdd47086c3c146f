//! Far points: what is found holds, and mirrors and turns with the row.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::far_points::{Far, FarPoints, Sides, far_points};
use penpal_core::{OwnedRows, RowError, Rows, Threads};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;
use penpal_fuzz::numbers::hash;
use penpal_fuzz::reference::Stroke;

/// The least growth that is told, and the least height; and how many points may be far: one in so many, of fewer points
/// one.
const MIN_GROWTH: f64 = 1.5;
const MIN_TALLNESS: f64 = 3.0;
const POINTS_FOR_EACH_FAR: usize = 25;

/// For one row in this many, several rows are looked at on threads.
const ON_THREADS: u64 = 512;

fuzz_target!(|data: &[u8]| {
    let ink = read(&mut Unstructured::new(data)).expect("inputs never run out of numbers");
    let Ok(row) = ink.plain() else { return };
    let strokes = ink.strokes().expect("a plain row is a row");
    let found = FarPoints::of(&strokes);
    if let Some(found) = &found {
        check_found(found, &row);
    }
    let mirrored = changed(&row, |&[x, y]| [-x, -y]);
    let expected = found.clone().map(|found| FarPoints { far: with_sides(found.far, mirrored_sides), ..found });
    check!(of_plain(&mirrored) == expected, "{expected:?} was expected of {mirrored:?}");
    let turned = changed(&row, |&[x, y]| [y, x]);
    // Only y has a say in whether a row is tall, or in two parts, which may come before a few points.
    let is_turned = |found: &Option<FarPoints>| found.as_ref().is_none_or(|found| matches!(found.far, Far::Few(..)));
    let again = of_plain(&turned);
    if is_turned(&found) && is_turned(&again) {
        let expected = found.clone().map(|found| FarPoints { far: with_sides(found.far, turned_sides), ..found });
        check!(again == expected, "{expected:?} was expected of {turned:?}");
    }
    if hash(data).is_multiple_of(ON_THREADS) {
        on_threads(&row, found);
    }
});

/// The first byte is not used, so that inputs are those of the target `raster`.
fn read(input: &mut Unstructured) -> arbitrary::Result<Ink> {
    input.arbitrary::<u8>()?;
    Ink::hostile(input)
}

fn changed(row: &[Stroke], change: impl Fn(&[f64; 2]) -> [f64; 2]) -> Vec<Stroke> {
    row.iter().map(|stroke| stroke.iter().map(&change).collect()).collect()
}

fn with_sides(far: Far, change: impl Fn(Sides) -> Sides) -> Far {
    match far {
        Far::Few(count, sides) => Far::Few(count, change(sides)),
        Far::Tall(count, sides) => Far::Tall(count, change(sides)),
        Far::Part(sides) => Far::Part(change(sides)),
    }
}

fn mirrored_sides(sides: Sides) -> Sides {
    Sides { left: sides.right, right: sides.left, above: sides.below, below: sides.above }
}

fn turned_sides(sides: Sides) -> Sides {
    Sides { left: sides.above, right: sides.below, above: sides.left, below: sides.right }
}

fn check_found(found: &FarPoints, row: &[Stroke]) {
    let points: Vec<[f64; 2]> = row.iter().flatten().copied().collect();
    check!(found.points == points.len(), "{found:?} of {} points", points.len());
    let text = found.to_string();
    check!(text.starts_with("far points: ") && text.len() < 600, "{text}");
    let before: usize = row[..found.stroke].iter().map(Vec::len).sum();
    let first = before + found.point;
    let (count, sides, least) = match found.far {
        Far::Few(count, sides) => (count, sides, MIN_GROWTH),
        Far::Tall(count, sides) => (count, sides, MIN_TALLNESS),
        Far::Part(_) => {
            check!(found.growth >= MIN_GROWTH && first > 0 && found.points >= POINTS_FOR_EACH_FAR, "{found:?}");
            return;
        }
    };
    let most = (points.len() / POINTS_FOR_EACH_FAR).max(1);
    check!((1..=most).contains(&count) && count < points.len(), "{found:?}");
    check!(found.growth >= least, "{found:?}");
    let ends = [0, 1].map(|axis| {
        let low = points.iter().map(|point| point[axis]).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(|point| point[axis]).fold(f64::NEG_INFINITY, f64::max);
        let end = (high - low) * (1.0 - 1.0 / least);
        (low + end, high - end)
    });
    let is_far = |&[x, y]: &[f64; 2]| {
        (sides.left && x < ends[0].0)
            || (sides.right && x > ends[0].1)
            || (sides.above && y < ends[1].0)
            || (sides.below && y > ends[1].1)
    };
    let apart = points.iter().filter(|point| is_far(point)).count();
    check!(apart == count, "{found:?}: {apart} points are apart");
    check!(points.iter().position(is_far) == Some(first), "{found:?} is not the first");
}

fn owned(row: &[Stroke], rows: &mut OwnedRows) {
    for stroke in row {
        stroke.iter().for_each(|&[x, y]| rows.push_point(x, y));
        rows.end_stroke();
    }
}

fn of_plain(row: &[Stroke]) -> Option<FarPoints> {
    let mut rows = OwnedRows::default();
    owned(row, &mut rows);
    rows.end_row(Ok(()));
    FarPoints::of(&rows.row(0).expect("as the row that it was made from"))
}

fn on_threads(row: &[Stroke], found: Option<FarPoints>) {
    const ROWS: usize = 600;
    let mut rows = OwnedRows::default();
    for index in 0..ROWS {
        owned(row, &mut rows);
        rows.end_row(if index % 7 == 1 { Err(RowError::NullRow) } else { Ok(()) });
    }
    let expected: Vec<(usize, FarPoints)> =
        (0..ROWS).filter(|index| index % 7 != 1).filter_map(|index| Some((index, found.clone()?))).collect();
    for count in [1, 3] {
        let again = far_points(&rows, &Threads::new(count).expect("threads can be started"));
        check!(again == expected, "{count} threads");
    }
}
