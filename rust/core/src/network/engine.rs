//! The whole network: rows of strokes to logits.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use fearless_simd::{Level, Simd, dispatch};
use rayon::prelude::*;

use super::convolution::{Convolution, Residual, padded};
use super::plane::{Plane, Rectangle};
use crate::canvas::{Canvas, PIXELS, SIDE};
use crate::error::RowError;
use crate::fit::{CanvasPoints, Fit};
use crate::raster::{self, LineWidth};
use crate::rows::Rows;
use crate::strokes::Strokes;

/// How a block's input is added to its output.
#[derive(Clone, Debug)]
pub enum Shortcut {
    /// Every second pixel; new channels get nothing.
    Identity,
    /// A 1x1 convolution of stride 2, with weights [outputs][inputs] and a bias [outputs].
    Projection(Vec<f32>, Vec<f32>),
}

/// Two 3x3 convolutions, the first of stride 2, and a shortcut around them. Weights are [outputs][3][3][inputs].
#[derive(Clone, Debug)]
pub struct Block {
    /// Channels of the output.
    pub outputs: usize,
    /// Weights and bias of the convolution of stride 2.
    pub first: (Vec<f32>, Vec<f32>),
    /// Weights and bias of the convolution of stride 1.
    pub second: (Vec<f32>, Vec<f32>),
    /// The shortcut.
    pub shortcut: Shortcut,
}

/// The numbers of a network whose batch norm has been folded into its convolutions.
#[derive(Clone, Debug)]
pub struct Network {
    /// Channels of the stem.
    pub channels: usize,
    /// Weights [channels][3][3][1] and bias of the stem, a convolution of stride 2.
    pub stem: (Vec<f32>, Vec<f32>),
    /// The blocks, each of which halves the picture.
    pub blocks: Vec<Block>,
    /// Weights of the linear unit on the average of the last block's channels.
    pub head: Vec<f32>,
    /// Bias of the linear unit.
    pub head_bias: f32,
}

/// A network whose tensors do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tensor}: expected {expected} numbers, found {found}")]
pub struct NetworkError {
    tensor: String,
    expected: usize,
    found: usize,
}

fn expect(tensor: String, values: &[f32], expected: usize) -> Result<(), NetworkError> {
    if values.len() == expected { Ok(()) } else { Err(NetworkError { tensor, expected, found: values.len() }) }
}

struct EngineBlock {
    first: Convolution,
    second: Convolution,
    /// Weights [input channel][output channel] of the projection; its bias is in `second`.
    projection: Option<Vec<f32>>,
}

/// A network that is ready to score, with memory for each thread that does.
pub struct Engine {
    stem: Convolution,
    blocks: Vec<EngineBlock>,
    head: Vec<f32>,
    head_bias: f32,
    line_width: LineWidth,
    /// The activations of a blank canvas.
    blank: Activations,
    /// Scratch that no thread uses at the moment.
    idle: Mutex<Vec<Scratch>>,
}

/// The outputs of the stem and of each block's two convolutions.
#[derive(Clone)]
struct Activations {
    stem: Plane,
    blocks: Vec<[Plane; 2]>,
}

/// What one thread works on. Between rows everything is as a blank canvas leaves it.
struct Scratch {
    points: CanvasPoints,
    canvas: Box<Canvas>,
    picture: Plane,
    activations: Activations,
}

