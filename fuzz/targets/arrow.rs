//! Arrow import: true and lying arrays of the C data interface become the right rows or are refused.

#![no_main]

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use arrow_array::ffi::from_ffi;
use arrow_array::{Array, ArrayRef, make_array};
use libfuzzer_sys::arbitrary::{self, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::{Canvas, LineWidth, PIXELS, RowError, Rows, Scratch, StrokeColumn, Strokes, render};
use penpal_fuzz::arrow::{Exported, Node, Points, RELEASED, Shape, read_column};
use penpal_fuzz::check;
use penpal_fuzz::numbers::hash;

/// The rows of one input in this many are drawn.
const DRAWN: u64 = 8;

/// What a reader should find in a row.
enum Expected {
    Points(Vec<Vec<[f64; 2]>>),
    /// Null, without points, or with numbers that cannot be drawn.
    Bad,
}

thread_local! {
    static DRAWING: RefCell<(Box<Canvas>, Scratch)> =
        RefCell::new((vec![0.0; PIXELS].try_into().expect("PIXELS floats"), Scratch::default()));
}

fuzz_target!(|data: &[u8]| execute(data).expect("inputs never run out of numbers"));

fn execute(data: &[u8]) -> arbitrary::Result<()> {
    let (shape, node, honest) = read_column(&mut Unstructured::new(data))?;
    let released = RELEASED.load(Ordering::Relaxed);
    let (exported, array) = Exported::new(&node);
    if let Some(array) = import(&exported, array) {
        check_column(&array, shape, &node, honest, hash(data));
    } else {
        check!(!honest, "an array that tells the truth was refused");
    }
    check!(RELEASED.load(Ordering::Relaxed) == released + 1, "not released once");
    Ok(())
}

/// The import of Arrow refuses some lies with an error and some with a panic, which Python sees as an exception.
fn import(exported: &Exported, array: arrow_array::ffi::FFI_ArrowArray) -> Option<ArrayRef> {
    // The hook of the crate libfuzzer-sys would end the process.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    // SAFETY: buffers are not shorter than the lengths say. Other lies are what this tests.
    let imported = catch_unwind(AssertUnwindSafe(|| unsafe { from_ffi(array, exported.schema()) }.map(make_array)));
    std::panic::set_hook(hook);
    imported.ok()?.ok()
}

fn check_column(array: &ArrayRef, shape: Shape, node: &Node, honest: bool, seed: u64) {
    let half = array.len() / 2;
    let column = match StrokeColumn::new(&[array.clone(), array.slice(half, array.len() - half)]) {
        Ok(column) => column,
        Err(error) => return check!(!honest, "{error}"),
    };
    check!(column.len() == array.len() + array.len() - half, "{} rows", column.len());
    for row in 0..array.len() {
        let found = column.row(row);
        if honest {
            check_row(&found, expected_row(shape, node, row));
            if row >= half {
                check_same(&found, &column.row(array.len() + row - half));
            }
        }
        if let Ok(strokes) = &found
            && seed.is_multiple_of(DRAWN)
        {
            draw(strokes);
        }
    }
}

fn points(strokes: &Strokes) -> Vec<Vec<[f64; 2]>> {
    let point = |index| [strokes.x(), strokes.y()].map(|axis| axis.get(index).expect("ranges lie in the row"));
    strokes.point_ranges().map(|stroke| stroke.map(point).collect()).collect()
}

fn check_same(found: &Result<Strokes, RowError>, again: &Result<Strokes, RowError>) {
    match (found, again) {
        (Ok(found), Ok(again)) => check!(points(found) == points(again), "a slice has another row"),
        (Err(found), Err(again)) => check!(found == again, "{again} in a slice, {found} in the whole"),
        _ => panic!("good in the whole or in a slice only"),
    }
}

fn check_row(found: &Result<Strokes, RowError>, expected: Option<Expected>) {
    match (found, expected) {
        (Ok(found), Some(Expected::Points(expected))) => {
            check!(points(found) == expected, "{:?} where {expected:?} was expected", points(found));
        }
        (Err(_), Some(Expected::Bad)) => {}
        (Err(RowError::BrokenOffsets { .. }), None) => {}
        (found, expected) => {
            let expected = expected.map(|expected| matches!(expected, Expected::Points(_)));
            panic!("{:?} where good was {expected:?}", found.as_ref().map(points));
        }
    }
}

/// The row as the definition has it, or `None` if the arrays are inconsistent.
fn expected_row(shape: Shape, rows: &Node, row: usize) -> Option<Expected> {
    let items = rows.items(row);
    if rows.is_null(row)? {
        return Some(Expected::Bad);
    }
    let (strokes, all) = if shape.words {
        let words = &rows.children[0];
        let items = items?;
        if items.clone().any(|word| words.is_null(word) == Some(true)) {
            return Some(Expected::Bad);
        }
        let mut strokes = Vec::new();
        for word in items {
            strokes.extend(words.items(word)?);
        }
        (&words.children[0], strokes)
    } else {
        (&rows.children[0], items?.collect())
    };
    let mut found = Vec::new();
    let mut bad = false;
    for stroke in all {
        let (lists, place) = if shape.stroke_structs {
            bad |= strokes.is_null(stroke)?;
            (&strokes.children[0], stroke + strokes.offset as usize)
        } else {
            (strokes, stroke)
        };
        bad |= lists.is_null(place)?;
        let mut points = Vec::new();
        for point in lists.items(place)? {
            match expected_point(shape, &lists.children[0], point)? {
                Some(point) => points.push(point),
                None => bad = true,
            }
        }
        found.push(points);
    }
    Some(if bad || !can_be_drawn(&found) { Expected::Bad } else { Expected::Points(found) })
}

/// A point. The inner `None` is a null or a list of another length.
fn expected_point(shape: Shape, points: &Node, point: usize) -> Option<Option<[f64; 2]>> {
    let null = points.is_null(point)?;
    let (nodes, places) = match shape.points {
        Points::Structs => {
            let place = point + points.offset as usize;
            ([&points.children[0], &points.children[1]], [place; 2])
        }
        Points::Lists => {
            let items = points.items(point)?;
            if items.len() != 2 {
                return Some(None);
            }
            ([&points.children[0]; 2], [items.start, items.start + 1])
        }
        Points::FixedLists => ([&points.children[0]; 2], [2 * point, 2 * point + 1]),
    };
    let [x, y] = [0, 1].map(|axis| {
        let (node, place) = (nodes[axis], places[axis]);
        Some((node.is_null(place)?, node.number(place)?))
    });
    let ((x_null, x), (y_null, y)) = (x?, y?);
    Some((!null && !x_null && !y_null).then_some([x, y]))
}

fn can_be_drawn(strokes: &[Vec<[f64; 2]>]) -> bool {
    let mut values = [Vec::new(), Vec::new()];
    for point in strokes.iter().flatten() {
        values[0].push(point[0]);
        values[1].push(point[1]);
    }
    values.iter().all(|values| {
        let span = values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            - values.iter().copied().fold(f64::INFINITY, f64::min);
        !values.is_empty() && values.iter().all(|value| value.is_finite()) && span.is_finite()
    })
}

fn draw(strokes: &Strokes) {
    DRAWING.with_borrow_mut(|(canvas, scratch)| {
        render(strokes, LineWidth::new(1.5).expect("in range"), canvas, scratch);
        check!(canvas.iter().all(|coverage| (0.0..=1.0).contains(coverage)), "coverage out of range");
    });
}
