//! Pictures of a row without each of its parts: what is left stays in place, as the definition says.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::{Canvas, LineWidth, PIXELS, SIDE, Scratch, Threads, render, render_parts};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;
use penpal_fuzz::numbers::{Numbers, hash};
use penpal_fuzz::reference::{self, Stroke};

/// Largest difference from the reference on any pixel.
const TOLERANCE: f64 = 1e-4;

/// Pixels of each picture that are compared with the reference.
const PIXELS_COMPARED: usize = 24;

/// There are up to one part less, and one picture without a part that no stroke belongs to.
const MAX_PICTURES: usize = 4;

const LINE_WIDTHS: [f64; 8] = [1.5, 1.5, 2.0, 0.01, 1.0, 7.25, SIDE as f64, 5e-324];

/// An input: the row, the width of its lines, and the part of each stroke.
struct Given {
    width: f64,
    ink: Ink,
    pictures: usize,
    parts: Vec<usize>,
}

fuzz_target!(|data: &[u8]| {
    if let Some(given) = read(&mut Unstructured::new(data)).expect("inputs never run out of numbers") {
        execute(&given, hash(data));
    }
});

/// Begins as the inputs of the target `raster`. `None` if the row cannot be drawn.
fn read(input: &mut Unstructured) -> Result<Option<Given>> {
    let width = LINE_WIDTHS[usize::from(input.arbitrary::<u8>()?) % LINE_WIDTHS.len()];
    let ink = Ink::hostile(input)?;
    let Ok(row) = ink.plain() else { return Ok(None) };
    let pictures = 2 + input.choose_index(MAX_PICTURES - 1)?;
    let parts = row.iter().map(|_| input.choose_index(pictures - 1)).collect::<Result<_>>()?;
    Ok(Some(Given { width, ink, pictures, parts }))
}

fn execute(given: &Given, seed: u64) {
    let strokes = given.ink.strokes().expect("a plain row is a row");
    let width = LineWidth::new(given.width).expect("it is one of the widths");
    let mut whole: Box<Canvas> = vec![f32::NAN; PIXELS].try_into().expect("PIXELS floats");
    render(&strokes, width, &mut whole, &mut Scratch::default());
    let [pictures, again] = [1, 3].map(|count| {
        let threads = Threads::new(count).expect("threads can be started");
        let mut canvases = vec![f32::NAN; given.pictures * PIXELS];
        render_parts(&strokes, &given.parts, width, &mut canvases, &threads);
        canvases
    });
    check!(pictures == again, "threads show");
    check!(pictures[(given.pictures - 1) * PIXELS..] == whole[..], "a part without strokes shows");
    let fitted = reference::fit(&given.ink.plain().expect("it was read"));
    for (part, picture) in pictures.chunks_exact(PIXELS).enumerate() {
        let kept: Vec<Stroke> =
            fitted.iter().zip(&given.parts).filter(|&(_, &of)| of != part).map(|(stroke, _)| stroke.clone()).collect();
        compare(picture, &kept, given, seed.wrapping_add(part as u64));
    }
}

fn compare(picture: &[f32], kept: &[Stroke], given: &Given, seed: u64) {
    check!(picture.iter().all(|coverage| (0.0..=1.0).contains(coverage)), "coverage out of range");
    let mut numbers = Numbers(seed | 1);
    let points: Vec<&[f64; 2]> = kept.iter().flatten().collect();
    if points.is_empty() {
        check!(picture.iter().all(|&coverage| coverage == 0.0), "ink where nothing is left");
        return;
    }
    for _ in 0..PIXELS_COMPARED {
        let [x, y] = points[numbers.below(points.len())];
        let near =
            |value: f64, numbers: &mut Numbers| (value as usize + numbers.below(5)).saturating_sub(2).min(SIDE - 1);
        let (column, line) = (near(*x, &mut numbers), near(*y, &mut numbers));
        for place in [numbers.below(PIXELS), line * SIDE + column] {
            let expected = reference::coverage(kept, given.width, place / SIDE, place % SIDE);
            let apart = (f64::from(picture[place]) - expected).abs();
            check!(apart <= TOLERANCE, "pixel {place}: {} where {expected} was expected", picture[place]);
        }
    }
}
