//! The whole network: rows of strokes to logits.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch, f32x4, f32x8, prelude::*};

use super::changes::Changes;
use super::description::{Network, NetworkError};
use super::layers::{self, Activations, Blank, Layers};
use super::plane::Plane;
use super::profile::{Clock, Stage};
use crate::canvas::{CanvasPoints, LANES, LineWidth, PIXELS, RowBits, SIDE};
use crate::fit::Fit;
use crate::limits::MAX_KEPT_POINTS;
use crate::raster::Raster;
use crate::registers::lanes;
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::spares::{Loan, Spares};
use crate::strokes::Strokes;
use crate::threads::Threads;

/// A network that is ready to score, with working memory for threads.
pub struct Engine {
    level: Level,
    layers: Layers,
    head: Vec<f32>,
    head_bias: f32,
    line_width: LineWidth,
    blank: Blank,
    idle: Spares<Scratch>,
}

/// The working memory of one thread. Between rows it has the values of a blank canvas.
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
    /// When the length of a tensor does not fit the structure.
    pub fn new(network: &Network, line_width: LineWidth) -> Result<Self, NetworkError> {
        Self::with_level(network, line_width, Level::new())
    }

    fn with_level(network: &Network, line_width: LineWidth, level: Level) -> Result<Self, NetworkError> {
        network.check()?;
        let layers = Layers::new(network, dispatch!(level, simd => lanes(simd)));
        let (head, head_bias, idle) = (network.head.clone(), network.head_bias, Spares::new());
        let blank = Blank::from(Activations::zeros(&network.structure));
        let mut engine = Engine { level, layers, head, head_bias, line_width, blank, idle };
        let mut scratch = engine.scratch();
        engine.run_whole(&mut scratch);
        engine.blank = Blank::from(scratch.activations);
        Ok(engine)
    }

    /// Scores `range` of `rows`. Returns the logits, NaN for bad rows, and the indices of bad rows in order, with their
    /// errors.
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
            let mut are_finite = true;
            scratch.picture.changes.restart(0);
            for (row, pixels) in picture.chunks_exact(SIDE).enumerate() {
                let copied = scratch.picture.pixels_mut(row, 0, SIDE);
                copied.copy_from_slice(pixels);
                are_finite &= copied.iter().all(|pixel| pixel.is_finite());
                // Of the copy: another thread may write to the picture.
                let ink = dispatch!(self.level, simd => ink(simd, copied));
                scratch.picture.changes.push(ink);
            }
            if !are_finite {
                // Times a weight of 0, such a pixel makes NaN of neighbours that ink would not change.
                scratch.picture.changes = Changes::whole(SIDE);
            }
            self.score(scratch, &mut Clock::stopped())
        };
        threads.map(pictures.chunks_exact(PIXELS).collect(), || self.borrow(), work)
    }

    /// The logit of a picture without skipping anything, for comparison.
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

    /// The time and the multiplications of each stage of scoring `range` of `rows` on the current thread. Bad rows are
    /// skipped.
    pub fn profile(&self, rows: &dyn Rows, range: Range<usize>) -> Vec<Stage> {
        let convolutions = (0..self.blank.activations.blocks()).flat_map(|block| [0, 1].map(|part| (block, part)));
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
            activations: self.blank.activations.clone(),
            layers: self.layers.scratch(&self.blank.activations),
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
        if strokes.x().len() > MAX_KEPT_POINTS {
            scratch.points = CanvasPoints::default();
            scratch.raster = Raster::default();
        }
        clock.lap(0);
        self.score(scratch, clock)
    }

    /// The logit of the picture in the scratch. Leaves the scratch blank.
    fn score(&self, scratch: &mut Scratch, clock: &mut Clock) -> f32 {
        self.run(scratch, clock);
        let logit = self.head(&scratch.activations);
        scratch.activations.restore(&self.blank);
        scratch.picture.clear();
        clock.lap(0);
        logit
    }

    /// Computes everything, whether or not it differs from a blank canvas.
    fn run_whole(&self, scratch: &mut Scratch) {
        scratch.picture.changes = Changes::whole(SIDE);
        self.run(scratch, &mut Clock::stopped());
    }

    /// The only place where the layers are compiled, once for each instruction set.
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
mod tests;
