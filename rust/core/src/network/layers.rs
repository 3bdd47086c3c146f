//! The layers of the network and their activations.

use fearless_simd::Simd;

use super::changes::Pixel;
use super::convolution::{Convolution, Residual, padded};
use super::description::{Block, Network, Shortcut};
use super::plane::Plane;
use super::profile::Clock;
use super::winograd::{self, Winograd};
use crate::canvas::SIDE;

/// The convolutions, arranged for the registers.
pub struct Layers {
    stem: Convolution,
    blocks: Vec<BlockLayers>,
}

struct BlockLayers {
    first: Convolution,
    second: Second,
    /// Weights [input channel][output channel] of the projection; its bias is in `second`.
    projection: Option<Vec<f32>>,
}

/// A convolution of stride 1.
enum Second {
    Direct(Convolution),
    Winograd(Winograd),
}

/// The outputs of the stem and of each block's two convolutions.
#[derive(Clone)]
pub struct Activations {
    stem: Plane,
    blocks: Vec<[Plane; 2]>,
}

/// What one thread needs besides activations.
pub struct Scratch {
    pixels: Vec<Pixel>,
    /// For each block; of no size where it does not need any.
    winograd: Vec<winograd::Scratch>,
}

impl Layers {
    /// Arranges a network whose tensors fit together.
    pub fn new(network: &Network) -> Self {
        let stem = Convolution::new(&network.stem.0, &network.stem.1, 1, 1, 2);
        let (mut inputs, mut side) = (network.channels, SIDE / 2);
        let blocks = network.blocks.iter().map(|block| {
            side = side.div_ceil(2);
            let layers = BlockLayers::new(block, inputs, side);
            inputs = block.outputs;
            layers
        });
        Layers { stem, blocks: blocks.collect() }
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Activations of 0.
    pub fn zeros(&self) -> Activations {
        let mut side = SIDE / 2;
        let stem = Plane::new(side, self.stem.outputs());
        let blocks = self.blocks.iter().map(|block| {
            side = side.div_ceil(2);
            [(); 2].map(|()| Plane::new(side, block.first.outputs()))
        });
        Activations { stem, blocks: blocks.collect() }
    }

    /// Memory to run in, for activations like these.
    pub fn scratch(&self, activations: &Activations) -> Scratch {
        let winograd = self.blocks.iter().zip(&activations.blocks).map(|(block, [_, output])| match &block.second {
            Second::Direct(_) => winograd::Scratch::default(),
            Second::Winograd(layer) => layer.scratch(output.side),
        });
        Scratch { pixels: Vec::new(), winograd: winograd.collect() }
    }

    /// Recomputes what the changes of the picture reach.
    #[inline(always)]
    pub fn run<S: Simd>(
        &self,
        simd: S,
        picture: &Plane,
        activations: &mut Activations,
        scratch: &mut Scratch,
        clock: &mut Clock,
    ) {
        let Scratch { pixels, winograd } = scratch;
        clock.lap(self.stem.apply(simd, picture, &mut activations.stem, Residual::None, pixels));
        let mut input = &activations.stem;
        let planes = activations.blocks.iter_mut().zip(winograd);
        for (block, ([middle, output], winograd)) in self.blocks.iter().zip(planes) {
            clock.lap(block.first.apply(simd, input, middle, Residual::None, pixels));
            let residual = match &block.projection {
                Some(weights) => Residual::Projection(input, weights),
                None => Residual::Identity(input),
            };
            clock.lap(match &block.second {
                Second::Direct(layer) => layer.apply(simd, middle, output, residual, pixels),
                Second::Winograd(layer) => layer.apply(simd, middle, output, residual, winograd),
            });
            input = output;
        }
    }
}

impl BlockLayers {
    /// `side` is that of the output.
    fn new(block: &Block, inputs: usize, side: usize) -> Self {
        let outputs = block.outputs;
        let first = Convolution::new(&block.first.0, &block.first.1, inputs, padded(inputs), 2);
        let (weights, mut bias) = block.second.clone();
        let projection = match &block.shortcut {
            Shortcut::Identity => None,
            Shortcut::Projection(weights, projected) => {
                bias.iter_mut().zip(projected).for_each(|(bias, projected)| *bias += projected);
                Some(transposed(weights, inputs, outputs))
            }
        };
        let second = if Winograd::suits(outputs, side) {
            Second::Winograd(Winograd::new(&weights, &bias))
        } else {
            Second::Direct(Convolution::new(&weights, &bias, outputs, padded(outputs), 1))
        };
        BlockLayers { first, second, projection }
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
    /// The outputs of the last layer.
    pub fn last(&self) -> &Plane {
        self.blocks.last().map_or(&self.stem, |[_, output]| output)
    }

    /// Puts back what changed.
    pub fn restore(&mut self, blank: &Activations) {
        let planes = std::iter::once(&mut self.stem).chain(self.blocks.as_flattened_mut());
        let blank_planes = std::iter::once(&blank.stem).chain(blank.blocks.as_flattened());
        for (plane, blank) in planes.zip(blank_planes) {
            plane.restore(blank);
        }
    }
}
