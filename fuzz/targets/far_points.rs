//! Far points: what is found holds, and mirrors and turns with the row.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::far_points::{FarPoints, Side, far_points};
use penpal_core::{OwnedRows, RowError, Rows, Threads};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;
use penpal_fuzz::numbers::hash;
use penpal_fuzz::reference::Stroke;

/// The least growth that is told, and how many points may be far: one in so many, of fewer points one.
const MIN_GROWTH: f64 = 1.5;
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
    let turned: [(fn(&[f64; 2]) -> [f64; 2], fn(Side) -> Side); 2] =
        [(mirrored, mirrored_side), (turned_point, turned_side)];
    for (change, side) in turned {
        let changed: Vec<Stroke> = row.iter().map(|stroke| stroke.iter().map(change).collect()).collect();
        let expected = found.clone().map(|found| FarPoints { side: side(found.side), ..found });
        check!(of_plain(&changed) == expected, "{expected:?} was expected of {changed:?}");
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

fn mirrored(&[x, y]: &[f64; 2]) -> [f64; 2] {
    [-x, -y]
}

fn mirrored_side(side: Side) -> Side {
    match side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
        Side::Above => Side::Below,
        Side::Below => Side::Above,
        Side::LeftAndRight | Side::AboveAndBelow => side,
    }
}

fn turned_point(&[x, y]: &[f64; 2]) -> [f64; 2] {
    [y, x]
}

fn turned_side(side: Side) -> Side {
    match side {
        Side::Left => Side::Above,
        Side::Right => Side::Below,
        Side::Above => Side::Left,
        Side::Below => Side::Right,
        Side::LeftAndRight => Side::AboveAndBelow,
        Side::AboveAndBelow => Side::LeftAndRight,
    }
}

fn check_found(found: &FarPoints, row: &[Stroke]) {
    let axis = usize::from(matches!(found.side, Side::Above | Side::Below | Side::AboveAndBelow));
    let mut values: Vec<f64> = row.iter().flatten().map(|point| point[axis]).collect();
    check!(found.points == values.len(), "{found:?} of {} points", values.len());
    let most = (values.len() / POINTS_FOR_EACH_FAR).max(1);
    check!((1..=most).contains(&found.far) && found.far < values.len(), "{found:?}");
    check!(found.growth >= MIN_GROWTH, "{found:?}");
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    let end = (values[last] - values[0]) * (1.0 - 1.0 / MIN_GROWTH);
    // The smallest and the largest value of the rest.
    let (low, high) = match found.side {
        Side::Left | Side::Above => (values[found.far], f64::INFINITY),
        Side::Right | Side::Below => (f64::NEG_INFINITY, values[last - found.far]),
        Side::LeftAndRight | Side::AboveAndBelow => (values[0] + end, values[last] - end),
    };
    let is_far = |point: &&[f64; 2]| point[axis] < low || point[axis] > high;
    let count = row.iter().flatten().filter(is_far).count();
    check!(count == found.far, "{found:?}: {count} points are apart");
    let first = row.iter().flatten().position(|point| is_far(&point));
    let before: usize = row[..found.stroke].iter().map(Vec::len).sum();
    check!(first == Some(before + found.point), "{found:?} is not the first");
    let text = found.to_string();
    check!(text.starts_with("far points: ") && text.len() < 600, "{text}");
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