impl Engine {
    /// Arranges a network for scoring.
    ///
    /// # Errors
    /// When the length of a tensor does not fit the channels.
    pub fn new(network: &Network, line_width: LineWidth) -> Result<Self, NetworkError> {
        let checked = |name: &str, (weights, bias): &(Vec<f32>, Vec<f32>), inputs, outputs| {
            expect(format!("{name} weights"), weights, 9 * inputs * outputs)?;
            expect(format!("{name} bias"), bias, outputs)
        };
        checked("stem", &network.stem, 1, network.channels)?;
        let stem = Convolution::new(&network.stem.0, &network.stem.1, 1, 1, 2);
        let mut inputs = network.channels;
        let mut blocks = Vec::new();
        for (index, block) in network.blocks.iter().enumerate() {
            let name = |part| format!("block {index}, {part} convolution");
            checked(&name("first"), &block.first, inputs, block.outputs)?;
            checked(&name("second"), &block.second, block.outputs, block.outputs)?;
            let first = Convolution::new(&block.first.0, &block.first.1, inputs, padded(inputs), 2);
            let outputs = block.outputs;
            let mut second = Convolution::new(&block.second.0, &block.second.1, outputs, padded(outputs), 1);
            let mut projection = None;
            if let Shortcut::Projection(weights, bias) = &block.shortcut {
                expect(name("projection"), weights, inputs * block.outputs)?;
                expect(name("projection bias"), bias, block.outputs)?;
                second.add_bias(bias);
                projection = Some(transposed(weights, inputs, block.outputs));
            }
            blocks.push(EngineBlock { first, second, projection });
            inputs = block.outputs;
        }
        expect("head".into(), &network.head, inputs)?;
        let mut engine = Engine {
            blank: Activations::zeros(&stem, &blocks),
            stem,
            blocks,
            head: network.head.clone(),
            head_bias: network.head_bias,
            line_width,
            idle: Mutex::default(),
        };
        let mut blank = engine.blank.clone();
        engine.run(&Plane::new(SIDE, 1), &mut blank, &Rectangle::whole(SIDE));
        engine.blank = blank;
        Ok(engine)
    }

    /// Scores `range` of `rows` on the current rayon pool, a single row on the current thread, as logits; NaN for bad
    /// rows, which are returned in order with what is wrong with them.
    pub fn logits(&self, rows: &dyn Rows, range: Range<usize>) -> (Vec<f32>, Vec<(usize, RowError)>) {
        let work = |scratch: &mut Borrowed, index| rows.row(index).map(|strokes| self.logit(&strokes, scratch.get()));
        let outcomes = if range.len() == 1 {
            vec![work(&mut Borrowed::new(self), range.start)]
        } else {
            range.clone().into_par_iter().map_init(|| Borrowed::new(self), work).collect()
        };
        let mut logits = Vec::with_capacity(outcomes.len());
        let mut problems = Vec::new();
        for (index, outcome) in range.zip(outcomes) {
            logits.push(*outcome.as_ref().unwrap_or(&f32::NAN));
            problems.extend(outcome.err().map(|error| (index, error)));
        }
        (logits, problems)
    }

    fn logit(&self, strokes: &Strokes, scratch: &mut Scratch) -> f32 {
        let Scratch { points, canvas, picture, activations } = scratch;
        let fit = Fit::new(strokes);
        dispatch!(Level::new(), simd => {
            fit.apply(strokes, points);
            raster::draw(simd, canvas, points, strokes.point_ranges(), self.line_width);
        });
        let ink = fit.ink(self.line_width);
        for row in ink.rows.clone() {
            let drawn = &mut canvas[row * SIDE..][ink.columns.clone()];
            picture.pixels_mut(row, ink.columns.start, drawn.len()).copy_from_slice(drawn);
            drawn.fill(0.0);
        }
        let areas = self.run(picture, activations, &ink);
        let logit = self.head(activations);
        for row in ink.rows.clone() {
            picture.pixels_mut(row, ink.columns.start, ink.columns.len()).fill(0.0);
        }
        activations.restore(&self.blank, &areas);
        logit
    }

    /// The logit of a picture of which everything is computed, for comparison.
    ///
    /// # Panics
    /// If `picture` does not have 256 x 256 pixels.
    pub fn dense_logit(&self, picture: &[f32]) -> f32 {
        assert_eq!(picture.len(), PIXELS, "one canvas");
        let mut plane = Plane::new(SIDE, 1);
        for (row, pixels) in picture.chunks_exact(SIDE).enumerate() {
            plane.pixels_mut(row, 0, SIDE).copy_from_slice(pixels);
        }
        let mut activations = Activations::zeros(&self.stem, &self.blocks);
        self.run(&plane, &mut activations, &Rectangle::whole(SIDE));
        self.head(&activations)
    }

    /// Recomputes what `changed` pixels of the picture reach, and returns what that was in each plane.
    fn run(&self, picture: &Plane, activations: &mut Activations, changed: &Rectangle) -> Vec<Rectangle> {
        dispatch!(Level::new(), simd => self.run_with(simd, picture, activations, changed))
    }

