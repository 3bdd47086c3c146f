//! The whole network, forward and backward.

use fearless_simd::{Level, dispatch, prelude::*};

use crate::maps::Maps;
use crate::normalization::{After, Normalization, Statistics, add_up, moments, rectify_gradient, statistics};
use crate::row_gradients::RowGradients;
use crate::shared_rows::Window;
use crate::weight_gradient::weight_gradient;
use crate::windows::{WindowRows, Windows};
use penpal_core::network::structure::{Block, STEM, Structure, Unit};
use penpal_core::{PIXELS, SIDE, Threads};

/// The parameters of a convolution and of the batch norm after it, or their gradient.
#[derive(Clone, Debug)]
pub struct Layer {
    /// [outputs][kernel][kernel][inputs].
    pub weights: Vec<f32>,
    /// [outputs].
    pub scale: Vec<f32>,
    /// [outputs].
    pub shift: Vec<f32>,
}

/// The parameters of a network.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The stem, then each block's two layers and, if it has one, its projection.
    pub layers: Vec<Layer>,
    /// Weights of the linear unit on the average of the last block's channels.
    pub head: Vec<f32>,
    /// Bias of the linear unit.
    pub head_bias: f32,
}

/// The gradient of the parameters of a network, in the same order.
pub type Gradients = Parameters;

/// A network and the activations of the last batch, which [`Backpropagation::backward`] needs.
pub struct Backpropagation {
    level: Level,
    structure: Structure,
    epsilon: f32,
    /// One for each picture of the last batch.
    pictures: Vec<Maps>,
    batch: Option<Batch>,
}

/// What the forward pass of a batch leaves for the backward pass.
struct Batch {
    parameters: Parameters,
    normalizations: Vec<Normalization>,
    /// For each picture, the average of each channel of the last output.
    averages: Vec<Vec<f32>>,
}

impl Backpropagation {
    /// A network with these channels (stem, then each block). `epsilon`, above 0, is added to variances. `None` if
    /// there is no block, if there are so many that a picture shrinks to one value, if an identity shortcut would lose
    /// channels, or if `epsilon` is not above 0.
    pub fn new(channels: &[usize], projection: bool, epsilon: f32) -> Option<Self> {
        const MAX_LAYERS: usize = SIDE.trailing_zeros() as usize - 1;
        let kept = projection || channels.is_sorted();
        if !(2..=MAX_LAYERS).contains(&channels.len()) || channels.contains(&0) || !kept {
            return None;
        }
        let structure = Structure::new(channels[0], &channels[1..], projection);
        let network = || Backpropagation { level: Level::new(), structure, epsilon, pictures: Vec::new(), batch: None };
        (epsilon > 0.0).then(network)
    }

    /// Whether the parameters fit the structure.
    fn fits(&self, parameters: &Parameters) -> bool {
        let found = parameters.layers.iter().map(|layer| [layer.weights.len(), layer.scale.len(), layer.shift.len()]);
        let shapes = self.structure.units.iter().map(|unit| unit.shape);
        found.eq(shapes.map(|shape| [shape.weights(), shape.outputs, shape.outputs]))
            && self.structure.last_channels() == parameters.head.len()
    }

    /// Whether there are statistics for every output of every layer.
    fn are_for_layers(&self, fixed: &[Statistics]) -> bool {
        let found = fixed.iter().map(|pair| pair.each_ref().map(Vec::len));
        found.eq(self.structure.units.iter().map(|unit| [unit.shape.outputs; 2]))
    }

