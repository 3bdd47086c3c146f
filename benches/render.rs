//! Criterion benchmarks of the renderer on made lines.
//!
//! `cargo bench -p penpal-core`

mod made_lines;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use made_lines::ROWS;
use penpal_core::{Canvas, LineWidth, PIXELS, Rows, Scratch, Threads, render, render_rows};

fn benchmarks(criterion: &mut Criterion) {
    let rows = made_lines::made_lines();
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
        let threads = Threads::new(count).expect("threads");
        group.bench_function(format!("{count} threads"), |bencher| {
            bencher.iter(|| render_rows(&rows, 0..ROWS, line_width, &mut canvases, &threads));
        });
    }
    group.finish();
}

criterion_group!(render_benches, benchmarks);
criterion_main!(render_benches);
