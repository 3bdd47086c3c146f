//! The time that each stage of scoring takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use fearless_simd::{Level, Simd, dispatch, prelude::*};

use crate::registers::lanes;

/// One stage of scoring, summed over rows.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its time.
    pub time: Duration,
    /// The multiplications of its convolution.
    pub multiplications: usize,
}

impl Stage {
    pub(super) fn new(name: String) -> Self {
        Stage { name, time: Duration::ZERO, multiplications: 0 }
    }
}

/// Times the stages of one row, or does nothing.
pub struct Clock<'a> {
    stages: std::slice::IterMut<'a, Stage>,
    last: Option<Instant>,
}

impl<'a> Clock<'a> {
    /// A clock that does nothing.
    pub fn stopped() -> Self {
        Clock { stages: [].iter_mut(), last: None }
    }

    /// A clock that adds to the stages in their order.
    pub fn started(stages: &'a mut [Stage]) -> Self {
        Clock { stages: stages.iter_mut(), last: Some(Instant::now()) }
    }

    /// Ends a stage that took this number of multiplications.
    pub fn lap(&mut self, multiplications: usize) {
        if let (Some(last), Some(stage)) = (&mut self.last, self.stages.next()) {
            let now = Instant::now();
            stage.time += now - *last;
            stage.multiplications += multiplications;
            *last = now;
        }
    }
}

/// Multiply-adds per second of one thread: the best of several short runs that take 0.1 s together.
pub fn peak_multiplications() -> f64 {
    const RUNS: usize = 20;
    const STEPS: usize = 1_000_000;
    let seconds = |()| {
        let start = Instant::now();
        black_box(dispatch!(Level::new(), simd => multiply_add(simd, STEPS)));
        start.elapsed().as_secs_f64()
    };
    let shortest = std::iter::repeat_n((), RUNS).map(seconds).fold(f64::INFINITY, f64::min);
    (STEPS * CHAINS * dispatch!(Level::new(), simd => lanes(simd))) as f64 / shortest
}

/// Number of independent multiply-adds, enough to hide their latency.
const CHAINS: usize = 10;

#[inline(always)]
fn multiply_add<S: Simd>(simd: S, steps: usize) -> f32 {
    let [factor, term] = black_box([0.999, 0.1]).map(|value| S::f32s::splat(simd, value));
    let mut sums = [term; CHAINS];
    for _ in 0..steps {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, term);
        }
    }
    sums.iter().map(|sum| sum.as_slice().iter().sum::<f32>()).sum()
}
