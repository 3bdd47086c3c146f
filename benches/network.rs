//! Criterion benchmarks of the engine on made lines, with random numbers for weights.
//!
//! `cargo bench -p penpal-core --bench network`

mod made_lines;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use made_lines::ROWS;
use penpal_core::{Engine, LineWidth, Network, PIXELS, Structure, Threads, render_rows};

/// The channels of the published network.
const CHANNELS: [usize; 5] = [4, 8, 16, 32, 32];

fn network() -> Network {
    let mut number = made_lines::numbers();
    let mut numbers = |count: usize| (0..count).map(|_| (number() - 0.5) as f32).collect::<Vec<_>>();
    let structure = Structure::new(CHANNELS[0], &CHANNELS[1..], false);
    let layers =
        structure.units.iter().map(|unit| (numbers(unit.shape.weights()), numbers(unit.shape.outputs))).collect();
    Network { structure, layers, head: numbers(CHANNELS[4]), head_bias: 0.0 }
}

fn benchmarks(criterion: &mut Criterion) {
    let rows = made_lines::made_lines();
    let line_width = LineWidth::new(1.5).expect("a good width");
    let engine = Engine::new(&network(), line_width).expect("tensors that fit");
    let mut pictures = vec![0.0; ROWS * PIXELS];
    render_rows(&rows, 0..ROWS, line_width, &mut pictures, &Threads::CALLER);

    let mut group = criterion.benchmark_group("engine");
    group.bench_function("one picture, everything", |bencher| bencher.iter(|| engine.dense_logit(&pictures[..PIXELS])));
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    group.bench_function("256 pictures", |bencher| {
        bencher.iter(|| engine.picture_logits(&pictures, &Threads::CALLER));
    });
    for count in [1, 2] {
        let threads = Threads::new(count).expect("threads");
        group.bench_function(format!("256 rows, {count} threads"), |bencher| {
            bencher.iter(|| engine.logits(&rows, 0..ROWS, &threads));
        });
    }
    group.finish();
}

criterion_group!(network_benches, benchmarks);
criterion_main!(network_benches);