    /// The logits of pictures of 256 x 256 pixels, one after the other, and for each layer the means and the unbiased
    /// variances of its sums over the batch, [outputs] each. Batch norm uses the statistics of the batch, or those that
    /// are `fixed` for each layer. `None` if the parameters or the fixed statistics do not fit the structure or there
    /// are no pictures. The logits are NaN if any intermediate value is not finite.
    ///
    /// # Panics
    /// If `pictures` does not hold whole pictures.
    pub fn forward(
        &mut self,
        parameters: Parameters,
        fixed: Option<&[Statistics]>,
        pictures: &[f32],
        threads: &Threads,
    ) -> Option<(Vec<f32>, Vec<Statistics>)> {
        assert!(pictures.len().is_multiple_of(PIXELS), "whole pictures");
        if pictures.is_empty() || !self.fits(&parameters) || fixed.is_some_and(|fixed| !self.are_for_layers(fixed)) {
            return None;
        }
        self.batch = None;
        self.set_pictures(pictures, threads);
        let mut pass = Forward {
            network: self,
            threads,
            parameters: &parameters,
            fixed,
            normalizations: Vec::new(),
            statistics: Vec::new(),
        };
        pass.sum(STEM);
        pass.finish(STEM, None);
        for block in pass.network.structure.blocks.clone() {
            pass.sum(block.first);
            pass.finish(block.first, None);
            pass.sum(block.second);
            if let Some(projection) = block.projection {
                pass.sum(projection);
            }
            pass.finish(block.second, Some(block));
        }
        let Forward { normalizations, statistics, .. } = pass;
        let averages: Vec<_> = self.pictures.iter().map(|maps| maps.average(self.structure.last_output())).collect();
        let logits = averages.iter().map(|average| {
            let terms = average.iter().zip(&parameters.head).map(|(value, weight)| value * weight);
            terms.sum::<f32>() + parameters.head_bias
        });
        // ReLU turns NaN into 0, which must not become a logit.
        let finite = statistics.iter().flatten().flatten().all(|value| value.is_finite())
            && normalizations.iter().all(Normalization::is_finite);
        let logits = logits.map(|logit| if finite { logit } else { f32::NAN }).collect();
        self.batch = Some(Batch { parameters, normalizations, averages });
        Some((logits, statistics))
    }

    /// Takes in the pictures of a batch.
    fn set_pictures(&mut self, pictures: &[f32], threads: &Threads) {
        let structure = &self.structure;
        self.pictures.resize_with(pictures.len() / PIXELS, || Maps::new(structure));
        let items = self.pictures.iter_mut().zip(pictures.chunks_exact(PIXELS)).collect();
        threads.map(items, || (), |(), (maps, picture): (&mut Maps, &[f32])| maps.set_picture(structure, picture));
    }

    /// The gradient of the parameters, from the gradient of the logits of the last batch. `None` if there is no batch
    /// since the last call or it had another number of pictures.
    pub fn backward(&mut self, by_logits: &[f32], threads: &Threads) -> Option<Gradients> {
        let batch = self.batch.take_if(|batch| batch.averages.len() == by_logits.len())?;
        let output = self.structure.last_output();
        let head = &batch.parameters.head;
        let mut by_head = vec![0.0; head.len()];
        for ((maps, average), &by_logit) in self.pictures.iter_mut().zip(&batch.averages).zip(by_logits) {
            by_head.iter_mut().zip(average).for_each(|(sum, value)| *sum += by_logit * value);
            let by_average: Vec<f32> = head.iter().map(|weight| by_logit * weight).collect();
            maps.set_gradient_by_average(output, &by_average);
        }
        let mut layers = Vec::new();
        for block in self.structure.blocks.clone().into_iter().rev() {
            self.block_backward(block, &batch, threads, &mut layers);
        }
        layers.push(self.unit_backward(STEM, &batch, threads));
        layers.reverse();
        Some(Gradients { layers, head: by_head, head_bias: by_logits.iter().sum() })
    }

    /// The backward pass of a block. Adds the gradients of its layers, the last first.
    fn block_backward(&mut self, block: Block, batch: &Batch, threads: &Threads, layers: &mut Vec<Layer>) {
        let second = self.unit_backward(block.second, batch, threads);
        let first = self.unit_backward(block.first, batch, threads);
        match block.projection {
            Some(projection) => layers.push(self.unit_backward(projection, batch, threads)),
            None => {
                let (input, output) = (self.structure.units[block.first].input, block.second + 1);
                self.each(threads, |_, maps| maps.add_shortcut_gradient(input, output));
            }
        }
        layers.extend([second, first]);
    }

