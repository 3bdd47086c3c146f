//! Rows to canvases, in parallel.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch};

use crate::canvas::{Canvas, CanvasPoints, LineWidth, PIXELS, SIDE};
use crate::fit::Fit;
use crate::limits::MAX_KEPT_POINTS;
use crate::raster::Raster;
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::spares::{Loan, Spares};
use crate::strokes::Strokes;
use crate::threads::Threads;

/// Memory that one thread reuses from row to row.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    points: CanvasPoints,
    raster: Raster,
}

impl Scratch {
    /// Gives the memory of a huge row back once it is drawn.
    fn shrink(&mut self, drawn: &Strokes) {
        if drawn.x().len() > MAX_KEPT_POINTS {
            *self = Scratch::default();
        }
    }
}

/// Fresh memory would take as long as several rows: it is not in the cache, and the system clears it first.
static SPARES: Spares<Scratch> = Spares::new();

/// Canvases of so many rows, 32 MiB and more, are blanked together: the C library writes large blocks past the caches.
/// Blanked one by one, they are read first, and rendering takes a quarter longer.
const MANY_ROWS: usize = 128;

/// Renders one row and overwrites what the canvas held before.
pub fn render(strokes: &Strokes, line_width: LineWidth, canvas: &mut Canvas, scratch: &mut Scratch) {
    canvas.fill(0.0);
    render_on_blank(strokes, line_width, canvas, scratch);
}

fn render_on_blank(strokes: &Strokes, line_width: LineWidth, canvas: &mut Canvas, scratch: &mut Scratch) {
    let fit = Fit::new(strokes);
    dispatch!(Level::new(), simd => {
        fit.apply(strokes, &mut scratch.points);
        draw(simd, strokes.point_ranges(), &fit, line_width, canvas, scratch);
    });
}

/// Draws the strokes of the points on a blank canvas. `strokes` gives the range of each stroke's points.
#[inline(always)]
fn draw<S: Simd>(
    simd: S,
    strokes: impl Iterator<Item = Range<usize>>,
    fit: &Fit,
    line_width: LineWidth,
    canvas: &mut Canvas,
    scratch: &mut Scratch,
) {
    let Scratch { points, raster } = scratch;
    let ink = fit.ink(line_width);
    raster.draw(simd, points, strokes, line_width);
    for (row, pixels) in canvas.chunks_exact_mut(SIDE).enumerate().skip(ink.rows.start).take(ink.rows.len()) {
        raster.take_row(simd, row, ink.columns.start, &mut pixels[ink.columns.clone()], line_width);
    }
}

/// Renders `range` of `rows` into `canvases`, one after the other.
///
/// The canvas of a bad row is blank. The indices of bad rows are returned in order, with their errors.
///
/// # Panics
/// If `canvases` does not hold exactly one canvas for each row of the range.
pub fn render_rows(
    rows: &dyn Rows,
    range: Range<usize>,
    line_width: LineWidth,
    canvases: &mut [f32],
    threads: &Threads,
) -> Vec<(usize, RowError)> {
    assert_eq!(canvases.len(), range.len() * PIXELS, "one canvas for each row");
    let are_blank = range.len() >= MANY_ROWS;
    if are_blank {
        let shares = canvases.chunks_mut(range.len().div_ceil(threads.count()) * PIXELS);
        threads.map(shares.collect(), || (), |(), share| share.fill(0.0));
    }
    let work = |scratch: &mut Loan<Scratch>, (canvas, index): (&mut [f32], usize)| {
        let canvas: &mut Canvas = canvas.try_into().expect("chunks are of PIXELS floats");
        if !are_blank {
            canvas.fill(0.0);
        }
        match rows.row(index) {
            Ok(strokes) => {
                render_on_blank(&strokes, line_width, canvas, scratch.get());
                scratch.get().shrink(&strokes);
                None
            }
            Err(error) => Some((index, error)),
        }
    };
    let canvases = canvases.chunks_exact_mut(PIXELS).zip(range).collect();
    threads.map(canvases, || SPARES.borrow(Scratch::default), work).into_iter().flatten().collect()
}

