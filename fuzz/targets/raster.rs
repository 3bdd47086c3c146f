//! Fit and raster: any row is refused or drawn as the definition says.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::arbitrary::{self, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::{Canvas, LineWidth, OwnedRows, PIXELS, RowError, SIDE, Scratch, Threads, render, render_rows};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;
use penpal_fuzz::numbers::{Numbers, hash};
use penpal_fuzz::reference::{self, Stroke};

/// Largest difference from the reference on any pixel.
const TOLERANCE: f64 = 1e-4;

/// Pixels of a picture that are compared with the reference. In one picture of `WHOLE_PICTURES`, all are.
const PIXELS_COMPARED: usize = 48;
const WHOLE_PICTURES: u64 = 256;

/// For one row in this many, the pictures of one thread and of three are compared.
const ON_THREADS: u64 = 512;

const LINE_WIDTHS: [f64; 8] = [1.5, 1.5, 2.0, 0.01, 1.0, 7.25, SIDE as f64, 5e-324];

struct State {
    canvas: Box<Canvas>,
    again: Box<Canvas>,
    scratch: Scratch,
}

fn blank() -> Box<Canvas> {
    vec![f32::NAN; PIXELS].try_into().expect("PIXELS floats")
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State {
        canvas: blank(),
        again: blank(),
        scratch: Scratch::default(),
    });
}

fuzz_target!(|data: &[u8]| {
    let (width, ink) = read(&mut Unstructured::new(data)).expect("inputs never run out of numbers");
    STATE.with_borrow_mut(|state| execute(state, width, &ink, hash(data)));
});

fn read(input: &mut Unstructured) -> arbitrary::Result<(f64, Ink)> {
    let width = match input.arbitrary::<u8>()? {
        0xff => input.arbitrary()?,
        choice => LINE_WIDTHS[usize::from(choice) % LINE_WIDTHS.len()],
    };
    Ok((width, Ink::hostile(input)?))
}

fn execute(state: &mut State, width: f64, ink: &Ink, seed: u64) {
    let line_width = LineWidth::new(width);
    check!(line_width.is_some() == (width > 0.0 && width <= SIDE as f64), "line width {width}");
    let Some(line_width) = line_width else { return };
    let State { canvas, again, scratch } = state;
    let (checked, plain) = (ink.strokes(), ink.plain());
    let strokes = match (checked, &plain) {
        (Ok(strokes), Ok(_)) => strokes,
        (Err(found), Err(expected)) => return check_error(&found, expected),
        (found, expected) => panic!("{:?} where {expected:?} was expected", found.map(|_| "a row")),
    };
    render(&strokes, line_width, canvas, scratch);
    check!(canvas.iter().all(|coverage| (0.0..=1.0).contains(coverage)), "coverage out of range");
    // What the canvas and the scratch held before must not matter.
    again.fill(f32::NAN);
    render(&strokes, line_width, again, &mut Scratch::default());
    check!(canvas == again, "what was drawn before shows");
    let row = plain.unwrap_or_default();
    compare(canvas, &row, width, seed);
    if seed.is_multiple_of(ON_THREADS) {
        on_threads(&row, line_width, canvas);
    }
}

fn check_error(found: &RowError, expected: &str) {
    check!(found.reason() == expected, "{found} where {expected} was expected");
    check!(found.to_string().len() < 200, "a long message");
}

fn compare(canvas: &Canvas, row: &[Stroke], line_width: f64, seed: u64) {
    let fitted = reference::fit(row);
    let same = |place: usize| {
        let expected = reference::coverage(&fitted, line_width, place / SIDE, place % SIDE);
        let apart = (f64::from(canvas[place]) - expected).abs();
        check!(apart <= TOLERANCE, "pixel {place}: {} where {expected} was expected", canvas[place]);
    };
    if seed.is_multiple_of(WHOLE_PICTURES) {
        return (0..PIXELS).for_each(same);
    }
    let mut numbers = Numbers(seed | 1);
    let points: Vec<&[f64; 2]> = fitted.iter().flatten().collect();
    for _ in 0..PIXELS_COMPARED / 2 {
        same(numbers.below(PIXELS));
        let [x, y] = points[numbers.below(points.len())];
        let near =
            |value: f64, numbers: &mut Numbers| (value as usize + numbers.below(5)).saturating_sub(2).min(SIDE - 1);
        let (column, line) = (near(*x, &mut numbers), near(*y, &mut numbers));
        same(line * SIDE + column);
    }
}

fn on_threads(row: &[Stroke], line_width: LineWidth, canvas: &Canvas) {
    const ROWS: usize = 5;
    let mut rows = OwnedRows::default();
    for index in 0..ROWS {
        for stroke in row {
            stroke.iter().for_each(|&[x, y]| rows.push_point(x, y));
            rows.end_stroke();
        }
        rows.end_row(if index == 1 { Err(RowError::NullRow) } else { Ok(()) });
    }
    for count in [1, 3] {
        let mut canvases = vec![f32::NAN; ROWS * PIXELS];
        let threads = Threads::new(count).expect("threads can be started");
        let problems = render_rows(&rows, 0..ROWS, line_width, &mut canvases, &threads);
        check!(problems == [(1, RowError::NullRow)], "{problems:?}");
        for (index, picture) in canvases.chunks_exact(PIXELS).enumerate() {
            let same = if index == 1 { picture.iter().all(|&pixel| pixel == 0.0) } else { picture == &canvas[..] };
            check!(same, "row {index} on {count} threads");
        }
    }
}
