//! The layers of the network and their activations.

use fearless_simd::Simd;

use super::changes::Pixel;
use super::convolution::{Convolution, Shortcut};
use super::description::Network;
use super::plane::Plane;
use super::profile::Clock;
use super::structure::{Block, STEM, Shape, Structure, Unit};
use super::winograd::{self, Winograd};

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

/// The working memory of one thread, besides activations.
pub struct Scratch {
    pixels: Vec<Pixel>,
    /// One for each block, empty if the block does not need it.
    winograd: Vec<winograd::Scratch>,
}

impl Layers {
    /// Arranges a network whose tensors fit its structure.
    pub fn new(network: &Network) -> Self {
        let stem = direct(network, STEM);
        let blocks = network.structure.blocks.iter().map(|block| BlockLayers::new(network, block)).collect();
        Layers { stem, blocks }
    }

    /// Working memory for these activations.
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
        clock.lap(self.stem.apply(simd, picture, &mut activations.stem, Shortcut::None, pixels));
        let mut input = &activations.stem;
        let planes = activations.blocks.iter_mut().zip(winograd);
        for (block, ([middle, output], winograd)) in self.blocks.iter().zip(planes) {
            clock.lap(block.first.apply(simd, input, middle, Shortcut::None, pixels));
            let shortcut = match &block.projection {
                Some(weights) => Shortcut::Projection(input, weights),
                None => Shortcut::Identity(input),
            };
            clock.lap(match &block.second {
                Second::Direct(layer) => layer.apply(simd, middle, output, shortcut, pixels),
                Second::Winograd(layer) => layer.apply(simd, middle, output, shortcut, winograd),
            });
            input = output;
        }
    }
}

fn direct(network: &Network, unit: usize) -> Convolution {
    let (weights, bias) = &network.layers[unit];
    Convolution::new(network.structure.units[unit].shape, weights, bias)
}

impl BlockLayers {
    fn new(network: &Network, block: &Block) -> Self {
        let Unit { shape, side, .. } = network.structure.units[block.second];
        let (weights, mut bias) = network.layers[block.second].clone();
        let projection = block.projection.map(|unit| {
            let (weights, projected) = &network.layers[unit];
            bias.iter_mut().zip(projected).for_each(|(bias, projected)| *bias += projected);
            transposed(weights, network.structure.units[unit].shape)
        });
        let second = if Winograd::suits(shape.outputs, side) {
            Second::Winograd(Winograd::new(&weights, &bias))
        } else {
            Second::Direct(Convolution::new(shape, &weights, &bias))
        };
        BlockLayers { first: direct(network, block.first), second, projection }
    }
}

/// Weights [outputs][inputs] as [input][output], padded.
fn transposed(weights: &[f32], shape: Shape) -> Vec<f32> {
    let mut result = vec![0.0; shape.stored_inputs * shape.stored_outputs()];
    for (output, values) in weights.chunks_exact(shape.inputs).enumerate() {
        for (input, &value) in values.iter().enumerate() {
            result[input * shape.stored_outputs() + output] = value;
        }
    }
    result
}

impl Activations {
    /// Activations of 0.
    pub fn zeros(structure: &Structure) -> Self {
        let plane = |unit: usize| {
            let Unit { shape, side, .. } = structure.units[unit];
            Plane::new(side, shape.stored_outputs())
        };
        let blocks = structure.blocks.iter().map(|block| [block.first, block.second].map(plane)).collect();
        Activations { stem: plane(STEM), blocks }
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The outputs of the last layer.
    pub fn last(&self) -> &Plane {
        self.blocks.last().map_or(&self.stem, |[_, output]| output)
    }

    /// Restores what changed.
    pub fn restore(&mut self, blank: &Activations) {
        let planes = std::iter::once(&mut self.stem).chain(self.blocks.as_flattened_mut());
        let blank_planes = std::iter::once(&blank.stem).chain(blank.blocks.as_flattened());
        for (plane, blank) in planes.zip(blank_planes) {
            plane.restore(blank);
        }
    }
}
