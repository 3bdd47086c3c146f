//! The whole network: rows of strokes to logits.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch, f32x4, f32x8, prelude::*};

use super::changes::Changes;
use super::description::{Network, NetworkError};
use super::layers::{self, Activations, Layers};
use super::plane::Plane;
use super::profile::{Clock, Stage};
use crate::canvas::{PIXELS, SIDE};
use crate::error::RowError;
use crate::fit::{CanvasPoints, Fit};
use crate::raster::{LANES, LineWidth, Raster, RowBits};
use crate::rows::Rows;
use crate::spares::{Loan, Spares};
use crate::strokes::Strokes;
use crate::threads::Threads;

/// A network that is ready to score, with memory for each thread that does.
pub struct Engine {
    level: Level,
    layers: Layers,
    head: Vec<f32>,
    head_bias: f32,
    line_width: LineWidth,
    /// The activations of a blank canvas.
    blank: Activations,
    idle: Spares<Scratch>,
}

/// What one thread works on. Between rows everything is as a blank canvas leaves it.
struct Scratch {
    points: CanvasPoints,
    raster: Raster,
    picture: Plane,
    activations: Activations,
    layers: layers::Scratch,
}

impl Engine {
    /// Arranges a network for scoring.
    ///
    /// # Errors
    /// When the length of a tensor does not fit the channels.
    pub fn new(network: &Network, line_width: LineWidth) -> Result<Self, NetworkError> {
        Self::with_level(network, line_width, Level::new())
    }

    fn with_level(network: &Network, line_width: LineWidth, level: Level) -> Result<Self, NetworkError> {
        network.check()?;
        let layers = Layers::new(network);
        let (head, head_bias, idle) = (network.head.clone(), network.head_bias, Spares::new());
        let blank = layers.zeros();
        let mut engine = Engine { level, layers, head, head_bias, line_width, blank, idle };
        let mut scratch = engine.scratch();
        engine.run_whole(&mut scratch);
        engine.blank = scratch.activations;
        Ok(engine)
    }

    /// Scores `range` of `rows`, as logits; NaN for bad rows, which are returned in order with what is wrong with them.
    pub fn logits(
        &self,
        rows: &dyn Rows,
        range: Range<usize>,
        threads: &Threads,
    ) -> (Vec<f32>, Vec<(usize, RowError)>) {
        let work = |scratch: &mut Loan<Scratch>, index| {
            rows.row(index).map(|strokes| self.logit(&strokes, scratch.get(), &mut Clock::stopped()))
        };
        let outcomes = threads.map(range.clone().collect(), || self.borrow(), work);
        let mut logits = Vec::with_capacity(outcomes.len());
        let mut problems = Vec::new();
        for (index, outcome) in range.zip(outcomes) {
            logits.push(*outcome.as_ref().unwrap_or(&f32::NAN));
            problems.extend(outcome.err().map(|error| (index, error)));
        }
        (logits, problems)
    }

    /// The logits of pictures of 256 x 256 pixels, one after the other.
    ///
    /// # Panics
    /// If `pictures` does not hold whole pictures.
    pub fn picture_logits(&self, pictures: &[f32], threads: &Threads) -> Vec<f32> {
        assert_eq!(pictures.len() % PIXELS, 0, "whole pictures");
        let work = |scratch: &mut Loan<Scratch>, picture: &[f32]| {
            let scratch = scratch.get();
            scratch.picture.changes.restart(0);
            for (row, pixels) in picture.chunks_exact(SIDE).enumerate() {
                let ink = dispatch!(self.level, simd => ink(simd, pixels));
                if ink != RowBits::default() {
                    scratch.picture.pixels_mut(row, 0, SIDE).copy_from_slice(pixels);
                }
                scratch.picture.changes.push(ink);
            }
            self.score(scratch, &mut Clock::stopped())
        };
        threads.map(pictures.chunks_exact(PIXELS).collect(), || self.borrow(), work)
    }

    /// The logit of a picture of which everything is computed, for comparison.
    ///
    /// # Panics
    /// If `picture` does not have 256 x 256 pixels.
    pub fn dense_logit(&self, picture: &[f32]) -> f32 {
        assert_eq!(picture.len(), PIXELS, "one canvas");
        let mut scratch = self.scratch();
        scratch.picture.fill(picture);
        self.run_whole(&mut scratch);
        self.head(&scratch.activations)
    }