    /// The backward pass of a unit: the gradients of its parameters and of its input. It sets the latter, but that of a
    /// projection adds to it, as the block's first unit has set it.
    fn unit_backward(&mut self, number: usize, batch: &Batch, threads: &Threads) -> Layer {
        let unit = self.structure.units[number];
        let Unit { shape, input, output, .. } = unit;
        let is_projection = unit.is_projection();
        let normalization = &batch.normalizations[number];
        let totals = self.each(threads, |level, maps| {
            let Maps { sums, outputs, gradients, .. } = maps;
            let (sums, outputs, gradient) = (&sums[number], &outputs[output], &mut gradients[output]);
            dispatch!(level, simd => simd.vectorize(
                #[inline(always)]
                || {
                    // The block's second unit, to which a projection is added, has done this already.
                    if !is_projection {
                        rectify_gradient(simd, outputs, gradient);
                    }
                    normalization.gradient_sums(simd, sums, gradient)
                },
            ))
        });
        let totals = add_up(totals);
        let backward_map = normalization.backward_map(&totals);
        // The gradient of the picture is not needed.
        let to_input =
            if input == 0 { Vec::new() } else { Windows::backward(shape, &batch.parameters.layers[number].weights) };
        let weights = self.each(threads, |level, maps| {
            let places = maps.windows(&unit);
            let Maps { shared, sums, outputs, gradients } = maps;
            let (sums, inputs) = (&mut sums[number], &outputs[input]);
            let counts: Vec<f32> = shared[output].counts().collect();
            dispatch!(level, simd => simd.vectorize(
                #[inline(always)]
                || {
                    backward_map.apply(simd, &gradients[output], sums, &counts);
                    if !to_input.is_empty() {
                        let by_rows = RowGradients::new(&places, sums, inputs.rows);
                        let rows = by_rows.rows(sums);
                        // No closure of an iterator: it would be compiled without the instructions of `simd`.
                        for windows in &to_input {
                            windows.apply(simd, &rows, &mut gradients[input], is_projection);
                        }
                    }
                    weight_gradient(simd, shape, inputs, &places, sums)
                },
            ))
        });
        let [scale, shift] = normalization.gradients(&totals, shape.outputs);
        Layer { weights: summed(weights), scale, shift }
    }

    /// The results of `work` for each picture.
    fn each<R: Send>(&mut self, threads: &Threads, work: impl Fn(Level, &mut Maps) -> R + Send + Sync) -> Vec<R> {
        let level = self.level;
        threads.map(self.pictures.iter_mut().collect(), || (), |(), maps| work(level, maps))
    }
}

/// The forward pass of a batch.
struct Forward<'a> {
    network: &'a mut Backpropagation,
    threads: &'a Threads,
    parameters: &'a Parameters,
    fixed: Option<&'a [Statistics]>,
    normalizations: Vec<Normalization>,
    statistics: Vec<Statistics>,
}