/// Renders a row without each of its parts into `canvases`, one after the other. What is left stays in place.
///
/// `parts` has the part of each stroke, below the number of canvases.
///
/// # Panics
/// If `parts` has not one entry for each stroke.
pub fn render_parts(
    strokes: &Strokes,
    parts: &[usize],
    line_width: LineWidth,
    canvases: &mut [f32],
    threads: &Threads,
) {
    assert_eq!(parts.len(), strokes.point_ranges().count(), "one part for each stroke");
    let fit = Fit::new(strokes);
    let work = |scratch: &mut Loan<Scratch>, (left_out, canvas): (usize, &mut [f32])| {
        let canvas: &mut Canvas = canvas.try_into().expect("chunks are of PIXELS floats");
        let scratch = scratch.get();
        dispatch!(Level::new(), simd => {
            fit.apply(strokes, &mut scratch.points);
            let kept = strokes.point_ranges().zip(parts).filter(|&(_, &part)| part != left_out).map(|(range, _)| range);
            let ranges = scratch.points.keep(kept);
            canvas.fill(0.0);
            draw(simd, ranges.into_iter(), &fit, line_width, canvas, scratch);
        });
        scratch.shrink(strokes);
    };
    let canvases = canvases.chunks_exact_mut(PIXELS).enumerate().collect();
    threads.map(canvases, || SPARES.borrow(Scratch::default), work);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::OwnedRows;

    fn zigzags(count: usize) -> OwnedRows {
        let mut rows = OwnedRows::default();
        for row in 0..count {
            for point in 0..50 {
                rows.push_point(point as f64, ((point * (row + 3)) % 11) as f64);
                if point % 13 == 0 {
                    rows.end_stroke();
                }
            }
            rows.end_stroke();
            rows.end_row(if row % 5 == 4 { Err(RowError::NullRow) } else { Ok(()) });
        }
        rows
    }

    #[test]
    fn a_scratch_serves_any_rows_and_line_widths() {
        let rows = zigzags(4);
        let mut scratch = Scratch::default();
        for (row, line_width) in [(0, 1.5), (1, 1.5), (2, 0.01), (3, 9.0), (0, 1.5), (3, 200.0), (2, 1.5)] {
            let (strokes, width) = (rows.row(row).unwrap(), LineWidth::new(line_width).unwrap());
            let mut canvases = [vec![3.0; PIXELS], vec![4.0; PIXELS]];
            for (canvas, scratch) in canvases.iter_mut().zip([&mut scratch, &mut Scratch::default()]) {
                render(&strokes, width, canvas.first_chunk_mut().unwrap(), scratch);
            }
            assert_eq!(canvases[0], canvases[1], "row {row}, line width {line_width}");
        }
    }

    #[test]
    fn what_is_left_stays_in_place() {
        let rows = zigzags(1);
        let (strokes, width) = (rows.row(0).unwrap(), LineWidth::new(1.5).unwrap());
        let count = strokes.point_ranges().count();
        let parts: Vec<usize> = (0..count).map(|stroke| stroke % 3).collect();
        let mut whole: Box<Canvas> = vec![0.0; PIXELS].try_into().unwrap();
        render(&strokes, width, &mut whole, &mut Scratch::default());
        let mut canvases = vec![9.0; 3 * PIXELS];
        render_parts(&strokes, &parts, width, &mut canvases, &Threads::new(2).unwrap());
        for pixel in 0..PIXELS {
            let values = [0, 1, 2].map(|part| canvases[part * PIXELS + pixel]);
            let most = values.into_iter().fold(0.0, f32::max);
            assert_eq!(most, whole[pixel], "every stroke is in two of the three pictures");
        }
        assert!((0..3).all(|part| canvases[part * PIXELS..][..PIXELS] != whole[..]));
    }

    #[test]
    fn threads_and_batches_give_the_same_bytes() {
        let count = MANY_ROWS + 3;
        let rows = zigzags(count);
        let width = LineWidth::new(1.5).unwrap();
        let bad: Vec<usize> = (4..count).step_by(5).collect();
        let mut expected = vec![9.0; count * PIXELS];
        for (row, canvas) in expected.chunks_exact_mut(PIXELS).enumerate() {
            let errors = render_rows(&rows, row..row + 1, width, canvas, &Threads::CALLER);
            assert_eq!(errors.len(), usize::from(bad.contains(&row)));
        }
        for threads in [1, 2, 3, 8] {
            for range in [0..count, 5..28] {
                let mut canvases = vec![7.0; range.len() * PIXELS];
                let errors = render_rows(&rows, range.clone(), width, &mut canvases, &Threads::new(threads).unwrap());
                assert!(errors.iter().map(|error| error.0).eq(bad.iter().copied().filter(|row| range.contains(row))));
                let same = canvases == expected[range.start * PIXELS..range.end * PIXELS];
                assert!(same, "{threads} threads, rows {range:?}");
            }
        }
    }
}