    /// Where the time of scoring `range` of `rows` on the current thread goes, and how much is multiplied there. Bad rows
    /// are passed over.
    pub fn profile(&self, rows: &dyn Rows, range: Range<usize>) -> Vec<Stage> {
        let convolutions = (0..self.layers.blocks()).flat_map(|block| [0, 1].map(|part| (block, part)));
        let names = ["strokes, fit and raster", "stem"].map(String::from).into_iter();
        let names = names.chain(convolutions.map(|(block, part)| format!("block {block}, convolution {part}")));
        let mut stages: Vec<_> = names.chain(["head and clearing".into()]).map(Stage::new).collect();
        let mut scratch = self.borrow();
        for index in range {
            let mut clock = Clock::started(&mut stages);
            if let Ok(strokes) = rows.row(index) {
                self.logit(&strokes, scratch.get(), &mut clock);
            }
        }
        stages
    }

    fn borrow(&self) -> Loan<'_, Scratch> {
        self.idle.borrow(|| self.scratch())
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            points: CanvasPoints::default(),
            raster: Raster::default(),
            picture: Plane::new(SIDE, 1),
            activations: self.blank.clone(),
            layers: self.layers.scratch(&self.blank),
        }
    }

    fn logit(&self, strokes: &Strokes, scratch: &mut Scratch, clock: &mut Clock) -> f32 {
        let fit = Fit::new(strokes);
        let drawn = fit.ink(self.line_width);
        dispatch!(self.level, simd => {
            let Scratch { points, raster, picture, .. } = &mut *scratch;
            fit.apply(strokes, points);
            raster.draw(simd, points, strokes.point_ranges(), self.line_width);
            picture.changes.restart(drawn.rows.start);
            for row in drawn.rows {
                let pixels = picture.pixels_mut(row, drawn.columns.start, drawn.columns.len());
                let ink = raster.take_row(simd, row, drawn.columns.start, pixels, self.line_width);
                picture.changes.push(ink);
            }
        });
        clock.lap(0);
        self.score(scratch, clock)
    }

    /// The logit of the picture in the scratch, which is left blank.
    fn score(&self, scratch: &mut Scratch, clock: &mut Clock) -> f32 {
        self.run(scratch, clock);
        let logit = self.head(&scratch.activations);
        scratch.activations.restore(&self.blank);
        scratch.picture.clear();
        clock.lap(0);
        logit
    }

    /// Computes everything, whatever the picture in the scratch is.
    fn run_whole(&self, scratch: &mut Scratch) {
        scratch.picture.changes = Changes::whole(SIDE);
        self.run(scratch, &mut Clock::stopped());
    }

    /// The one place where the layers are compiled, once for each instruction set.
    fn run(&self, scratch: &mut Scratch, clock: &mut Clock) {
        let Scratch { picture, activations, layers, .. } = scratch;
        dispatch!(self.level, simd => self.layers.run(simd, picture, activations, layers, clock));
    }

    fn head(&self, activations: &Activations) -> f32 {
        dispatch!(self.level, simd => self.head_with(simd, activations))
    }

    /// The linear unit on the channels' averages.
    #[inline(always)]
    fn head_with<S: Simd>(&self, simd: S, activations: &Activations) -> f32 {
        let last = activations.last();
        let pixels = (last.side * last.side) as f32;
        let mut logit = self.head_bias;
        for (group, weights) in self.head.chunks(f32x4::<S>::LEN).enumerate() {
            let mut sums = f32x4::splat(simd, 0.0);
            for row in 0..last.side {
                for pixel in last.pixels(row, 0, last.side).chunks_exact(last.channels) {
                    sums += f32x4::from_slice(simd, &pixel[group * f32x4::<S>::LEN..][..f32x4::<S>::LEN]);
                }
            }
            logit += weights.iter().zip(sums.as_slice()).map(|(weight, sum)| sum / pixels * weight).sum::<f32>();
        }
        logit
    }
}

