//! The layers of the reader, and their activations.

use fearless_simd::Simd;

use super::ctc::LogProbabilities;
use super::depthwise::Depthwise;
use super::description::ReaderNetwork;
use super::frames::Frames;
use super::product::{After, Product, TAPS};
use super::softmax::log_softmax;
use crate::aligned::{Aligned, with_padded_inputs};
use crate::path::CHANNELS;

/// Added to the logits of outputs that are padding, so that they have no probability.
const IMPOSSIBLE: f32 = -1e30;

/// The layers, arranged for the registers.
pub struct Layers {
    stem: Vec<StemLayer>,
    blocks: Vec<(Depthwise, Product)>,
    head: Product,
    outputs: usize,
}

struct StemLayer {
    kernel: usize,
    stride: usize,
    product: Product,
}

/// What one thread works on.
pub struct Activations {
    /// The inputs of each layer of the stem, then those of the blocks.
    inputs: Vec<Frames>,
    /// The outputs of a depthwise convolution.
    middle: Aligned,
    /// The outputs of the head.
    logits: Aligned,
}

impl Layers {
    /// Arranges a network whose tensors fit together for vectors of `lanes` numbers.
    pub fn new(network: &ReaderNetwork, lanes: usize) -> Self {
        let (mut inputs, mut stored) = (CHANNELS, CHANNELS);
        let mut stem = Vec::with_capacity(network.stem.len());
        for layer in &network.stem {
            let weights = with_padded_inputs(&layer.weights, inputs, stored);
            let product = Product::new(&weights, &layer.bias, layer.stride * stored, 0.0, lanes);
            (inputs, stored) = (layer.bias.len(), product.outputs());
            stem.push(StemLayer { kernel: layer.kernel, stride: layer.stride, product });
        }
        let blocks = network.blocks.iter().map(|block| {
            let depthwise = Depthwise::new(&block.depthwise, block.depthwise.len() / inputs, stored, block.dilation);
            let weights = with_padded_inputs(&block.mix, inputs, stored);
            (depthwise, Product::new(&weights, &block.bias, stored, 0.0, lanes))
        });
        let blocks = blocks.collect();
        let weights = with_padded_inputs(&network.head, inputs, stored);
        let head = Product::new(&weights, &network.head_bias, stored, IMPOSSIBLE, lanes);
        Layers { stem, blocks, head, outputs: network.head_bias.len() }
    }

    /// Outputs of a frame.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Activations of no frames.
    pub fn activations(&self) -> Activations {
        let mut channels = CHANNELS;
        let mut inputs = Vec::with_capacity(self.stem.len() + 1);
        for layer in &self.stem {
            inputs.push(Frames::new(channels, layer.kernel / 2));
            channels = layer.product.outputs();
        }
        let reach = self.blocks.iter().map(|(depthwise, _)| depthwise.reach()).max().unwrap_or(0);
        inputs.push(Frames::new(channels, reach));
        Activations { inputs, middle: Aligned::default(), logits: Aligned::default() }
    }

    /// The log-probabilities of a path; `lap` is called after the stem, the blocks and the head.
    #[inline(always)]
    pub fn run<'a, S: Simd>(
        &self,
        simd: S,
        samples: &[[f32; CHANNELS]],
        activations: &'a mut Activations,
        lap: &mut dyn FnMut(),
    ) -> LogProbabilities<'a> {
        let Activations { inputs, middle, logits } = activations;
        inputs[0].restart(samples.len());
        inputs[0].values_mut().copy_from_slice(samples.as_flattened());
        for (index, layer) in self.stem.iter().enumerate() {
            let (input, output) = inputs.split_at_mut(index + 1);
            output[0].restart(input[index].len().div_ceil(layer.stride));
            let input = input[index].before(layer.kernel / 2);
            layer.product.apply(simd, input, output[0].values_mut(), After::Rectify);
        }
        lap();
        let frames = &mut inputs[self.stem.len()];
        let size = frames.len() * frames.channels;
        // The last window may look at some values more, with weights of 0.
        middle.grow(size + TAPS);
        for (depthwise, mix) in &self.blocks {
            depthwise.apply(simd, frames, &mut middle[..size]);
            mix.apply(simd, middle, frames.values_mut(), After::AddAndRectify);
        }
        lap();
        let size = frames.len() * self.head.outputs();
        logits.grow(size);
        let logits = &mut logits[..size];
        self.head.apply(simd, frames.before(0), logits, After::Store);
        log_softmax(simd, logits, self.head.outputs());
        lap();
        LogProbabilities { values: logits, stored: self.head.outputs(), outputs: self.outputs }
    }
}
