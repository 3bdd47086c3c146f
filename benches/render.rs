//! Criterion benchmarks of the renderer on made lines the size of real ones: 25 strokes of 25 points.
//!
//! `cargo bench -p penpal-core`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use penpal_core::{Canvas, LineWidth, OwnedRows, PIXELS, Rows, Scratch, render, render_rows, threads};

const ROWS: usize = 256;
const STROKES: usize = 25;
const POINTS: usize = 25;

/// Curly strokes from left to right; a linear congruential generator makes them the same everywhere.
fn made_lines() -> OwnedRows {
    let mut state: u32 = 1;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX)
    };
    let mut rows = OwnedRows::default();
    for _ in 0..ROWS {
        let mut x = 0.0;
        for _ in 0..STROKES {
            let (mut y, mut dx, mut dy) = (8.0 * number(), 0.0, 0.0);
            for _ in 0..POINTS {
                dx = 0.8 * dx + number() - 0.42;
                dy = 0.8 * dy + number() - 0.5;
                x += dx;
                y += dy;
                rows.push_point(x, y);
            }
            rows.end_stroke();
            x += 4.0;
        }
        rows.end_row(Ok(()));
    }
    rows
}

fn benchmarks(criterion: &mut Criterion) {
    let rows = made_lines();
    let line_width = LineWidth::new(1.5).expect("a good width");
    let mut canvas: Box<Canvas> = vec![0.0; PIXELS].try_into().expect("PIXELS floats");
    let mut scratch = Scratch::default();
    let mut canvases = vec![0.0; ROWS * PIXELS];

    let mut group = criterion.benchmark_group("one row");
    group.bench_function("blank", |bencher| bencher.iter(|| std::hint::black_box(&mut canvas).fill(0.0)));
    group.bench_function("check", |bencher| bencher.iter(|| std::hint::black_box(rows.row(0)).is_ok()));
    let strokes = rows.row(0).expect("a good row");
    group.bench_function("render", |bencher| {
        bencher.iter(|| render(&strokes, line_width, std::hint::black_box(&mut canvas), &mut scratch));
    });
    group.finish();

    let mut group = criterion.benchmark_group("256 rows");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for count in [1, 2] {
        let pool = threads::pool(count).expect("threads");
        group.bench_function(format!("{count} threads"), |bencher| {
            bencher.iter(|| pool.install(|| render_rows(&rows, 0..ROWS, line_width, &mut canvases)));
        });
    }
    group.finish();
}

criterion_group!(render_benches, benchmarks);
criterion_main!(render_benches);