/// The pixels of a row that are not blank.
#[inline(always)]
fn ink<S: Simd>(simd: S, pixels: &[f32]) -> RowBits {
    let mut ink = RowBits::default();
    for (index, pixels) in pixels.as_chunks::<LANES>().0.iter().enumerate() {
        let blank = f32x8::from_slice(simd, pixels).simd_eq(f32x8::splat(simd, 0.0));
        let column = index * LANES;
        ink[column / 64] |= (!blank).to_bitmask() << (column % 64);
    }
    ink
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::Canvas;
    use crate::network::{Block, Shortcut};
    use crate::render::{Scratch as RenderScratch, render};
    use crate::rows::OwnedRows;

    /// Numbers from -1 to 1 by a linear congruential generator.
    struct Numbers(u32);

    impl Numbers {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(self.0) / f64::from(u32::MAX) * 2.0 - 1.0
        }

        fn take(&mut self, count: usize, scale: f64) -> Vec<f32> {
            (0..count).map(|_| (self.next() * scale) as f32).collect()
        }
    }

    fn network(channels: &[usize], projection: bool) -> Network {
        let mut numbers = Numbers(7);
        let mut convolution = |inputs: usize, outputs: usize, kernel: usize| {
            let taps = kernel * kernel * inputs;
            (numbers.take(taps * outputs, 1.5 / (taps as f64).sqrt()), numbers.take(outputs, 0.3))
        };
        let stem = convolution(1, channels[0], 3);
        let blocks = channels.windows(2).map(|pair| Block {
            outputs: pair[1],
            first: convolution(pair[0], pair[1], 3),
            second: convolution(pair[1], pair[1], 3),
            shortcut: if projection {
                let (weights, bias) = convolution(pair[0], pair[1], 1);
                Shortcut::Projection(weights, bias)
            } else {
                Shortcut::Identity
            },
        });
        let blocks = blocks.collect();
        let last = channels[channels.len() - 1];
        Network { channels: channels[0], stem, blocks, head: numbers.take(last, 1.0), head_bias: 0.25 }
    }

    /// Pictures [side][side][channels] in float64, computed as the definition says.
    struct Plain {
        side: usize,
        channels: usize,
        values: Vec<f64>,
    }

    impl Plain {
        fn at(&self, row: isize, column: isize, channel: usize) -> f64 {
            let side = self.side as isize;
            let inside = (0..side).contains(&row) && (0..side).contains(&column) && channel < self.channels;
            if inside { self.values[(row * side + column) as usize * self.channels + channel] } else { 0.0 }
        }

        fn map(side: usize, channels: usize, value: impl Fn(isize, isize, usize) -> f64) -> Self {
            let pixels = (0..side as isize).flat_map(|row| (0..side as isize).map(move |column| (row, column)));
            let values = pixels
                .flat_map(|(row, column)| (0..channels).map(|channel| value(row, column, channel)).collect::<Vec<_>>());
            Plain { side, channels, values: values.collect() }
        }

        fn convolved(&self, (weights, bias): &(Vec<f32>, Vec<f32>), stride: isize) -> Self {
            let kernel = if weights.len() == bias.len() * 9 * self.channels { 3 } else { 1 };
            Plain::map(self.side.div_ceil(stride as usize), bias.len(), |row, column, output| {
                let mut sum = f64::from(bias[output]);
                for (tap, &weight) in
                    weights.chunks_exact(kernel * kernel * self.channels).nth(output).unwrap().iter().enumerate()
                {
                    let (place, input) = (tap / self.channels, tap % self.channels);
                    let (down, right) = ((place / kernel) as isize, (place % kernel) as isize);
                    let border = (kernel / 2) as isize;
                    sum += f64::from(weight)
                        * self.at(row * stride + down - border, column * stride + right - border, input);
                }
                sum
            })
        }

        fn rectified(self) -> Self {
            Plain { values: self.values.iter().map(|value| value.max(0.0)).collect(), ..self }
        }
    }

    fn plain_logit(network: &Network, picture: &[f32]) -> f64 {
        let picture = Plain { side: SIDE, channels: 1, values: picture.iter().map(|&value| value.into()).collect() };
        let mut x = picture.convolved(&network.stem, 2).rectified();
        for block in &network.blocks {
            let middle = x.convolved(&block.first, 2).rectified();
            let output = middle.convolved(&block.second, 1);
            let around = match &block.shortcut {
                Shortcut::Identity => {
                    Plain::map(output.side, block.outputs, |row, column, channel| x.at(2 * row, 2 * column, channel))
                }
                Shortcut::Projection(weights, bias) => x.convolved(&(weights.clone(), bias.clone()), 2),
            };
            x = Plain::map(output.side, block.outputs, |row, column, channel| {
                (output.at(row, column, channel) + around.at(row, column, channel)).max(0.0)
            });
        }
        let pixels = (x.side * x.side) as f64;
        let weighted =
            x.values.iter().enumerate().map(|(index, value)| value * f64::from(network.head[index % x.channels]));
        f64::from(network.head_bias) + weighted.sum::<f64>() / pixels
    }

    /// Dots, flat lines, scribbles over the whole canvas, lines in corners: ink everywhere and nowhere.
    fn rows() -> OwnedRows {
        let mut numbers = Numbers(3);
        let mut rows = OwnedRows::default();
        for row in 0..24 {
            let (width, height) = [(1.0, 1.0), (1.0, 0.1), (0.02, 1.0), (1.0, 0.0), (0.0, 0.0), (0.7, 1.0)][row % 6];
            for _ in 0..1 + row % 4 {
                for _ in 0..1 + (row * 5) % 40 {
                    rows.push_point(numbers.next() * width, numbers.next() * height);
                }
                rows.end_stroke();
            }
            rows.end_row(Ok(()));
        }
        rows
    }

    fn picture(rows: &OwnedRows, row: usize, line_width: LineWidth) -> Box<Canvas> {
        let mut canvas: Box<Canvas> = vec![0.0; PIXELS].try_into().unwrap();
        render(&rows.row(row).unwrap(), line_width, &mut canvas, &mut RenderScratch::default());
        canvas
    }

    const SHAPES: [&[usize]; 5] =
        [&[4, 8, 16, 32, 32], &[8, 8, 16, 16], &[3, 5, 9, 40], &[1, 1], &[4, 4, 4, 4, 4, 4, 4, 4]];

    #[test]
    fn sparse_logits_have_the_bits_of_dense_ones() {
        let rows = rows();
        for (channels, projection) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
            for line_width in [1.5, 30.0, 256.0] {
                let width = LineWidth::new(line_width).unwrap();
                let engine = Engine::new(&network(channels, projection), width).unwrap();
                let (logits, problems) = engine.logits(&rows, 0..rows.len(), &Threads::CALLER);
                assert_eq!(problems, []);
                for (row, logit) in logits.iter().enumerate() {
                    let dense = engine.dense_logit(&picture(&rows, row, width)[..]);
                    assert_eq!(
                        logit.to_bits(),
                        dense.to_bits(),
                        "{channels:?} {line_width} row {row}: {logit} {dense}"
                    );
                }
            }
        }
    }

    #[test]
    fn logits_are_those_of_the_definition() {
        let rows = rows();
        let width = LineWidth::new(2.0).unwrap();
        for (channels, projection) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
            let network = network(channels, projection);
            let engine = Engine::new(&network, width).unwrap();
            for row in [0, 1, 5] {
                let canvas = picture(&rows, row, width);
                let (found, expected) = (engine.dense_logit(&canvas[..]), plain_logit(&network, &canvas[..]));
                assert!((f64::from(found) - expected).abs() < 1e-4, "{channels:?} {projection}: {found} {expected}");
            }
        }
    }

    #[test]
    fn pictures_give_the_logits_of_their_rows() {
        let rows = rows();
        let width = LineWidth::new(1.5).unwrap();
        let engine = Engine::new(&network(SHAPES[0], false), width).unwrap();
        let pictures: Vec<f32> = (0..rows.len()).flat_map(|row| *picture(&rows, row, width)).collect();
        assert_eq!(
            engine.picture_logits(&pictures, &Threads::CALLER),
            engine.logits(&rows, 0..rows.len(), &Threads::CALLER).0
        );
    }

    #[test]
    fn every_instruction_set_gives_the_same_scores() {
        let rows = rows();
        let score = |logit: &f32| 1.0 / (1.0 + (-f64::from(*logit)).exp());
        for (channels, projection) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
            let network = network(channels, projection);
            let logits = [Level::new(), Level::baseline(), Level::fallback()].map(|level| {
                let engine = Engine::with_level(&network, LineWidth::new(1.5).unwrap(), level).unwrap();
                engine.logits(&rows, 0..rows.len(), &Threads::CALLER).0
            });
            for (row, best) in logits[0].iter().enumerate() {
                for other in &logits[1..] {
                    let apart = (score(best) - score(&other[row])).abs();
                    assert!(apart < 1e-5, "{channels:?} row {row}: {best} {}", other[row]);
                }
            }
        }
    }

    #[test]
    fn threads_and_order_do_not_matter() {
        let rows = rows();
        let engine = Engine::new(&network(SHAPES[0], false), LineWidth::new(1.5).unwrap()).unwrap();
        let expected = engine.logits(&rows, 0..rows.len(), &Threads::CALLER).0;
        for threads in [2, 5] {
            let found = engine.logits(&rows, 0..rows.len(), &Threads::new(threads).unwrap()).0;
            assert_eq!(found, expected, "{threads} threads");
        }
        for row in (0..rows.len()).rev() {
            assert_eq!(engine.logits(&rows, row..row + 1, &Threads::CALLER).0, [expected[row]]);
        }
    }

    #[test]
    fn bad_rows_are_nan_and_leave_nothing_behind() {
        let mut rows = rows();
        rows.end_row(Err(RowError::NullRow));
        rows.push_point(1.0, 2.0);
        rows.end_stroke();
        rows.end_row(Ok(()));
        let engine = Engine::new(&network(SHAPES[0], false), LineWidth::new(1.5).unwrap()).unwrap();
        let (logits, problems) = engine.logits(&rows, 23..26, &Threads::CALLER);
        assert!(logits[1].is_nan() && !logits[2].is_nan());
        assert_eq!(problems, [(24, RowError::NullRow)]);
    }

    #[test]
    fn tensors_of_another_length_are_refused() {
        let mut broken = network(SHAPES[0], true);
        broken.blocks[1].second.1.pop();
        let error = Engine::new(&broken, LineWidth::new(1.5).unwrap()).err().unwrap();
        assert_eq!(error.to_string(), "block 1, second convolution bias: expected 16 numbers, found 15");
    }
}
