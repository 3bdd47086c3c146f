//! Renders the strokes of an Arrow file with penpal-core, tiny-skia and vello_cpu in turns, each on one thread. Prints
//! a line for each round: the renderer's name, a tab and the seconds.
//!
//! Each renderer starts from Arrow memory and ends with float32 canvases in a buffer that is used for every batch. All
//! use penpal-core's check and fit of the points.
//!
//! `penpal-benches LINES.arrow BATCH ROUNDS`

mod rivals;

use std::error::Error;
use std::fs::File;
use std::num::NonZeroUsize;
use std::time::Instant;

use arrow_ipc::reader::FileReader;
use penpal_core::canvas::CanvasPoints;
use penpal_core::fit::Fit;
use penpal_core::{LineWidth, PIXELS, Rows, StrokeColumn, Strokes, Threads, render_rows};
use rivals::{Rival, TinySkia, VelloCpu};

/// As in the Python benchmark.
const LINE_WIDTH: f64 = 1.5;

fn read(path: &str) -> Result<StrokeColumn, Box<dyn Error>> {
    let batches = FileReader::try_new(File::open(path)?, None)?.collect::<Result<Vec<_>, _>>()?;
    Ok(StrokeColumn::new(batches.iter().map(|batch| batch.column(0)))?)
}

/// Renders every row with a rival.
fn draw_all(rival: &mut dyn Rival, rows: &[Strokes], canvases: &mut [f32]) {
    let mut points = CanvasPoints::default();
    for batch in rows.chunks(canvases.len() / PIXELS) {
        for (strokes, canvas) in batch.iter().zip(canvases.chunks_exact_mut(PIXELS)) {
            Fit::new(strokes).apply(strokes, &mut points);
            rival.draw(&points, &mut strokes.point_ranges(), LINE_WIDTH as f32, canvas);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, batch, rounds] = &arguments[..] else {
        return Err("usage: penpal-benches LINES.arrow BATCH ROUNDS".into());
    };
    let (batch, rounds) = (batch.parse::<NonZeroUsize>()?.get(), rounds.parse::<usize>()?);
    let column = read(path)?;
    let rows = (0..column.len()).map(|row| column.row(row)).collect::<Result<Vec<_>, _>>()?;
    let width = LineWidth::new(LINE_WIDTH).ok_or("a line width out of range")?;
    let mut canvases = vec![0.0; batch * PIXELS];
    let mut rivals: [(&str, Box<dyn Rival>); 2] =
        [("tiny-skia", Box::new(TinySkia::default())), ("vello_cpu", Box::new(VelloCpu::default()))];
    // The first round only warms up.
    for round in 0..=rounds {
        let mut report = |name: &str, work: &mut dyn FnMut(&mut [f32])| {
            let start = Instant::now();
            work(&mut canvases);
            if round > 0 {
                println!("{name}\t{}", start.elapsed().as_secs_f64());
            }
        };
        report("penpal-core", &mut |canvases| {
            for start in (0..rows.len()).step_by(batch) {
                let range = start..rows.len().min(start + batch);
                let canvases = &mut canvases[..range.len() * PIXELS];
                render_rows(&column, range, width, canvases, &Threads::CALLER);
            }
        });
        for (name, rival) in &mut rivals {
            report(name, &mut |canvases| draw_all(rival.as_mut(), &rows, canvases));
        }
    }
    Ok(())
}