impl Forward<'_> {
    /// Computes the sums of the next unit and their normalization.
    fn sum(&mut self, number: usize) {
        let unit = self.network.structure.units[number];
        let Unit { shape, side, input, output } = unit;
        let layer = &self.parameters.layers[number];
        let windows = Windows::forward(shape, &layer.weights);
        let moments = self.network.each(self.threads, |level, maps| {
            let places = maps.windows(&unit);
            let (input, sums, shared) = (&maps.outputs[input], &mut maps.sums[number], &maps.shared[output]);
            let rows = |window: &Window| window.map(|row| row.map(|row| input.row(row)));
            let rows: Vec<WindowRows> = places.iter().map(rows).collect();
            dispatch!(level, simd => simd.vectorize(
                #[inline(always)]
                || {
                    windows.apply(simd, &rows, sums, false);
                    moments(simd, sums, shared.counts())
                },
            ))
        });
        let count = moments.len() * side * side;
        let of_batch = statistics(&add_up(moments), count);
        let (scale, shift, epsilon) = (&layer.scale, &layer.shift, self.network.epsilon);
        self.normalizations.push(match self.fixed {
            Some(fixed) => Normalization::fixed(scale, shift, &fixed[number], of_batch[0].len(), epsilon),
            None => Normalization::of_batch(scale, shift, &of_batch, count, epsilon),
        });
        let [mean, variance] = of_batch.map(|values| values[..shape.outputs].to_vec());
        let unbiased = (count as f64 / (count as f64 - 1.0)) as f32;
        self.statistics.push([mean, variance.into_iter().map(|variance| variance * unbiased).collect()]);
    }

    /// Computes the output of a unit from its sums and the shortcut of `block`, if the unit is the block's second.
    fn finish(&mut self, number: usize, block: Option<Block>) {
        let (normalizations, output) = (&self.normalizations, number + 1);
        let input = block.map(|block| self.network.structure.units[block.first].input);
        let projection = block.and_then(|block| block.projection);
        let after = if block.is_some() { After::AddAndRectify } else { After::Rectify };
        self.network.each(self.threads, |level, maps| {
            if let (Some(input), None) = (input, projection) {
                maps.set_shortcut(input, output);
            }
            let (sums, output) = (&maps.sums, &mut maps.outputs[output]);
            dispatch!(level, simd => simd.vectorize(
                #[inline(always)]
                || {
                    if let Some(unit) = projection {
                        normalizations[unit].apply(simd, &sums[unit], output, After::Store);
                    }
                    normalizations[number].apply(simd, &sums[number], output, after);
                },
            ));
        });
    }
}