    #[inline(always)]
    fn run_with<S: Simd>(
        &self,
        simd: S,
        picture: &Plane,
        activations: &mut Activations,
        changed: &Rectangle,
    ) -> Vec<Rectangle> {
        let mut areas = vec![changed.reached(2, activations.stem.side)];
        self.stem.apply(simd, picture, &mut activations.stem, Residual::None, &areas[0]);
        let mut input = &activations.stem;
        for (block, [middle, output]) in self.blocks.iter().zip(&mut activations.blocks) {
            let first = areas[areas.len() - 1].reached(2, middle.side);
            block.first.apply(simd, input, middle, Residual::None, &first);
            let second = first.reached(1, output.side);
            let residual = match &block.projection {
                Some(weights) => Residual::Projection(input, weights),
                None => Residual::Identity(input),
            };
            block.second.apply(simd, middle, output, residual, &second);
            areas.extend([first, second]);
            input = output;
        }
        areas
    }

    /// The linear unit on the channels' averages.
    fn head(&self, activations: &Activations) -> f32 {
        let last = activations.blocks.last().map_or(&activations.stem, |[_, second]| second);
        let mut sums = vec![0.0; last.channels];
        for row in 0..last.side {
            for pixel in last.pixels(row, 0, last.side).chunks_exact(last.channels) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
        }
        let pixels = (last.side * last.side) as f32;
        sums.iter().zip(&self.head).fold(self.head_bias, |total, (sum, weight)| total + sum / pixels * weight)
    }
}

/// Weights [outputs][inputs] as [input][output], padded.
fn transposed(weights: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    let (padded_inputs, padded_outputs) = (padded(inputs), padded(outputs));
    let mut result = vec![0.0; padded_inputs * padded_outputs];
    for (output, values) in weights.chunks_exact(inputs).enumerate() {
        for (input, &value) in values.iter().enumerate() {
            result[input * padded_outputs + output] = value;
        }
    }
    result
}

impl Activations {
    fn zeros(stem: &Convolution, blocks: &[EngineBlock]) -> Self {
        let mut side = SIDE / 2;
        let stem = Plane::new(side, stem.outputs());
        let blocks = blocks.iter().map(|block| {
            side = side.div_ceil(block.first.stride());
            [Plane::new(side, block.first.outputs()), Plane::new(side, block.second.outputs())]
        });
        Activations { stem, blocks: blocks.collect() }
    }

    fn restore(&mut self, blank: &Activations, areas: &[Rectangle]) {
        let planes = std::iter::once(&mut self.stem).chain(self.blocks.as_flattened_mut());
        let blank_planes = std::iter::once(&blank.stem).chain(blank.blocks.as_flattened());
        for ((plane, blank), area) in planes.zip(blank_planes).zip(areas) {
            plane.restore(blank, area);
        }
    }
}

/// Scratch on loan from an engine.
struct Borrowed<'a> {
    engine: &'a Engine,
    scratch: Option<Scratch>,
}

impl<'a> Borrowed<'a> {
    fn new(engine: &'a Engine) -> Self {
        let idle = engine.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Borrowed { engine, scratch: idle }
    }

    fn get(&mut self) -> &mut Scratch {
        self.scratch.get_or_insert_with(|| Scratch {
            points: CanvasPoints::default(),
            canvas: vec![0.0; PIXELS].try_into().expect("PIXELS floats"),
            picture: Plane::new(SIDE, 1),
            activations: self.engine.blank.clone(),
        })
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        // After a panic the scratch may hold half a row; it is not given back.
        if let Some(scratch) = self.scratch.take().filter(|_| !std::thread::panicking()) {
            self.engine.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Scratch as RenderScratch, render};
    use crate::rows::OwnedRows;
    use crate::threads::pool;

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
                let (logits, problems) = engine.logits(&rows, 0..rows.len());
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
    fn threads_and_order_do_not_matter() {
        let rows = rows();
        let engine = Engine::new(&network(SHAPES[0], false), LineWidth::new(1.5).unwrap()).unwrap();
        let expected = pool(1).unwrap().install(|| engine.logits(&rows, 0..rows.len())).0;
        for threads in [2, 5] {
            let found = pool(threads).unwrap().install(|| engine.logits(&rows, 0..rows.len())).0;
            assert_eq!(found, expected, "{threads} threads");
        }
        for row in (0..rows.len()).rev() {
            assert_eq!(engine.logits(&rows, row..row + 1).0, [expected[row]]);
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
        let (logits, problems) = engine.logits(&rows, 23..26);
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
