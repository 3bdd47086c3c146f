use super::*;
use crate::canvas::Canvas;
use crate::network::structure::{STEM, Shape, Structure};
use crate::render::{Scratch as RenderScratch, render};
use crate::rows::OwnedRows;
use crate::testing::{MadeNumbers, levels};

fn network(channels: &[usize], projection: bool) -> Network {
    let mut numbers = MadeNumbers(7);
    let mut convolution = |shape: Shape| {
        let taps = (shape.weights() / shape.outputs) as f64;
        (numbers.take(shape.weights(), 1.5 / taps.sqrt()), numbers.take(shape.outputs, 0.3))
    };
    let structure = Structure::new(channels[0], &channels[1..], projection);
    let layers = structure.units.iter().map(|unit| convolution(unit.shape)).collect();
    let head = numbers.take(structure.last_channels(), 1.0);
    Network { structure, layers, head, head_bias: 0.25 }
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
                sum +=
                    f64::from(weight) * self.at(row * stride + down - border, column * stride + right - border, input);
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
    let layers = &network.layers;
    let mut x = picture.convolved(&layers[STEM], 2).rectified();
    for block in &network.structure.blocks {
        let middle = x.convolved(&layers[block.first], 2).rectified();
        let output = middle.convolved(&layers[block.second], 1);
        let shortcut = match block.projection {
            Some(unit) => x.convolved(&layers[unit], 2),
            None => Plain::map(output.side, output.channels, |row, column, channel| x.at(2 * row, 2 * column, channel)),
        };
        x = Plain::map(output.side, output.channels, |row, column, channel| {
            (output.at(row, column, channel) + shortcut.at(row, column, channel)).max(0.0)
        });
    }
    let pixels = (x.side * x.side) as f64;
    let weighted =
        x.values.iter().enumerate().map(|(index, value)| value * f64::from(network.head[index % x.channels]));
    f64::from(network.head_bias) + weighted.sum::<f64>() / pixels
}

/// Dots, flat lines, scribbles over the whole canvas, lines in corners: ink everywhere and nowhere.
fn rows() -> OwnedRows {
    let mut numbers = MadeNumbers(3);
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

/// A row's picture as the engine of a level draws it: other levels round otherwise.
fn drawn(rows: &OwnedRows, row: usize, line_width: LineWidth, level: Level) -> Vec<f32> {
    let strokes = rows.row(row).unwrap();
    let (mut points, mut raster, mut canvas) = (CanvasPoints::default(), Raster::default(), vec![0.0; PIXELS]);
    Fit::new(&strokes).apply(&strokes, &mut points);
    dispatch!(level, simd => {
        raster.draw(simd, &points, strokes.point_ranges(), line_width);
        for (row, pixels) in canvas.chunks_exact_mut(SIDE).enumerate() {
            raster.take_row(simd, row, 0, pixels, line_width);
        }
    });
    canvas
}

const SHAPES: [&[usize]; 7] = [
    &[4, 8, 16, 32, 32],
    &[8, 8, 16, 16],
    &[3, 5, 9, 40],
    &[1, 1],
    &[4, 8, 48, 64],
    &[4, 4, 4, 4, 4, 4, 4, 4],
    &[4, 4, 4, 4, 4, 4, 4, 8],
];

#[test]
fn sparse_logits_have_the_bits_of_dense_ones() {
    let rows = rows();
    for (channels, projection) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let network = network(channels, projection);
        for (place, level) in levels().into_iter().enumerate() {
            // The best level is tested more than those that few processors need.
            let (line_widths, step): (&[f64], usize) = if place == 0 { (&[1.5, 30.0, 256.0], 1) } else { (&[2.0], 5) };
            for &line_width in line_widths {
                let width = LineWidth::new(line_width).unwrap();
                let engine = Engine::with_level(&network, width, level).unwrap();
                let (logits, problems) = engine.logits(&rows, 0..rows.len(), &Threads::CALLER);
                assert_eq!(problems, []);
                let at = format!("{channels:?} {projection} {line_width} {level:?}");
                for (row, logit) in logits.iter().enumerate().step_by(step) {
                    let dense = engine.dense_logit(&drawn(&rows, row, width, level));
                    assert_eq!(logit.to_bits(), dense.to_bits(), "{at} row {row}: {logit} {dense}");
                }
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
        let engines = levels().into_iter().map(|level| Engine::with_level(&network, width, level).unwrap());
        let engines: Vec<_> = engines.collect();
        for row in [0, 1, 5] {
            let canvas = picture(&rows, row, width);
            let expected = plain_logit(&network, &canvas[..]);
            for engine in &engines {
                let found = engine.dense_logit(&canvas[..]);
                let at = format!("{channels:?} {projection} {:?}", engine.level);
                assert!((f64::from(found) - expected).abs() < 1e-4, "{at}: {found} {expected}");
            }
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
        let logits = levels().into_iter().map(|level| {
            let engine = Engine::with_level(&network, LineWidth::new(1.5).unwrap(), level).unwrap();
            engine.logits(&rows, 0..rows.len(), &Threads::CALLER).0
        });
        let logits: Vec<_> = logits.collect();
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
    broken.layers[5].1.pop();
    let error = Engine::new(&broken, LineWidth::new(1.5).unwrap()).err().unwrap();
    assert_eq!(error.to_string(), "block 1, second convolution bias: expected 16 numbers, found 15");
}

#[test]
fn networks_without_channels_are_refused() {
    for channels in [&[0, 4][..], &[4, 0], &[4, 8, 0]] {
        let error = Engine::new(&network_of(channels), LineWidth::new(1.5).unwrap()).err().unwrap();
        assert!(error.to_string().ends_with("channels: expected 1 numbers, found 0"), "{error}");
    }
}

/// A network of zeros.
fn network_of(channels: &[usize]) -> Network {
    let structure = Structure::new(channels[0], &channels[1..], true);
    let zeros = |count: usize| vec![0.0; count];
    let layers = structure.units.iter().map(|unit| (zeros(unit.shape.weights()), zeros(unit.shape.outputs))).collect();
    let head = zeros(structure.last_channels());
    Network { structure, layers, head, head_bias: 0.0 }
}

#[test]
fn pictures_that_are_not_finite_leave_nothing_behind() {
    let rows = rows();
    let width = LineWidth::new(1.5).unwrap();
    for (channels, projection) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let network = network(channels, projection);
        for level in levels() {
            let engine = Engine::with_level(&network, width, level).unwrap();
            let expected = engine.logits(&rows, 0..4, &Threads::CALLER).0;
            let mut picture = vec![0.0; PIXELS];
            for value in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, -0.0] {
                for column in [0, 1, 25, 26, SIDE - 1] {
                    picture.fill(0.0);
                    picture[125 * SIDE + column] = value;
                    engine.picture_logits(&picture, &Threads::CALLER);
                    let found = engine.logits(&rows, 0..4, &Threads::CALLER).0;
                    assert_eq!(found, expected, "{channels:?} {projection} {level:?} {value} {column}");
                }
            }
        }
    }
}