fn summed(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut totals = vec![0.0_f64; parts.first().map_or(0, Vec::len)];
    for part in parts {
        totals.iter_mut().zip(part).for_each(|(total, value)| *total += f64::from(value));
    }
    totals.into_iter().map(|total| total as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from -1 to 1 that differ from one another.
    fn numbers(seed: u32, count: usize) -> Vec<f32> {
        let number =
            |index: u32| (seed.wrapping_add(index)).wrapping_mul(2_654_435_761) as f32 / 2.0_f32.powi(31) - 1.0;
        (0..count as u32).map(number).collect()
    }

    fn parameters(network: &Backpropagation, last: usize) -> Parameters {
        let layer = |unit: &Unit| Layer {
            weights: numbers(1, unit.shape.weights()),
            scale: vec![1.0; unit.shape.outputs],
            shift: numbers(3, unit.shape.outputs),
        };
        let layers = network.structure.units.iter().map(layer).collect();
        Parameters { layers, head: numbers(4, last), head_bias: 0.5 }
    }

    fn close(one: &[f32], other: &[f32]) -> bool {
        deviation(one, other) <= 0.02
    }

    /// The largest difference, as a share of the largest value.
    fn deviation(one: &[f32], other: &[f32]) -> f32 {
        assert_eq!(one.len(), other.len());
        assert!(one.iter().chain(other).all(|value| value.is_finite()));
        let size = one.iter().fold(0.0_f32, |size, value| size.max(value.abs()));
        let most = one.iter().zip(other).fold(0.0_f32, |most, (one, other)| most.max((one - other).abs()));
        most / size.max(f32::MIN_POSITIVE)
    }

    #[test]
    fn every_level_of_the_processor_gives_the_same() {
        // All special kernels and some general ones.
        for (channels, projection) in [(&[4, 8, 16, 32, 32][..], false), (&[16, 5, 12], true), (&[8, 8], true)] {
            let pictures: Vec<f32> = numbers(5, 2 * PIXELS).into_iter().map(|value| value.max(0.0)).collect();
            let outcomes = [Level::new(), Level::baseline(), Level::fallback()].map(|level| {
                let mut network = Backpropagation::new(channels, projection, 1e-5).unwrap();
                network.level = level;
                let parameters = parameters(&network, channels[channels.len() - 1]);
                let (logits, statistics) = network.forward(parameters, None, &pictures, &Threads::CALLER).unwrap();
                (logits, statistics, network.backward(&[1.0, -0.5], &Threads::CALLER).unwrap())
            });
            let (logits, statistics, gradients) = &outcomes[0];
            assert!(gradients.layers.iter().all(|layer| layer.weights.iter().any(|&value| value != 0.0)));
            for (other_logits, other_statistics, other) in &outcomes[1..] {
                assert!(close(logits, other_logits));
                let pairs = statistics.iter().flatten().zip(other_statistics.iter().flatten());
                pairs.for_each(|(one, other)| assert!(close(one, other)));
                assert!(close(&gradients.head, &other.head));
                for (one, other) in gradients.layers.iter().zip(&other.layers) {
                    assert!(close(&one.weights, &other.weights));
                    assert!(close(&one.scale, &other.scale) && close(&one.shift, &other.shift));
                }
            }
        }
    }

    #[test]
    fn equal_rows_are_computed_once_and_count_as_often_as_they_are() {
        for (channels, projection) in [(&[4, 8, 16, 32, 32][..], true), (&[4, 8, 16], false)] {
            let picture = |blank: f32, rows: std::ops::Range<usize>| {
                let mut picture = vec![blank; PIXELS];
                picture[rows.start * SIDE..rows.end * SIDE].copy_from_slice(&numbers(5, rows.len() * SIDE));
                picture
            };
            // Blank rows above, below, on both sides, and nothing but blank rows. Rows of 1e-30 are not blank.
            let pictures =
                |blank| [0..9, 250..256, 100..131, 77..78, 0..0, 0..256].map(|rows| picture(blank, rows)).concat();
            let outcomes = [0.0, 1e-30].map(|blank| {
                let mut network = Backpropagation::new(channels, projection, 1e-5).unwrap();
                let parameters = parameters(&network, channels[channels.len() - 1]);
                let (logits, _) = network.forward(parameters, None, &pictures(blank), &Threads::CALLER).unwrap();
                let stored: Vec<usize> = network.pictures.iter().map(|maps| maps.outputs[1].rows).collect();
                let by_logits = [1.0, -0.5, 0.3, -0.7, 0.2, -0.4];
                (logits, network.backward(&by_logits, &Threads::CALLER).unwrap(), stored)
            });
            let [(logits, gradients, stored), (all_logits, all, all_stored)] = &outcomes;
            assert_eq!(stored, &[6, 5, 18, 4, 2, 128]);
            assert!(all_stored.iter().all(|&rows| rows == 128));
            let arrays = |gradients: &Gradients| {
                let layers = gradients.layers.iter().flat_map(|layer| [&layer.weights, &layer.scale, &layer.shift]);
                layers.chain([&gradients.head]).cloned().collect::<Vec<_>>()
            };
            let pairs = arrays(gradients).into_iter().zip(arrays(all));
            let most =
                pairs.fold(deviation(logits, all_logits), |most, (one, other)| most.max(deviation(&one, &other)));
            assert!(most < 1e-3, "{most}");
        }
    }

    #[test]
    fn a_batch_goes_back_once_and_whole() {
        let mut network = Backpropagation::new(&[4, 8], false, 1e-5).unwrap();
        assert!(network.backward(&[1.0], &Threads::CALLER).is_none());
        let parameters = parameters(&network, 8);
        assert!(network.forward(parameters.clone(), None, &[], &Threads::CALLER).is_none());
        network.forward(parameters, None, &vec![0.5; PIXELS], &Threads::CALLER).unwrap();
        assert!(network.backward(&[1.0, 1.0], &Threads::CALLER).is_none());
        assert!(network.backward(&[1.0], &Threads::CALLER).is_some());
        assert!(network.backward(&[1.0], &Threads::CALLER).is_none());
    }

    #[test]
    fn what_is_not_finite_shows_in_the_logits() {
        let mut network = Backpropagation::new(&[4, 8], false, 1e-5).unwrap();
        for number in 0..network.structure.units.len() {
            let mut parameters = parameters(&network, 8);
            parameters.layers[number].weights[5] = f32::NAN;
            let (logits, _) = network.forward(parameters, None, &vec![0.5; PIXELS], &Threads::CALLER).unwrap();
            assert!(logits[0].is_nan());
        }
        for epsilon in [0.0, -1.0, f32::NAN] {
            assert!(Backpropagation::new(&[4, 8], false, epsilon).is_none());
        }
    }
}
